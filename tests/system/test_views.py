"""The programs that show what memory is doing: pages, cachestat, vmstat, free."""

import re

import pytest

from ferry import Ferry


@pytest.fixture(scope="module")
def ferry():
    with Ferry(shell=True, net=False) as machine:
        yield machine


def shown(text):
    """{what: the rest of the line} of one address that `pages` shows; "holders" is a list."""
    lines = {line.split()[0]: line for line in text.splitlines() if line[:1].strip()}
    lines["holders"] = re.findall(r"^  (\S.*)$", text, re.M)
    return lines


def test_pages_shows_the_way_of_an_address_to_its_frame(ferry):
    text = ferry.sh("pages code")
    address = int(re.match(r"address +([0-9a-f]{8})", text)[1], 16)
    split = f"{address >> 22:010b} {address >> 12 & 1023:010b} {address & 4095:012b}"
    assert split in text, f"expected the split {split} in\n{text}"
    lines = shown(text)
    assert "r-xp" in lines["region"] and lines["region"].endswith("/bin/pages"), text
    assert re.search(r"present write user accessed$", lines["directory"]), text
    assert re.search(r"present read-only user accessed clean$", lines["table"]), text
    frame = re.search(r"frame ([0-9a-f]{5})", lines["table"])[1]
    assert lines["physical"].split()[1] == f"{frame}{address & 4095:03x}", text
    assert "page cache" in lines["frame"] and "2 references" in lines["frame"], text
    inode = ferry.sh("stat -c %i /bin/pages").strip()
    assert len(lines["holders"]) == 1 and re.fullmatch(
        rf"the page cache, page \d+ of inode {inode}", lines["holders"][0]), text


# place: the table entry, what a write does, the frame, who else holds it
PLACES = {
    "data": ("present write user accessed dirty", "without a fault", "anonymous, 1 reference", ["nobody"]),
    "heap": ("present write user accessed dirty", "without a fault", "anonymous, 1 reference", ["nobody"]),
    "stack": ("present write user accessed dirty", "without a fault", "anonymous, 1 reference", ["nobody"]),
    "bss": ("nothing", "page fault: the program gets a page of its own", None, []),
    "file": ("present read-only user accessed clean", "page fault: the program gets a copy", "page cache .*3 references",
             ["the page cache, page 0 of inode \\d+", "08048000 of process \\d+ \\(pages\\)"]),
    "copy": ("present write user accessed dirty", "without a fault", "anonymous, 1 reference", ["nobody"]),
    "shared": ("present write user accessed dirty", "without a fault", "page cache .*dirty, 2 references",
               ["the page cache, page 0 of inode \\d+"]),
    "fork": ("present read-only user accessed dirty", "copy-on-write", "anonymous, 2 references",
             ["[0-9a-f]{8} of process \\d+ \\(pages\\)"]),
}


@pytest.mark.parametrize("place", PLACES)
def test_pages_shows_every_kind_of_page(ferry, place):
    entry, write, frame, holders = PLACES[place]
    text = ferry.sh(f"pages {place}")
    lines = shown(text)
    assert lines["table"].endswith(entry) and lines["a"].endswith(write), text
    assert re.search(frame, lines["frame"]) if frame else "frame" not in lines, text
    assert len(lines["holders"]) == len(holders), text
    assert all(map(re.fullmatch, holders, lines["holders"])), text


def test_pages_shows_what_is_nowhere_and_what_is_the_kernels(ferry):
    for address in ("0", "40000000"):
        text = ferry.sh(f"pages {address}")
        assert "none: a touch is SIGSEGV" in text and "nothing" in text and "holders" not in text, text
    lines = shown(ferry.sh("pages c0100000"))
    assert "the kernel's" in lines["region"] and "only the kernel may" in lines["a"], lines
    assert lines["directory"].endswith("present write kernel accessed"), lines
    assert "frame 00100  present read-only kernel" in lines["table"], "expected the kernel's text at 1 MiB"


