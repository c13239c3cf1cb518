"""Disks that fail while they are written: the errno goes to fsync, once; the rest goes on, and nothing hangs."""

import re

import pytest

from disks import contents, debugfs, e2fsck, power_off
from ferry import Ferry, digest
from images import SIZES, Image, failing
from images import contents as first_contents

EIO = 5
PAGE = 50  # of /data/large: the one that cannot be written


def machine(image, sectors, **options):
    return Ferry(shell=True, disk=None, net=False, extra=failing(image, sectors, "write"), limit=90, **options)


def calls(ferry, letters, name="/data/large", page=PAGE):
    """What each call of fsyncs gave: [("w", 0), ("f", 5) ...]."""
    return [(line.split()[0], int(line.split()[1]))
            for line in ferry.sh(f"fsyncs {name} {page} {letters}").splitlines() if re.fullmatch(r"\w \d+", line)]


def others_are_sound(ferry):
    for name in ("small", "other"):
        assert digest(first_contents(name)) in ferry.sh(f"sha256 /data/{name}"), f"expected {name} unharmed"


@pytest.mark.parametrize("letters, expected", [
    ("wffwf", [0, EIO, 0, 0, EIO]),  # each error is told once ...
    ("wfgfg", [0, EIO, EIO, 0, 0]),  # ... to each open file
    ("wfcf", [0, EIO, 0, 0]),  # but not to who opens it later
    ("wrrfg", [0, EIO, 0, 0, EIO]),
    ("wyyff", [0, EIO, 0, EIO, 0]),  # of syncfs each open file hears apart
    ("wddwd", [0, EIO, 0, 0, EIO]),
    ("mssms", [0, EIO, 0, 0, EIO]),
    ("wSf", [0, 0, EIO]),  # sync is not the one to be told
    ("wScfg", [0, 0, 0, EIO, EIO]),  # unless nobody has been told yet
    ("of", [EIO, 0]),  # a write with O_SYNC hears of it itself
    ("vf", [EIO, 0]),
])
def test_a_write_error_is_told_once_to_each_open_file(letters, expected, writable_disk):
    image = writable_disk(4096)
    bad = Image(image).sector_of("/data/large", PAGE + 1)  # the table is one of its blocks
    with machine(image, [bad]) as ferry:
        got = calls(ferry, letters)
        assert [errno for _, errno in got] == expected, f"expected {expected}, got {got}"
        others_are_sound(ferry)
        ferry.sh("echo hi >/w/new; sync")
        power_off(ferry)
    assert contents(image, "/w/new") == b"hi\n"
    assert e2fsck(image, "-n")[0] == 0


def test_a_sector_that_never_takes_a_write_harms_that_file_alone(writable_disk):
    image = writable_disk(1024)
    bad = Image(image).sector_of("/data/large", 100)
    with machine(image, [bad]) as ferry:
        command = "dd if=/dev/zero of=/data/large bs=1k count=200 conv=notrunc,fsync 2>&1"
        for _ in range(2):
            assert re.search("I(nput)?/[oO]", ferry.sh(command, status=1)), "expected an I/O error"
        ferry.sh("cp /data/other /w/copy; sync; cmp /w/copy /data/other")
        others_are_sound(ferry)
        power_off(ferry)
    assert contents(image, "/w/copy") == first_contents("other")


def sectors_of(image, what):
    """Where a change in /w must go, of 4 KiB blocks: all sectors of the block, or that of its inode."""
    if what == "inode table":
        said = debugfs(image, "imap /w")
        block, offset = re.search(r"block (\d+), offset 0x(\w+)", said).groups()
        return [int(block) * 8 + int(offset, 16) // 512]
    if what == "directory":
        block = debugfs(image, "blocks /w").split()[0]
    else:
        block = re.search(what + r" at (\d+)", debugfs(image, "show_super_stats")).group(1)
    return range(int(block) * 8, int(block) * 8 + 8)


@pytest.mark.parametrize("what", ["inode table", "directory", "block bitmap", "inode bitmap"])
def test_metadata_that_cannot_be_written_are_an_error_of_fsync(what, writable_disk):
    image = writable_disk(4096)
    sectors = sectors_of(image, what)
    with machine(image, sectors) as ferry:
        ferry.sh("mkdir /w/d; yes x | head -c 4096 >/w/file")
        got = calls(ferry, "wfgfg", "/w/file", 0)
        assert [errno for _, errno in got] == [0, EIO, EIO, 0, 0], f"expected EIO once each, got {got}"
        others_are_sound(ferry)
        ferry.sh("touch /w; sync")
        power_off(ferry)
    assert "not clean" in debugfs(image, "show_super_stats -h"), "expected no word that all is well"
    status, text = e2fsck(image, "-y")
    assert status in (0, 1), text
    assert first_contents("other") == contents(image, "/data/other")


@pytest.mark.parametrize("mode", ["pio-polled", "pio-irq", "dma"])
def test_a_write_protected_disk_can_be_read(mode, writable_disk):
    """It takes no writes: the first is the mark in the superblock, and it is mounted read-only."""
    image = writable_disk(4096)
    option = failing(image, [])
    option[1] += ",file.inject-error.0.event=none,file.inject-error.0.iotype=write,file.inject-error.0.errno=30"
    before = image.read_bytes()
    with Ferry(f"ferry.disk={mode}", shell=True, disk=None, net=False, extra=option, limit=60) as ferry:
        assert f"MiB, {mode}" in ferry.text
        assert "mounted read-only" in ferry.text
        assert "Read-only" in ferry.sh("echo hi 2>&1 >/w/x", status=1)
        others_are_sound(ferry)
        ferry.sh("sync")
        power_off(ferry)
    assert image.read_bytes() == before
