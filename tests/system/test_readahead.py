"""Readahead by its counters: long windows for who reads in order, nothing for who jumps, nothing in vain."""

import re

from ferry import Ferry


def counters(ferry):
    disk = {key: int(value) for key, value in re.findall(r"^(cache_\w+) (\d+)$", ferry.sh("cat /proc/ferry/disk"), re.M)}
    line = next(line for line in ferry.sh("cat /proc/diskstats").splitlines() if " hda " in line)
    disk["commands"] = int(line.split()[3])
    return disk


def count(ferry, command):
    ferry.sh(command.replace("FILE", "/data/16m"))  # the programs and the file's tables are in the cache now
    ferry.sh("cat /proc/ferry/disk /proc/diskstats")
    before = counters(ferry)
    ferry.sh(command.replace("FILE", "/data/64m"))
    after = counters(ferry)
    return {key: after[key] - before[key] for key in after}


def test_a_reader_in_order_waits_once_and_reads_nothing_in_vain():
    with Ferry(shell=True, net=False) as ferry:
        pages = 1024
        got = count(ferry, f"dd if=FILE of=/dev/null bs=4k count={pages} 2>/dev/null")
    # Windows of 4, 8, 16, 32, 32 ... pages, a command each; a table or two of block numbers.
    windows = 3 + -(-(pages - 28) // 32)
    assert windows <= got["commands"] <= windows + 8, f"expected about {windows} commands, got {got}"
    assert got["cache_readahead_used"] == pages - 1, f"expected all but the first page read ahead, got {got}"
    assert got["cache_readahead"] - got["cache_readahead_used"] <= 64, f"expected at most two windows more, got {got}"


def test_a_reader_that_jumps_gets_what_it_asks_for():
    with Ferry(shell=True, net=False) as ferry:
        places = [7, 900, 33, 512, 250, 1000, 480, 77]
        got = count(ferry, "; ".join(f"dd if=FILE of=/dev/null bs=4k count=1 skip={n} 2>/dev/null" for n in places))
    assert got["cache_readahead"] == 0, f"expected nothing read ahead, got {got}"
    assert len(places) <= got["commands"] <= len(places) + 3, f"expected {len(places)} commands, got {got}"


def test_two_readers_in_turns_are_each_read_ahead_for():
    """Their pages are asked for in turns, of one file; each has its windows all the same."""
    pages, one = 64, "dd bs=4k count=1 of=/dev/null 2>/dev/null"
    with Ferry(shell=True, net=False) as ferry:
        got = count(ferry, f"exec 3<FILE 4<FILE; {one} skip=2000 <&4; "
                           f"for i in $(seq {pages}); do {one} <&3; {one} <&4; done; exec 3<&- 4<&-")
    windows = 2 * 6  # of 4, 8, 16, 32, 32, 32 pages
    assert got["cache_readahead_used"] >= 2 * pages - 4, f"expected nearly all pages read ahead, got {got}"
    assert windows <= got["commands"] <= windows + 8, f"expected about {windows} commands, got {got}"