def test_pages_follows_a_page_into_swap():
    with Ferry(shell=True, net=False) as ferry:
        ferry.sh("dd if=/dev/zero of=/root/swap bs=64k count=32 2>/dev/null; mkswap /root/swap; swapon /root/swap")
        text = ferry.sh("pages swap")
        lines = shown(text)
        slot = re.search(r"entry +\d+ +([0-9a-f]{5})400  not present: in swap, area 0, slot (\d+)$", lines["table"])
        assert slot and int(slot[1], 16) == int(slot[2]) > 0, text
        assert lines["a"].endswith("the page comes back from swap") and "frame" not in lines, text
        assert lines["holders"] == [f"the swap cache: the page is in memory, slot {slot[2]} of area 0"], text


def test_pages_says_what_is_wrong(ferry):
    for words in ("-x", "-p 1", "-p one 0", "-p '' 0"):
        assert "usage: pages" in ferry.sh(f"pages {words} 2>&1", status=2)
    for words in ("zz", "123456789", "''", "-- -1"):
        assert "neither an address" in ferry.sh(f"pages {words} 2>&1", status=2)
    assert "process 9999: there is none" in ferry.sh("pages -p 9999 0 2>&1", status=1)
    assert "process 2: there is none" in ferry.sh("pages -p 2 0 2>&1", status=1)  # a thread of the kernel


def test_pages_finds_who_else_holds_a_frame(ferry):
    """Two shells of one program: the page of its code is one frame in both."""
    maps = ferry.sh("cat /proc/$$/maps")
    code = next(line.split("-")[0] for line in maps.splitlines() if "r-xp" in line)
    text = ferry.sh(f"sleep 1000 & pages -p $$ {code}; kill $!")
    assert re.search(rf"^  {code} of process \d+ \((sleep|sh|busybox)\)", text, re.M), text


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


def meminfo(ferry):
    return {key: int(value) for key, value in re.findall(r"^(\w+): +(\d+) kB", ferry.sh("cat /proc/meminfo"), re.M)}


def rest(figures):
    """What is left of all memory: the kernel itself, its table of pages, the network's buffers."""
    parts = ("MemFree", "Buffers", "Cached", "AnonPages", "Slab", "KernelStack", "PageTables")
    return figures["MemTotal"] - sum(figures[part] for part in parts)


def test_the_figures_of_meminfo_add_up(ferry):
    """Whatever takes memory is told under one name, and under one only."""
    ferry.sh("cat /proc/meminfo >/dev/null")
    before = meminfo(ferry)
    ferry.sh("cat /data/16m >/dev/null; dd if=/dev/zero of=/tmp/8m bs=1M count=8 2>/dev/null; "
             "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done")
    after = meminfo(ferry)
    ferry.sh("kill $(jobs -p); rm /tmp/8m")
    assert after["Cached"] - before["Cached"] >= 24 << 10, f"expected 24 MiB more in the cache: {before} {after}"
    assert abs(rest(after) - rest(before)) <= 64, f"expected the same rest, got {before} {after}"


def test_a_program_that_waits_for_the_disk_is_seen_waiting(ferry):
    """In state D, as b of vmstat, and the CPU's idle time meanwhile as wa."""
    def waited():
        return int(ferry.sh("cat /proc/stat").split()[5])

    before = waited()
    ferry.sh("dd if=/data/64m of=/dev/null bs=4k iflag=direct 2>/dev/null & pid=$!")
    seen = ferry.sh("for i in $(seq 100); do cat /proc/$pid/stat; grep blocked /proc/stat; done")
    ferry.sh("wait")
    assert re.search(r"^\d+ \(dd\) D ", seen, re.M), f"expected dd in state D, got {seen}"
    assert "procs_blocked 1" in seen, f"expected procs_blocked 1, got {seen}"
    assert waited() > before, f"expected the CPU's time waiting to grow from {before}"


def test_vmstat_counts_what_the_disk_counts(ferry):
    ferry.sh("cat /data/1m >/dev/null; sync")
    text = ferry.sh("cat /proc/vmstat /proc/diskstats")
    sectors = next(line.split() for line in text.splitlines() if " hda " in line)
    assert f"pgpgin {int(sectors[5]) // 2}\n" in text and f"pgpgout {int(sectors[9]) // 2}\n" in text, text
