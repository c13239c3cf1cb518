"""Block devices as files: a disk is partitioned, formatted and written by ordinary programs, and the host looks at it.

Who uses a disk (a file system, swap) is alone with it; all others may read.
"""

import hashlib

import pytest

from disks import expect_clean, debugfs, power_off
from ferry import DATA, DISK, Ferry, sums
from images import failing

MIB = 1 << 20


def empty(path, size):
    with open(path, "wb") as image:
        image.truncate(size)
    return path


@pytest.fixture
def second(tmp_path):
    """A machine with an empty second disk that keeps what is written; its image's path is .image."""
    def start(size=64 * MIB, **options):
        image = empty(tmp_path / "second.img", size)
        extra = ["-drive", f"file={image},format=raw,if=ide,index=1", *options.pop("extra", [])]
        ferry = Ferry(shell=True, disks=[DISK], extra=extra, net=False, **options)
        ferry.image = image
        return ferry

    return start


def read(name):
    return (DATA / name).read_bytes()


def fails(ferry, command, why):
    """The command fails, for this reason."""
    output = ferry.sh(f"{command}; echo status $?", status=None)
    assert why in output and "status 0" not in output, f"expected '{command}' to say '{why}', got {output}"


FDISK = r"printf 'o\nn\np\n1\n\n+32M\nn\np\n2\n\n\nw\n' | fdisk /dev/hdb > /dev/null"


def test_a_disk_is_partitioned_formatted_and_filled_by_the_guest(second):
    """fdisk, mke2fs, mkswap, mount and cp as they come; then e2fsck and debugfs on the host."""
    with second() as ferry:
        ferry.sh(FDISK)
        assert ferry.sh("ls /dev/hdb*").split() == ["/dev/hdb", "/dev/hdb1", "/dev/hdb2"]
        ferry.sh("mke2fs /dev/hdb1 > /dev/null; mkswap /dev/hdb2 > /dev/null")
        ferry.sh("mount /dev/hdb1 /mnt; swapon /dev/hdb2; cp /data/1m /data/4097 /mnt; mkdir /mnt/d")
        assert ferry.sh("cat /proc/swaps").splitlines()[1].split()[:2] == ["/dev/hdb2", "partition"]
        fails(ferry, "dd if=/dev/zero of=/dev/hdb2 count=1", "Device or resource busy")
        fails(ferry, "dd if=/dev/zero of=/dev/hdb count=1", "Device or resource busy")
        fails(ferry, "mkswap /dev/hdb1", "Device or resource busy")
        fails(ferry, "mount /dev/hdb1 /tmp", "Device or resource busy")
        fails(ferry, "mount /dev/hdb /tmp", "Device or resource busy")
        fails(ferry, "swapon /dev/hdb", "Device or resource busy")
        ferry.sh("umount /mnt; swapoff /dev/hdb2")
        power_off(ferry)
    table = ferry.image.read_bytes()[446:512]
    first, count = (int.from_bytes(table[at:at + 4], "little") for at in (8, 12))
    assert table[-2:] == b"\x55\xaa" and count == 32 * MIB // 512
    part = ferry.image.with_name("part.img")
    part.write_bytes(ferry.image.read_bytes()[first * 512:(first + count) * 512])
    expect_clean(part)
    for name in ("1m", "4097"):
        copy = part.with_name(name)
        debugfs(part, f"dump /{name} {copy}")
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == sums()[name]
    assert "d" in debugfs(part, "ls -p /").split("/")


def test_the_partition_table_is_read_again_only_when_no_partition_is_in_use(second):
    with second() as ferry:
        ferry.sh(FDISK)
        ferry.sh("mke2fs /dev/hdb1 > /dev/null; mount /dev/hdb1 /mnt")
        fails(ferry, "blockdev --rereadpt /dev/hdb", "Device or resource busy")
        ferry.sh("umount /mnt; dd if=/dev/zero of=/dev/hdb count=1 2> /dev/null; blockdev --rereadpt /dev/hdb")
        assert ferry.sh("ls /dev/hdb*").split() == ["/dev/hdb"]
        assert "hdb1" not in ferry.sh("cat /proc/partitions")


@pytest.mark.parametrize("bs, seek, flag", [(3584, 7, ""), (3584, 7, "conv=fsync"), (64 << 10, 2, "oflag=direct")])
def test_what_is_written_to_a_disk_is_on_it(bs, seek, flag, second):
    """By each way; the neighbours stay, and what was cached before is not what is read afterwards."""
    size = 8 * MIB + 3 * 512  # no whole number of pages
    with second(size) as ferry:
        ferry.sh("cat /dev/hdb > /dev/null")
        ferry.sh(f"dd if=/data/1m of=/dev/hdb bs={bs} seek={seek} {flag} 2> /dev/null")
        end = size - 1024
        ferry.sh(f"dd if=/data/1m of=/dev/hdb bs=512 count=2 seek={end // 512} {flag} 2> /dev/null")
        fails(ferry, f"dd if=/data/1m of=/dev/hdb bs=512 seek={end // 512} {flag}", "No space left on device")
        seen = ferry.sh("sha256sum /dev/hdb").split()[0]
        ferry.qemu.kill()  # and no farewell
    data = ferry.image.read_bytes()
    want = bytearray(size)
    want[seek * bs:seek * bs + MIB] = read("1m")
    want[end:] = read("1m")[:1024]
    assert data == bytes(want) and hashlib.sha256(data).hexdigest() == seen


