"""What 4 KiB cost, in instructions: the same every time, and in the order that the design wants."""

import re

from ferry import Ferry


def costs():
    with Ferry("ferry.icount", run=["/bin/pagecost", "-q"], net=False, icount=True, limit=90) as ferry:
        status, text = ferry.finish()
    assert status == 0, text
    return {name: int(ticks) // int(units)
            for name, units, ticks in re.findall(r"^cost=(\S+) units=(\d+) ticks=(\d+)$", text, re.M)}


def test_the_cost_of_4_kib_is_the_same_in_two_runs_and_the_disk_costs_most():
    first, second = costs(), costs()
    assert first == second, f"expected the same twice, got {first} and {second}"
    for cheap, dear in (("read-64k", "read-4k"), ("read-4k", "cold-4k"), ("read-64k", "cold-64k"),
                        ("write-64k", "write-4k"), ("read-4k", "write-4k"), ("fault-zero", "fault-swap")):
        assert first[cheap] < first[dear], f"expected {cheap} to cost less than {dear}, got {first}"
    full, empty = first["fsync-full"], first["fsync"]
    assert full < empty * 1.05, f"expected what is cached to cost fsync nothing, got {full} instead of {empty}"
