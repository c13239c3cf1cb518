"""Disks that are missing, empty, cut off, full of nonsense, or failing: a clear error, and no panic.

A machine without a usable disk refuses to start, with one line that says why. With a usable disk, what is
damaged gives an error to whoever asks for it, and all the rest goes on.
"""

import os
import random
import re
import shutil
import struct
import subprocess

import pytest

from ferry import BUILD, DATA, DISK, Ferry, digest, sums
from images import SIZES, Image, contents, failing

MIB = 1 << 20
REFUSED = 3  # QEMU's status when the guest ends with its failing status


@pytest.fixture
def image(small_disk, tmp_path):
    """A copy of the small image for the test to damage."""
    path = tmp_path / "disk.img"
    shutil.copy(small_disk(), path)
    return Image(path)


def boot(disk, append="", limit=30, **options):
    """Boots the image and looks around on it. (status, text); a panic or a hang fails."""
    with Ferry(append, run=["/bin/sh", "/etc/look"], disk=disk, net=False, limit=limit, **options) as ferry:
        return ferry.finish()


def refused(disk, why, **options):
    status, text = boot(disk, **options)
    said = [line for line in text.splitlines() if "cannot start" in line]
    assert status == REFUSED and len(said) == 1, f"expected one line that refuses, got status {status}\n{text}"
    assert re.search(why, text), f"expected a reason like {why!r}, got\n{text}"


def shell(disk, **options):
    return Ferry(shell=True, disk=disk, net=False, **options)


# --- No file system -----------------------------------------------------------------------------------


def test_without_a_disk_it_refuses_to_start():
    refused(None, r"no disk /dev/hda")


def test_an_empty_disk_is_refused(tmp_path):
    empty = tmp_path / "empty.img"
    empty.write_bytes(bytes(MIB))
    refused(empty, r"no ext2 file system \(magic 0x0000\)")


def test_a_disk_of_one_sector_is_refused(tmp_path):
    tiny = tmp_path / "tiny.img"
    tiny.write_bytes(bytes(512))
    refused(tiny, r"hda: .*superblock|hda: not mounted")


def test_a_disk_of_random_bytes_is_refused(tmp_path):
    noise = tmp_path / "noise.img"
    noise.write_bytes(random.Random(1).randbytes(MIB))
    refused(noise, r"no ext2 file system")