def test_bytes_that_are_no_whole_sectors_keep_their_neighbours(second):
    with second(MIB) as ferry:
        ferry.sh("tr '\\0' x < /dev/hdb | dd of=/dev/hdb 2> /dev/null")
        ferry.sh("printf hello | dd of=/dev/hdb bs=1 seek=5000 conv=notrunc 2> /dev/null")
        power_off(ferry)
    assert ferry.image.read_bytes() == b"x" * 5000 + b"hello" + b"x" * (MIB - 5005)


def test_a_file_system_and_the_disk_below_it_show_the_same(second):
    """A file system made, filled, unmounted, patched through the disk, mounted again."""
    with second(8 * MIB) as ferry:
        ferry.sh("mke2fs -b 1024 /dev/hdb > /dev/null; mount /dev/hdb /mnt; echo before > /mnt/file; umount /mnt")
        at = ferry.image.read_bytes().index(b"before\n")
        ferry.sh(f"printf after! | dd of=/dev/hdb bs=1 seek={at} 2> /dev/null; mount /dev/hdb /mnt")
        assert ferry.sh("cat /mnt/file") == "after!\n"
        ferry.sh("umount /mnt")
        power_off(ferry)
    expect_clean(ferry.image)


def test_unmounting_waits_for_those_who_bring_it_to_the_disk(second):
    """sync(2) of others, and flushd, which has always work here, are no users of the file system."""
    with second(8 * MIB) as ferry:
        ferry.sh("mke2fs /dev/hdb > /dev/null; cd /proc/sys/vm; echo 1 > dirty_expire_centisecs; cd /")
        ferry.sh("echo 1 > /proc/sys/vm/dirty_writeback_centisecs")
        ferry.sh("while :; do sync; done > /dev/null 2>&1 &")
        assert ferry.sh("for i in $(seq 30); do mount /dev/hdb /mnt; mkdir -p /mnt/d$i; head -c $((i * 9999)) /data/1m "
                        "> /mnt/file; umount /mnt || echo busy $i; done; kill %1", seconds=60) == ""
        power_off(ferry)
    expect_clean(ferry.image)


def test_a_disk_set_read_only_takes_no_writes_nor_do_its_partitions(second):
    with second() as ferry:
        ferry.sh(FDISK)
        ferry.sh("blockdev --setro /dev/hdb")
        fails(ferry, "dd if=/data/4097 of=/dev/hdb", "Operation not permitted")
        fails(ferry, "dd if=/data/4097 of=/dev/hdb1", "Operation not permitted")
        ferry.sh("blockdev --setrw /dev/hdb; dd if=/data/4097 of=/dev/hdb 2> /dev/null")
        power_off(ferry)
    assert ferry.image.read_bytes()[:4097] == read("4097")


def test_a_sector_that_cannot_be_written_is_told_to_fsync_and_costs_one_page(tmp_path):
    image = empty(tmp_path / "bad.img", MIB)
    with Ferry(shell=True, disks=[DISK], extra=failing(image, [100], "write", index=1), net=False) as ferry:
        fails(ferry, "dd if=/data/1m of=/dev/hdb conv=fsync", "Input/output error")
        assert "write of 8 sectors at 96 failed" in ferry.text
        power_off(ferry)
    there, want = image.read_bytes(), read("1m")
    assert there[:96 * 512] == want[:96 * 512] and there[104 * 512:] == want[104 * 512:]
    assert there[96 * 512:104 * 512] == bytes(4096)


def test_past_the_cache_a_bad_sector_is_told_at_once(tmp_path):
    image = empty(tmp_path / "bad.img", MIB)
    with Ferry(shell=True, disks=[DISK], extra=failing(image, [100], "write", index=1), net=False) as ferry:
        fails(ferry, "dd if=/data/1m of=/dev/hdb bs=64k oflag=direct", "Input/output error")


def test_a_mount_finds_what_was_written_to_the_whole_disk_since_the_last_one(second):
    with second() as ferry:
        ferry.sh(FDISK)
        ferry.sh("mke2fs /dev/hdb1 4096 > /dev/null; mount /dev/hdb1 /mnt; touch /mnt/one; umount /mnt")
        ferry.sh("dd if=/dev/hdb of=/tmp/before bs=1M count=8 2>/dev/null")
        ferry.sh("mount /dev/hdb1 /mnt; rm /mnt/one; touch /mnt/two; umount /mnt")
        ferry.sh("dd if=/tmp/before of=/dev/hdb 2>/dev/null")
        ferry.sh("mount /dev/hdb1 /mnt")
        assert sorted(ferry.sh("ls /mnt").split()) == ["lost+found", "one"]
        ferry.sh("umount /mnt; dd if=/dev/zero of=/dev/hdb bs=1M count=8 2>/dev/null")
        fails(ferry, "mount -t ext2 /dev/hdb1 /mnt", "Invalid argument")
        ferry.sh("dd if=/tmp/before of=/dev/hdb 2>/dev/null; mount -t ext2 /dev/hdb1 /mnt")
        assert sorted(ferry.sh("ls /mnt").split()) == ["lost+found", "one"]
