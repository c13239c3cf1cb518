"""Inodes that nobody holds: they stay while there is memory, and go when it is short or drop_caches asks."""

import os
import subprocess

import pytest

from disks import ENV
from ferry import DISK, Ferry
from test_memory import counters, pressure

FILES = 20000
FOLDERS = 20


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A file system of many small files."""
    root = tmp_path_factory.mktemp("many")
    for n in range(FOLDERS):
        os.makedirs(root / "files" / str(n))
        for i in range(FILES // FOLDERS):
            (root / "files" / str(n) / f"a-file-with-a-name-{i}").touch()
    os.makedirs(root / "read")
    for i in range(600):
        (root / "read" / str(i)).write_bytes(bytes([i & 255]) * 4096)
    path = tmp_path_factory.mktemp("image") / "many.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext2", "-b", "4096", "-N", str(FILES + 2000), "-d", str(root), str(path), "32M"],
                   check=True, env=ENV)
    return path


def inodes(ferry):
    return int(ferry.sh("grep '^inode ' /proc/slabinfo").split()[1])


def machine(image, mem):
    return Ferry(shell=True, disks=[DISK, image], mem=mem, net=False, limit=120)


def test_a_walk_over_many_files_does_not_take_the_memory_for_good(image):
    with machine(image, 16) as ferry:
        ferry.sh("mount -t ext2 /dev/hdb /mnt")
        assert ferry.sh("find /mnt/files -type f -size 0 | wc -l", seconds=60) == f"{FILES}\n"
        assert inodes(ferry) > FILES // 2, "expected the inodes to stay while there is memory"
        assert "out of memory" not in pressure(ferry, 7)
        assert inodes(ferry) < FILES // 4, "expected the inodes to have gone for a program's memory"


def test_changed_inodes_go_when_they_have_been_written(image):
    with machine(image, 16) as ferry:
        ferry.sh("mount -t ext2 /dev/hdb /mnt")
        ferry.sh("find /mnt/files/1* -exec touch {} +", seconds=60)
        assert inodes(ferry) > FILES // 2
        assert "out of memory" not in pressure(ferry, 7)
        assert inodes(ferry) < FILES // 4, "expected the changed inodes to have been written, and to have gone"


def test_what_is_read_stays_cached_however_many_files_it_is(image):
    with machine(image, 64) as ferry:
        ferry.sh("mount -t ext2 /dev/hdb /mnt; cat /mnt/read/* > /dev/null")
        before = counters(ferry)["pgpgin"]
        ferry.sh("cat /mnt/read/* > /dev/null")
        assert counters(ferry)["pgpgin"] == before, "expected nothing to be read from the disk again"


def test_drop_caches_2_forgets_inodes_and_keeps_pages(image):
    with machine(image, 64) as ferry:
        ferry.sh("mount -t ext2 /dev/hdb /mnt; cat /mnt/read/* > /dev/null; find /mnt/files -size 1 | wc -l", seconds=60)
        assert inodes(ferry) > FILES
        reclaimable = counters(ferry, "meminfo")["SReclaimable"]
        assert reclaimable > FILES * 150 // 1024, f"expected inodes to count as memory that can be had, got {reclaimable} KiB"
        free = counters(ferry, "meminfo")["MemFree"]
        before = counters(ferry)["pgpgin"]
        ferry.sh("sync; echo 2 > /proc/sys/vm/drop_caches")
        assert inodes(ferry) < 1000
        assert counters(ferry, "meminfo")["MemFree"] - free > reclaimable // 2
        ferry.sh("cat /mnt/read/* > /dev/null")
        assert counters(ferry)["pgpgin"] == before, "expected the files' pages to have stayed"
        ferry.sh("echo 3 > /proc/sys/vm/drop_caches")
        assert inodes(ferry) < 400
