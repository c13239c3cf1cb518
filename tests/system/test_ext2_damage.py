"""Damaged images: whatever one says, the kernel neither panics nor hangs, and goes on working. Damage done on
purpose, where much is at stake, and random damage (damage.py)."""

import re
import shutil
import struct

import pytest

from damage import PER_DISK, Damager
from disks import debugfs
from ferry import Ferry
from images import Image

DRIVES = "bd"  # hdc is the CD's
AT_ONCE = PER_DISK * len(DRIVES)
IMAGES = 120


def number_of(image, name):
    return int(re.search(r"Inode: (\d+)", debugfs(image, f"stat {name}")).group(1))


@pytest.fixture
def two_disks(writable_disk, tmp_path):
    """A sound disk, and one to damage and to mount on /tmp/m: (path, path, Image)."""
    sound = writable_disk(1024)
    other = tmp_path / "damaged.img"
    shutil.copy(sound, other)
    return sound, other, Image(other)


def machine(sound, other):
    return Ferry(shell=True, disks=[sound, other], writable=True, net=False, limit=60)


MOUNT = "mkdir -p /tmp/m; mount -t ext2 /dev/hdb /tmp/m"


def test_a_root_that_is_no_directory_is_refused_and_forgotten(two_disks):
    sound, other, image = two_disks
    image.debugfs("sif <2> mode 0100644")
    with machine(sound, other) as ferry:
        for _ in range(3):
            ferry.sh(f"{MOUNT} 2>/dev/null", status=255)
            ferry.sh("echo 3 >/proc/sys/vm/drop_caches; find /data >/dev/null; sync")
        assert "the root is no directory" in ferry.text


def parent_is(image, name, number):
    """Turns a directory's ".." to this inode."""
    image.write(image.blocks_of(name)[0] * image.block_size + 12, struct.pack("<I", number))


@pytest.mark.parametrize("parent", ["/data/deep/er", "/data/deep", "/data/small", "/data/link"])
def test_a_way_up_that_never_ends_or_ends_in_a_file_is_an_error(parent, two_disks):
    """rename asks whether a directory would get into itself, and goes up for that."""
    sound, other, image = two_disks
    parent_is(image, "/data/deep/er" if parent != "/data/deep/er" else "/data/deep", number_of(other, parent))
    with machine(sound, other) as ferry:
        ferry.sh(f"{MOUNT}; cd /tmp/m/data")
        said = ferry.sh("mv folder deep/er/ 2>&1", status=None)
        assert ("error" in said) == (parent != "/data/deep"), f"expected EIO, got {said}"
        ferry.sh("ls deep/er/.. 2>&1; cd deep/er; ls ../../.. 2>&1; cd /; umount /tmp/m", status=None)


def test_an_inode_that_a_bitmap_calls_free_is_not_given_away_twice(two_disks):
    sound, other, image = two_disks
    used = ["/data/small", "/data/large", "/data/long-link", "/data/deep", "/data/folder"]
    image.debugfs(*(f"freei {name}" for name in used))
    with machine(sound, other) as ferry:
        ferry.sh(f"{MOUNT}; cd /tmp/m/data; exec 5<large")
        said = [ferry.sh(f"{command} 2>&1", status=None)
                for command in (f"ln -s {'l' * 500} 1", "mkfifo 2", f"ln -s {'l' * 500} 3", "mkfifo 4", "echo x >5")]
        assert len([text for text in said if "error" in text.lower()]) == len(used), said
        for command in (f"ln -s {'l' * 500} a", "mkdir b", "echo x >c"):
            ferry.sh(command)
        ferry.sh("cat small >/dev/null; cmp large /data/large && ls folder >/dev/null; exec 5<&-; cd /; umount /tmp/m")


def test_a_name_too_many_does_not_free_a_file_twice(two_disks):
    sound, other, image = two_disks
    image.debugfs("ln /data/small /data/second", "ln /data/folder /data/again", "sif /data links_count 2")
    with machine(sound, other) as ferry:
        ferry.sh(f"{MOUNT}; cd /tmp/m/data; exec 5<small; rm -f small; cat second 2>/dev/null", status=1)
        for command in ("rm -f second", "mv second third", "ln second fourth"):
            assert "error" in ferry.sh(f"{command} 2>&1", status=1), command
        ferry.sh("head -c 10 <&5 >/dev/null; exec 5<&-; rm folder/*; rmdir folder")
        ferry.sh("rmdir again 2>&1; rmdir deep/er; rmdir deep; rm -r /tmp/m/data; cd /; umount /tmp/m", status=None)
        ferry.sh("cat /data/small >/dev/null")


@pytest.fixture(scope="module")
def damager(tmp_path_factory):
    return Damager(tmp_path_factory.mktemp("damage"))


@pytest.mark.parametrize("first", range(0, IMAGES, AT_ONCE))
def test_no_damage_brings_the_machine_down(first, damager, writable_disk):
    which = [([1024, 2048, 4096][seed % 3], seed) for seed in range(first, first + AT_ONCE)]
    disks = [damager.disk(which[:PER_DISK]), damager.disk(which[PER_DISK:])]
    names = [f"/dev/hd{drive}{i + 1}" for drive in DRIVES for i in range(PER_DISK)]
    with Ferry(shell=True, disks=[writable_disk(1024), *disks], net=False, limit=60) as ferry:
        for name, (block_size, seed) in zip(names, which):
            said = ferry.sh(f"fsrough {name}", seconds=30, status=None)
            assert f"{name}: done" in said, f"image of {block_size}, seed {seed}: expected an end, got {said}"
        ferry.sh("echo sound >/w/file; cat /w/file")
