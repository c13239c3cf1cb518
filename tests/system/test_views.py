"""The programs that show what memory is doing: pages, cachestat, vmstat, free."""

import re

import pytest

from ferry import Ferry


@pytest.fixture(scope="module")
def ferry():
    with Ferry(shell=True, net=False) as machine:
        yield machine


def shown(text):
    """{what: the rest of the line} of one address that `pages` shows."""
    return {line.split()[0]: line for line in text.splitlines() if line.strip()}


def test_pages_shows_the_way_of_an_address_to_its_frame(ferry):
    text = ferry.sh("pages code")
    address = int(re.match(r"address ([0-9a-f]{8})", text)[1], 16)
    split = f"{address >> 22:010b} {address >> 12 & 1023:010b} {address & 4095:012b}"
    assert split in text, f"expected the split {split} in\n{text}"
    lines = shown(text)
    assert "r-xp" in lines["region"] and lines["region"].endswith("/bin/pages"), text
    assert re.search(r"present read-only user accessed clean$", lines["table"]), text
    frame = re.search(r"frame ([0-9a-f]{5})", lines["table"])[1]
    assert lines["physical"].split()[1] == f"{frame}{address & 4095:03x}", text
    assert "page cache, 2 references" in lines["frame"], text


def test_pages_tells_private_memory_from_the_cache_and_from_nothing(ferry):
    for place in ("data", "heap", "stack"):
        lines = shown(ferry.sh(f"pages {place}"))
        assert lines["table"].endswith("present write user accessed dirty"), lines
        assert "anonymous, 1 reference;" in lines["frame"], lines
    text = ferry.sh("pages 40000000")
    assert "SIGSEGV" in text and "nothing" in text, text


def test_pages_finds_who_else_holds_a_frame(ferry):
    """Two shells of one program: the page of its code is one frame in both."""
    maps = ferry.sh("cat /proc/$$/maps")
    code = next(line.split("-")[0] for line in maps.splitlines() if "r-xp" in line)
    text = ferry.sh(f"sleep 1000 & pages -p $$ {code}; kill $!")
    assert re.search(rf"also at {code} of process \d+ \((sleep|sh|busybox)\)", text), text


def test_cachestat_counts_what_was_read_and_what_was_there(ferry):
    ferry.sh("cachestat; dd if=/data/1m of=/dev/null bs=4k 2>/dev/null; cat /data/4097 >/dev/null")
    ferry.sh("echo 3 > /proc/sys/vm/drop_caches; dd if=/data/4097 of=/dev/null bs=4k 2>/dev/null; cachestat")

    def figures():
        head, line = ferry.sh("cachestat").splitlines()[:2]
        return dict(zip(head.split(), (float(word) for word in line.split())))

    before = figures()
    ferry.sh("dd if=/data/1m of=/dev/null bs=4k 2>/dev/null")
    cold = figures()
    ferry.sh("dd if=/data/1m of=/dev/null bs=4k 2>/dev/null")
    warm = figures()
    assert cold["used"] - before["used"] == 255, f"expected 255 pages read ahead and used, got {before} {cold}"
    assert cold["pages"] - before["pages"] >= 256, f"expected 256 pages more in the cache, got {before} {cold}"
    assert warm["misses"] == cold["misses"] and warm["hits"] - cold["hits"] >= 256, f"expected hits alone: {cold} {warm}"


def test_cachestat_and_vmstat_take_an_interval_and_a_count(ferry):
    for program, head in (("cachestat", 1), ("vmstat", 2)):
        lines = ferry.sh(f"{program} 1 2").strip().splitlines()
        assert len(lines) == head + 2, lines
        assert "usage" in ferry.sh(f"{program} 0 2>&1; true") + ferry.sh(f"{program} 1 2 3 2>&1; true")


def test_free_and_vmstat_tell_the_same(ferry):
    free = ferry.sh("free").splitlines()[1].split()
    line = ferry.sh("vmstat").strip().splitlines()[-1].split()
    assert abs(int(free[3]) - int(line[3])) < 512, f"free: {free}, vmstat: {line}"
    total, used, left, shared, cache = (int(word) for word in free[1:6])
    assert abs(total - used - left - cache) <= 4, free
