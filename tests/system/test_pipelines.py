"""Pipelines as people type them, in BusyBox's shell: bytes, ends, exit statuses, and nothing left over."""

import pytest

from ferry import Ferry, sums
from leaks import expect_holdings, settled_holdings
from ledger import Ledger


@pytest.fixture(scope="module")
def ferry():
    with Ferry(shell=True, limit=180) as machine:
        yield machine


@pytest.mark.parametrize("command, expected", [
    ("seq 1 100000 | sort -n | tail -1", "100000"),
    ("seq 1 100000 | sort -rn | head -1", "100000"),
    ("seq 1 1000 | grep 7 | wc -l", "271"),
    ("cat /data/1m | wc -c", "1048576"),
    ("cat /data/1m | cat | cat | cat | cat | cat | cat | cat | wc -c", "1048576"),
    ("dd if=/data/1m bs=777 2>/dev/null | dd bs=8191 2>/dev/null | wc -c", "1048576"),
    ("yes | head -n 1", "y"),
    ("yes yes yes | head -c 100000 | tail -c 4", "yes"),
    ("echo one two | while read a b; do echo $b $a; done", "two one"),
    ("echo $(echo $(echo deep))", "deep"),
    ("echo `seq 1 2000 | tail -n 1`", "2000"),
    ("x=$(cat /data/one | sha256sum); y=$(sha256sum < /data/one); test \"$x\" = \"$y\" && echo same", "same"),
    ("(echo a; echo b) | { read x; read y; echo $y$x; }", "ba"),
    ("seq 3 | tee /dev/null | xargs echo", "1 2 3"),
    ("seq 3 | sed 's/2/two/' | tr '\\n' ' '; echo", "1 two 3 "),
    ("seq 1 20000 | gzip -c | gunzip -c | tail -n 1", "20000"),
    ("cat /dev/null | wc -c", "0"),
    ("true | false; echo $?", "1"),
    ("false | true; echo $?", "0"),
    ("echo in | cat /dev/stdin", "in"),
    ("(echo out > /dev/stdout) | cat", "out"),
    ("echo both | tee /dev/fd/2 2>&1 | sort", "both\nboth"),
    ("{ echo err >&2; } 2>&1 | tr a-z A-Z", "ERR"),
    ("readlink /proc/self/fd/1 | sed 's/[0-9]//g'", "pipe:[]"),
    ("printf '%s\\n' b a c | sort | tr -d '\\n'; echo", "abc"),
], ids=lambda text: text if "|" in text or "$" in text else "")
def test_a_pipeline_says_what_it_says_elsewhere(ferry, command, expected):
    assert ferry.sh(command).strip("\n") == expected.strip("\n")


def test_a_here_document_is_what_a_program_reads(ferry):
    assert ferry.sh("cat <<END | tr a-z A-Z\nfirst $((1 + 1))\nsecond\nEND") == "FIRST 2\nSECOND\n"
    # Longer than a pipe: the shell needs a process to write it.
    assert ferry.sh("x=$(seq 1 20000); wc -l <<END\n$x\nEND") == "20000\n"


def test_a_writer_without_a_reader_ends_by_sigpipe(ferry):
    assert ferry.sh("(yes; echo $? >&2) | head -n 1") == "y\n141\n"  # 128 + SIGPIPE
    assert ferry.sh("(cat /data/1m; echo $? >&2) | head -c 1 >/dev/null") == "141\n"


def test_tar_to_tar_keeps_every_byte(ferry):
    digest = sums()["1m"]
    assert ferry.sh("tar cf - -C /data one 1m | tar xOf - 1m | sha256sum").split()[0] == digest


def test_a_fifo_joins_two_commands(ferry):
    ferry.sh("mkfifo /tmp/fifo")
    assert ferry.sh("wc -c < /tmp/fifo & cat /data/1m > /tmp/fifo; wait") == "1048576\n"
    ferry.sh("sort -n < /tmp/fifo > /tmp/sorted & seq 1000 -1 1 > /tmp/fifo; wait")
    assert ferry.sh("head -n 1 /tmp/sorted; rm /tmp/fifo /tmp/sorted") == "1\n"


def test_a_background_job_reads_its_pipe(ferry):
    assert ferry.sh("(sleep 0.1; echo late) | cat & wait; echo done") == "late\ndone\n"


def test_many_pipelines_leave_nothing_behind(ferry):
    loop = "i=0; while [ $i -lt {} ]; do seq 1 3000 | cat | head -n 1 >/dev/null; i=$((i + 1)); done"
    ferry.sh(loop.format(5))  # the shell's own memory has grown by then
    before = settled_holdings(ferry)
    ferry.sh(loop.format(100), seconds=60)
    expect_holdings(ferry, before)
    assert before["hold pipe"] == 0


def test_the_ledger_has_each_byte_that_goes_through_a_pipe(ferry):
    def moved():
        edges = Ledger(ferry.sh("cat /proc/ferry/ledger")).edges
        return [edges.get(edge, 0) for edge in (("user", "pipe", "cpu"), ("pipe", "user", "cpu"))]

    before = moved()
    assert ferry.sh("cat /data/1m | cat | wc -c") == "1048576\n"
    assert [now - then for then, now in zip(before, moved())] == [2 << 20, 2 << 20]


def test_programs_that_wait_for_files_leave_nothing_behind(ferry):
    """Pages by their holders, and the heap's objects: a watcher that is forgotten would be one."""
    def passes(program):
        assert " 0 failed" in ferry.sh(f"/tests/{program} | tail -n 1", seconds=60)

    def objects():  # NAME USED ...: the lines behind the two of the head
        lines = ferry.sh("cat /proc/slabinfo").splitlines()[2:]
        return {line.split()[0]: int(line.split()[1]) for line in lines}

    passes("fifos")
    before = settled_holdings(ferry), objects()
    for program in "pipes", "fifos", "poll", "events":
        passes(program)
    expect_holdings(ferry, before[0])
    assert objects() == before[1]