def test_a_truncated_image_is_refused(image):
    image.truncate(image.path.stat().st_size // 2)
    refused(image.path, r"the device only \d+: a truncated image\?")


def test_a_root_that_is_not_there_is_refused(small_disk):
    refused(small_disk(), r"no disk /dev/hdb", append="root=/dev/hdb")


@pytest.mark.parametrize("offset, fmt, value, why", [
    (56, "H", 0x4321, r"magic 0x4321"),
    (24, "I", 31, r"block size 1024 << 31"),
    (24, "I", 3, r"block size 1024 << 3"),
    (20, "I", 0xFFFFFFFF, r"first data block"),
    (32, "I", 0, r"0 blocks and \d+ inodes a group"),
    (32, "I", 0xFFFFFFFF, r"blocks and \d+ inodes a group"),
    (40, "I", 0, r"blocks and 0 inodes a group"),
    (40, "I", 0xFFFFFFFF, r"blocks and \d+ inodes a group"),
    (4, "I", 0, r"0 blocks"),
    (4, "I", 0xFFFFFFFF, r"truncated image"),
    (0, "I", 0, r"0 inodes"),
    (0, "I", 0xFFFFFFFF, r"4294967295 inodes"),
    (88, "H", 0, r"inode size 0"),
    (88, "H", 200, r"inode size 200"),
    (88, "H", 32768, r"inode size 32768"),
    (76, "I", 7, r"unknown revision 7"),
])
def test_a_nonsensical_superblock_is_refused(image, offset, fmt, value, why):
    image.super_field(offset, fmt, value)
    refused(image.path, why)


@pytest.mark.parametrize("bit, name", [(0x1, "compression"), (0x4, "needs_recovery"), (0x8, "journal_dev"),
                                       (0x10, "meta_bg"), (0x40, "extent"), (0x80, "64bit"), (0x200, "flex_bg"),
                                       (0x8000, "inline_data"), (0x80000000, "0x80000000")])
def test_an_unsupported_feature_is_refused_by_its_name(image, bit, name):
    image.super_field(96, "I", 0x2 | bit)
    refused(image.path, rf"features that we do not have: {name}$".replace("$", r"\b"))


@pytest.mark.parametrize("table", [0, 1, 0xFFFFFFFF, 0x7FFFFFFF])
def test_an_inode_table_that_is_nowhere_is_refused(image, table):
    image.group_field(8, table)
    refused(image.path, r"root")


def test_a_root_that_is_no_directory_is_refused(image):
    image.debugfs("sif <2> mode 0100644")
    refused(image.path, r"the root is no directory")


# --- Damage inside a file system ----------------------------------------------------------------------


def sound(ferry, *names):
    """The other files of the image are what they were."""
    for name in names:
        got = ferry.sh(f"sha256 /data/{name}").split()[0]
        assert got == digest(contents(name)), f"{name}: expected {digest(contents(name))}, got {got}"


def test_the_small_image_is_sound(small_disk):
    with shell(small_disk()) as ferry:
        sound(ferry, *SIZES)
        text = ferry.sh("sh /etc/look")
        assert "looked around" in text and "error" not in text, f"expected no error, got\n{text}"


@pytest.mark.parametrize("pointer", [0xFFFFFFFF, 0x80000000, 8192, 1])
@pytest.mark.parametrize("field", ["block[0]", "block[11]", "block[IND]", "block[DIND]"])
def test_a_block_pointer_to_nowhere_fails_that_file_alone(image, field, pointer):
    image.debugfs(f"sif /data/large {field} {pointer}")
    with shell(image.path) as ferry:
        output = ferry.sh("cat /data/large >/dev/null", status=None)
        inside = pointer < image.blocks and pointer >= image.first_data_block
        if not inside:
            assert "Input/output error" in output, f"{field} = {pointer}: expected an I/O error, got {output!r}"
        sound(ferry, "small", "other")


@pytest.mark.parametrize("level", ["IND", "DIND"])
def test_indirect_blocks_full_of_nonsense_fail_that_file_alone(image, level):
    stat = image.debugfs("stat /data/large")
    block = int(re.search(rf"\({level}\):(\d+)", stat).group(1))
    image.write(block * image.block_size, random.Random(level).randbytes(image.block_size))
    with shell(image.path) as ferry:
        output = ferry.sh("cat /data/large >/dev/null", status=1)
        assert "Input/output error" in output, f"expected an I/O error, got {output!r}"
        sound(ferry, "small", "other")


def test_an_indirect_block_that_points_at_itself_is_no_endless_loop(image):
    stat = image.debugfs("stat /data/large")
    block = int(re.search(r"\(DIND\):(\d+)", stat).group(1))
    image.write(block * image.block_size, struct.pack("<I", block) * (image.block_size // 4))
    with shell(image.path) as ferry:
        ferry.sh("cat /data/large >/dev/null", status=None)
        sound(ferry, "small", "other")


def test_a_directory_that_contains_itself_is_walked_without_harm(image):
    inode = re.search(r"Inode: (\d+)", image.debugfs("stat /data/deep")).group(1)
    image.debugfs(f"link <{inode}> /data/deep/self")
    with shell(image.path) as ferry:
        path = "/data/deep" + "/self" * 20
        assert "er" in ferry.sh(f"ls {path}").split()
        assert ferry.sh(f"cat {path}/er/file") == "deep\n"
        ferry.sh(f"cd {path}; pwd; cd /", status=None)
        ferry.sh("cat /data/deep" + "/self" * 150 + "/er/file")
        # Until the name gets too long: an error, and an end.
        output = ferry.sh("find /data/deep -name nothing", status=None, seconds=60)
        assert ferry.alive, f"expected find to come to an end, got\n{output}"
        sound(ferry, *SIZES)


def test_a_directory_whose_dot_dot_is_wrong_is_no_trap(image):
    block = image.blocks_of("/data/deep/er")[0]
    for wrong in (0, 1, 0xFFFFFFFF, 5000):  # ".." is the second entry, 12 bytes in
        image.write(block * image.block_size + 12, struct.pack("<I", wrong))
        status, text = boot(image.path)
        assert (status, "looked around" in text) == (0, True), f".. = {wrong}: expected no harm, got\n{text}"
        with shell(image.path) as ferry:
            ferry.sh("cd /data/deep/er; pwd; ls ..; cd /", status=None)
            sound(ferry, *SIZES)


@pytest.mark.parametrize("rec_len, name_len", [(0, 1), (3, 1), (7, 1), (0xFFFF, 1), (12, 255), (1024, 0),
                                               (1028, 4), (10, 2)])
def test_a_directory_entry_of_impossible_length_is_an_error(image, rec_len, name_len):
    block = image.blocks_of("/data/folder")[0]
    image.write(block * image.block_size + 24 + 4, struct.pack("<HB", rec_len, name_len))  # behind . and ..
    with shell(image.path) as ferry:
        ferry.sh("ls /data/folder >/dev/null", status=None)
        ferry.sh("cat /data/folder/nothing", status=1)
        ferry.sh("ls -l /data/folder >/dev/null", status=None)
        sound(ferry, *SIZES)


def test_an_entry_that_names_an_impossible_inode_is_an_error(image):
    block = image.blocks_of("/data/folder")[0]
    for inode in (1, 0x7FFFFFFF, 0xFFFFFFFF, 8193, 11):
        image.write(block * image.block_size + 24, struct.pack("<I", inode))
        with shell(image.path) as ferry:
            ferry.sh("ls -l /data/folder >/dev/null", status=None)
            sound(ferry, *SIZES)


@pytest.mark.parametrize("command", [
    "sif /data/large mode 0170000", "sif /data/large mode 0", "sif /data/large size 0xffffffff",
    "sif /data/large size 0x7fffffffffffffff", "sif /data/large links_count 0", "sif /data/large flags 0xffffffff",
    "sif /data/deep size 0", "sif /data/deep size 0xffffffff", "sif /data/deep size 1025",
    "sif /data/link size 0xffffffff", "sif /data/link size 0", "sif /data/long-link block[0] 0xffffffff",
    "sif /data/long-link size 0x7fffffff", "sif /data/deep block[0] 0xffffffff", "sif /data/deep mode 0100644",
    "sif /data/large mode 040755",
])
def test_a_nonsensical_inode_harms_nothing_else(image, command):
    image.debugfs(command)
    with shell(image.path) as ferry:
        ferry.sh("ls -l /data", status=None)
        ferry.sh("ls /data/large /data/deep/er", status=None)
        ferry.sh("cat /data/deep/er/file /data/link /data/long-link", status=None)
        ferry.sh("dd if=/data/large of=/dev/null bs=65536 count=16", status=None)
        sound(ferry, "small", "other")


def test_a_symbolic_link_to_itself_is_an_error(image):
    image.debugfs("symlink /data/loop loop", "symlink /data/here .")
    with shell(image.path) as ferry:
        output = ferry.sh("cat /data/loop", status=1)
        assert "Too many levels of symbolic links" in output, f"expected ELOOP, got {output!r}"
        assert ferry.sh("cat /data" + "/here" * 10 + "/deep/er/file") == "deep\n"
        sound(ferry, *SIZES)


def test_forty_randomly_damaged_images_harm_nothing(small_disk, tmp_path):
    """Random bytes over the metadata: superblock, group descriptors, inodes, directories, data."""
    path = tmp_path / "disk.img"
    sound_image = small_disk().read_bytes()
    for seed in range(40):
        generator = random.Random(seed)
        damaged = bytearray(sound_image)
        area = (1024, 2 * 1024 + 64) if seed % 4 == 0 else (2 * 1024, 2 * MIB)
        for _ in range(generator.choice([1, 8, 64, 2000])):
            at = generator.randrange(*area)
            damaged[at] = generator.randrange(256)
        path.write_bytes(damaged)
        status, text = boot(path)
        assert status in (0, REFUSED), f"seed {seed}: expected an end of its own, got {status}\n{text}"


# --- A disk that fails --------------------------------------------------------------------------------


@pytest.fixture
def image4k(small_disk, tmp_path):
    """With blocks of a page each: metadata are read in pages, and a bad sector costs the whole page."""
    path = tmp_path / "disk.img"
    shutil.copy(small_disk(4096), path)
    return Image(path)


def test_a_bad_sector_fails_its_file_and_nothing_else(image4k):
    bad = image4k.sector_of("/data/large", 60)
    with shell(None, extra=failing(image4k.path, [bad])) as ferry:
        for _ in range(2):  # the error is not remembered as contents
            output = ferry.sh("cat /data/large >/dev/null", status=1)
            assert "Input/output error" in output, f"expected an I/O error, got {output!r}"
            sound(ferry, "small", "other")
        errors = ferry.proc("ferry/disk")
        assert any("error" in key and value for key, value in errors.items()), (
            f"expected /proc/ferry/disk to count errors, got {errors}")


def test_a_bad_sector_spares_the_pages_before_it(image4k):
    """Read-ahead runs into the bad sector; the pages that were asked for are there all the same."""
    bad = image4k.sector_of("/data/large", 60)
    before = (60 - 2) * 4096  # 2: an indirect block is in the list, too
    with shell(None, extra=failing(image4k.path, [bad])) as ferry:
        output = ferry.sh(f"dd if=/data/large of=/dev/null bs=4096 count={before // 4096}")
        assert "Input/output error" not in output, f"expected the first {before} bytes, got {output!r}"


def test_a_bad_sector_that_recovers_is_read(image4k):
    bad = image4k.sector_of("/data/large", 60)
    with shell(None, extra=failing(image4k.path, [bad], once=True)) as ferry:
        ferry.sh("cat /data/large >/dev/null", status=None)
        sound(ferry, *SIZES)


def test_a_bad_sector_in_a_directory_fails_that_directory_alone(image4k):
    with shell(None, extra=failing(image4k.path, [image4k.sector_of("/data/deep")])) as ferry:
        ferry.sh("directories /data/deep", status=1)  # BusyBox's ls ignores an error
        output = ferry.sh("cat /data/deep/er/file", status=1)
        assert "Input/output error" in output, f"expected an I/O error, got {output!r}"
        sound(ferry, *SIZES)


def test_an_unreadable_superblock_is_refused(image4k):
    refused(None, r"cannot read the superblock", extra=failing(image4k.path, [2]))


def test_an_unreadable_program_is_an_error_for_its_caller(image4k):
    blocks = image4k.blocks_of("/bin/sha256")
    bad = [image4k.sector_of("/bin/sha256", n) for n in range(0, len(blocks), 2)]
    with shell(None, extra=failing(image4k.path, bad)) as ferry:
        ferry.sh("/bin/sha256 /data/small", status=None)
        assert ferry.sh("cat /data/deep/er/file") == "deep\n"


def test_every_page_is_free_again_after_errors(image4k):
    """What a failed read had allocated or held is given back."""
    bad = image4k.sector_of("/data/large", 60)
    with shell(None, extra=failing(image4k.path, [bad])) as ferry:
        def held():
            ferry.sh("echo 3 > /proc/sys/vm/drop_caches")
            return ferry.proc("ferry/pages")

        ferry.sh("cat /data/large >/dev/null", status=1)
        held()
        before = held()
        for _ in range(5):
            ferry.sh("cat /data/large >/dev/null", status=1)
        after = held()
        assert before == after, f"expected {before}, got {after}"


# --- Sound file systems of every kind -----------------------------------------------------------------


@pytest.mark.parametrize("block_size", [1024, 2048, 4096])
def test_every_file_is_read_whatever_the_block_size(block_size, make_disk):
    """Also the sparse one, the one in scattered pieces, and a folder of 3000 entries."""
    disk = DISK if block_size == 4096 else make_disk("--block-size", block_size, "--data", DATA, BUILD / "root")
    with shell(disk, limit=120) as ferry:
        lines = ferry.sh("cd /data; sha256sum zero one 4095 4096 4097 1m 16m 64m fragmented sparse fast slow; cd /",
                         seconds=90).splitlines()
        got = dict(reversed(line.split()) for line in lines)
        expected = dict(sums(), fast=sums()["4096"], slow=sums()["4096"])
        assert got == expected, f"expected {expected}, got {got}"
        names = ferry.sh("ls /data/many").split()
        assert sorted(names) == sorted(os.listdir(DATA / "many")), f"expected 3000 names, got {len(names)}"


def test_the_disk_image_is_sound_in_the_eyes_of_e2fsck():
    env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    done = subprocess.run(["e2fsck", "-fn", str(DISK)], env=env, text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"expected a sound image, got\n{done.stdout}"


def test_a_partition_can_be_the_root(small_disk, tmp_path):
    """root=/dev/hda1, with a partition table as MBR (one entry, from sector 2048 on)."""
    data = small_disk().read_bytes()
    mbr = bytearray(2048 * 512)
    mbr[446:462] = struct.pack("<B3sB3sII", 0x80, b"\0\0\0", 0x83, b"\0\0\0", 2048, len(data) // 512)
    mbr[510:512] = b"\x55\xaa"
    disk = tmp_path / "partitioned.img"
    disk.write_bytes(mbr + data)
    with shell(disk, append="root=/dev/hda1") as ferry:
        sound(ferry, *SIZES)


def test_a_second_disk_can_be_the_root(small_disk, tmp_path):
    empty = tmp_path / "empty.img"
    empty.write_bytes(bytes(MIB))
    with Ferry("root=/dev/hdb", shell=True, disks=[empty, small_disk()], net=False) as ferry:
        sound(ferry, *SIZES)
