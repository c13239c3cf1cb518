"""Threads, signals and jobs on Ferry alone: what they used is given back, and init lives."""

import pytest

from ferry import Ferry
from leaks import expect_holdings, settled_holdings


@pytest.fixture(scope="module")
def ferry():
    with Ferry(shell=True, limit=180) as machine:
        yield machine


@pytest.mark.parametrize("program", ["threads", "signals", "jobs", "limits", "process"])
def test_what_processes_use_is_given_back(ferry, program):
    ferry.sh(f"/tests/{program} > /tmp/output; grep -v '^ok' /tmp/output; rm /tmp/output", seconds=60)
    before = settled_holdings(ferry)
    output = ferry.sh(f"/tests/{program} > /tmp/output; tail -n 1 /tmp/output; rm /tmp/output", seconds=60)
    assert " 0 failed" in output
    expect_holdings(ferry, before)


def test_no_process_or_thread_is_left_over(ferry):
    ferry.sh("/tests/jobs > /dev/null; /tests/threads > /dev/null", seconds=60)
    left = ferry.sh("ps -o comm= | grep -E 'jobs|threads'", status=None)
    assert left == ""


def test_init_takes_no_signal_that_it_does_not_handle(ferry):
    for name in ("KILL", "STOP", "SEGV", "ILL"):
        ferry.sh(f"kill -{name} 1")
    assert ferry.sh("echo still here") == "still here\n"
