"""ferry.cache=split: two caches as there were before they became one, the second copy, and what it cost to hide it."""

import re
import shutil
import subprocess

from ferry import DISK, Ferry, sums
from ledger import Ledger


def edges(ferry):
    return Ledger(ferry.sh("cat /proc/ferry/ledger")).edges


def bill(ferry, command):
    """What a command moves into and out of the caches; its program and the file's tables are there already."""
    before = edges(ferry)
    ferry.sh(command)
    after = edges(ferry)
    return {edge: after[edge] - before.get(edge, 0) for edge in after
            if after[edge] != before.get(edge, 0) and ("buffer" in edge or "disk" in edge)}


def split(option="split", **machine):
    return Ferry(f"ferry.cache={option}", shell=True, net=False, **machine)


def test_every_byte_that_is_read_is_copied_once_more():
    with split() as ferry:
        ferry.sh("dd if=/data/4097 of=/dev/null bs=64k 2>/dev/null; cat /proc/ferry/ledger")
        size = 1 << 20
        assert bill(ferry, "dd if=/data/1m of=/dev/null bs=64k 2>/dev/null") == {
            ("disk", "buffer", "dma"): size, ("buffer", "cache", "cpu"): size}
        assert bill(ferry, "dd if=/data/1m of=/dev/null bs=64k 2>/dev/null") == {}
        for name in ("1m", "sparse", "fragmented", "4097"):
            assert sums()[name] in ferry.sh(f"sha256sum /data/{name}"), name


def test_every_byte_that_is_written_over_a_cached_page_is_copied_once_more():
    size = 64 << 10
    command = "dd if=/dev/zero of=/root/file bs=16k count=4 conv=notrunc 2>/dev/null; sync"
    with split() as ferry:
        ferry.sh(command)
        assert bill(ferry, command) == {("user", "buffer", "cpu"): size, ("buffer", "disk", "dma"): size}
        ferry.sh("cat /root/file > /dev/null")
        assert bill(ferry, command) == {("user", "buffer", "cpu"): size, ("buffer", "cache", "cpu"): size,
                                        ("buffer", "disk", "dma"): size}


def test_without_the_repair_programs_read_what_the_file_was():
    for option, says, status in (("one", "new", "0"), ("split", "new", "0"), ("split,norepair", "old", "1")):
        with split(option) as ferry:
            text = ferry.sh("stale; echo status $?")
            copies = {"user -> cache"} if option == "one" else {"user -> buffer", "buffer -> cache"}
            assert set(re.findall(r"write copied 4096 bytes: (.*)", text)) == copies - (
                {"buffer -> cache"} if status == "1" else set()), text
            assert f"mmap shows {says} bytes" in text and f"read gives {says} bytes" in text, f"{option}: {text}"
            assert f"status {status}" in text, text


def test_guest_tests_of_writing_pass_with_two_caches():
    for name in ("writing", "mapping", "files"):
        with Ferry("ferry.cache=split", run=[f"/tests/{name}"], net=False) as ferry:
            status, text = ferry.finish()
            assert status == 0, text


def test_what_two_caches_have_written_is_on_the_disk(tmp_path):
    image = tmp_path / "disk.img"
    shutil.copy(DISK, image)
    with split(disk=image, writable=True) as ferry:
        ferry.sh("cp /data/1m /root/copy; cp /data/fragmented /root/second; rm /root/copy; cp /data/1m /root/third; "
                 "mkdir /root/d; for i in 1 2 3 4 5 6 7 8; do echo $i > /root/d/$i; done; rm -r /root/d; sync")
    for name, original in (("second", "fragmented"), ("third", "1m")):
        out = tmp_path / name
        subprocess.run(["debugfs", "-R", f"dump /root/{name} {out}", image], check=True, capture_output=True)
        digest = subprocess.run(["sha256sum", out], capture_output=True, text=True, check=True).stdout.split()[0]
        assert digest == sums()[original], f"expected {original} in {name}"
    check = subprocess.run(["e2fsck", "-fn", image], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout
