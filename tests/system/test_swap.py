"""Areas of swap: on disks, partitions and files, what swapon(2) takes and refuses, and disks that fail.

tests/guest/swapping.c sends its pages out itself, so that none of these needs a machine short of memory.
"""

import re
import shutil
import struct

import pytest

from disks import expect_clean, power_off
from ferry import DISK, Ferry
from images import failing
from test_memory import counters, swap_disk, swaps

SECTOR = 512


def disk_with_partitions(path, *sectors):
    """An empty disk with an MBR: so many sectors each, one behind the other."""
    table, at = b"", 64
    for length in sectors:
        table += struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x82, 0, 0, 0, at, length)
        at += length
    with open(path, "wb") as image:
        image.truncate(at * SECTOR)
        image.seek(446)
        image.write(table.ljust(64, b"\0") + b"\x55\xaa")
    return path


def swapping(ferry, *arguments, seconds=30):
    output = ferry.sh(f"/tests/swapping {' '.join(map(str, arguments))}", seconds=seconds)
    assert re.search(r"^\d+ passed, 0 failed$", output, re.MULTILINE), output
    return output


def away(ferry, what, pages):
    """Pages of a program in the background are in swap then, and nowhere else."""
    ferry.sh(f"rm -f /tmp/out; touch /tmp/out; /tests/swapping {what} {pages} > /tmp/out & "
             "while ! grep -q held /tmp/out; do :; done; sync; echo 1 > /proc/sys/vm/drop_caches")


def again(ferry):
    """It looks at them again, and ends: what it says."""
    ferry.sh("kill -USR1 $!; wait $!", seconds=30)
    return ferry.sh("cat /tmp/out")


@pytest.fixture
def machine(tmp_path):
    """A function: a machine with a copy of the disk, and a second disk, both writable."""
    def start(second, **options):
        disk = shutil.copy(DISK, tmp_path / "root.img")
        return Ferry(shell=True, disks=[disk, second], writable=True, net=False, **options)

    return start


def test_partitions_disks_and_files_that_the_guest_has_prepared(machine, tmp_path):
    second = disk_with_partitions(tmp_path / "second.img", 4096, 8192)
    with machine(second) as ferry:
        ferry.sh("mkswap /dev/hdb1; mkswap -L here /dev/hdb2")
        ferry.sh("swapon /dev/hdb1")
        assert swaps(ferry) == {"/dev/hdb1": ("partition", 2044, 0, -2)}
        ferry.sh("swapon /dev/hdb2")
        assert swaps(ferry)["/dev/hdb2"] == ("partition", 4092, 0, -3)
        ferry.sh("swapoff /dev/hdb1; swapoff /dev/hdb2")
        assert swaps(ferry) == {}
        swapping(ferry, "/dev/hdb1")
        swapping(ferry, "/dev/hdb2")
        ferry.sh("dd if=/dev/zero of=/swapfile bs=64k count=16 2> /dev/null; mkswap /swapfile")
        swapping(ferry, "/swapfile")
        swapping(ferry, "mapped", "/swapfile")
        ferry.sh("rm /swapfile")
        power_off(ferry)
    expect_clean(tmp_path / "root.img")
    data = second.read_bytes()
    for first, length in ((64, 4096), (64 + 4096, 8192)):
        header = data[first * SECTOR:][:4096]
        assert header[4086:] == b"SWAPSPACE2"
        assert struct.unpack_from("<II", header, 1024) == (1, length // 8 - 1)
    assert data[:446] == bytes(446), "expected nothing to be written outside of the partitions"
    swap_disk(second, 8)
    with machine(second) as ferry:
        swapping(ferry, "/dev/hdb")


def test_the_highest_priority_goes_first_and_equal_ones_take_turns(machine, tmp_path):
    second = disk_with_partitions(tmp_path / "second.img", 4096, 4096, 4096)
    with machine(second) as ferry:
        for i, priority in enumerate((7, 7, 1), 1):
            ferry.sh(f"mkswap /dev/hdb{i} > /dev/null; /tests/swapping -p {priority} /dev/hdb{i}")

        def hold(pages):
            away(ferry, "hold", pages)
            use = {name: (used // 4, priority) for name, (_, _, used, priority) in swaps(ferry).items()}
            assert "2 passed, 0 failed" in again(ferry)
            assert all(used == 0 for _, _, used, _ in swaps(ferry).values())
            return use

        assert hold(128) == {"/dev/hdb1": (64, 7), "/dev/hdb2": (64, 7), "/dev/hdb3": (0, 1)}
        room = 4096 // 8 - 1
        assert hold(2 * room + 100) == {"/dev/hdb1": (room, 7), "/dev/hdb2": (room, 7), "/dev/hdb3": (100, 1)}


def test_swapon_and_swapoff_refuse_what_linux_refuses(machine, tmp_path):
    second = disk_with_partitions(tmp_path / "second.img", 4096, 4096)
    with machine(second) as ferry:
        def refused(command, why):
            output = ferry.sh(command, status=None)
            assert why in output, f"expected {why} from {command}, got {output}"

        refused("swapon /dev/hdb1", "Invalid argument")  # no signature
        refused("swapoff /dev/hdb1", "Invalid argument")
        refused("swapon /dev/hda", "busy")  # mounted
        refused("swapon /nowhere", "No such file")
        refused("swapon /bin", "Invalid argument")
        refused("swapon /dev/null", "Invalid argument")
        refused("mkswap /dev/hda", "busy")
        refused("dd if=/dev/zero of=/dev/hdb1 bs=1k count=1 seek=2048 2>&1", "No space left")
        # A header that says more than there is, another version, bad pages
        ferry.sh("mkswap /dev/hdb1; mkswap /dev/hdb2")
        for offset, value, why in ((1028, r"\000\002", "Invalid argument"), (1024, r"\002", "Invalid argument"),
                                   (1032, r"\376\177", "Invalid argument"), (4086, "X", "Invalid argument")):
            ferry.sh("dd if=/dev/hdb1 of=/tmp/header bs=4k count=1 2> /dev/null")
            ferry.sh(f"printf '{value}' | dd of=/dev/hdb1 bs=1 seek={offset} conv=notrunc 2> /dev/null")
            refused("swapon /dev/hdb1", why)
            ferry.sh("dd if=/tmp/header of=/dev/hdb1 bs=4k count=1 2> /dev/null")
        ferry.sh(r"printf '\002' | dd of=/dev/hdb1 bs=1 seek=1032 2> /dev/null")
        ferry.sh(r"printf '\005\0\0\0\006' | dd of=/dev/hdb1 bs=1 seek=1536 2> /dev/null; swapon /dev/hdb1")
        assert swaps(ferry)["/dev/hdb1"][1] == 2044 - 8, "expected two bad pages to be left out"
        # While it is in use
        refused("swapon /dev/hdb1", "busy")
        refused("swapon /dev/hdb", "busy")
        refused("dd if=/dev/zero of=/dev/hdb1 bs=1k count=1 2>&1", "Device or resource busy")
        refused("dd if=/dev/zero of=/dev/hdb bs=1k count=1 2>&1", "Device or resource busy")
        refused("mount -t ext2 /dev/hdb1 /mnt", "busy")
        ferry.sh("swapon /dev/hdb2; swapoff /dev/hdb2; swapoff /dev/hdb1")
        # Files: what was refused leaves nothing behind
        ferry.sh("dd if=/dev/zero of=/swapfile bs=64k count=16 2> /dev/null; mkswap /swapfile; swapon /swapfile")
        refused("swapon /swapfile", "busy")
        refused("echo x 2>&1 >> /swapfile", "Text file busy")
        refused("rm /swapfile", "not permitted")
        refused("mv /swapfile /other", "not permitted")
        ferry.sh("swapoff /swapfile; echo x >> /swapfile; rm /swapfile")
        refused("dd if=/dev/zero of=/tmp/file bs=64k count=16 2> /dev/null; mkswap /tmp/file; swapon /tmp/file", "Invalid argument")
        refused("hdparm -r1 /dev/hdb2 > /dev/null; swapon /dev/hdb2", "Read-only")


def swap_with_errors(path, sectors, kind):
    """QEMU's options for a second disk of swap, on which these sectors fail: for "read" or for "write"."""
    return failing(swap_disk(path, 8), sectors, kind, index=1)


def test_a_page_that_cannot_be_read_ends_who_needs_it_and_nobody_else(tmp_path):
    with Ferry(shell=True, net=False, extra=swap_with_errors(tmp_path / "swap.img", [17 * 8], "read")) as ferry:
        ferry.sh("swapon /dev/hdb")
        away(ferry, "lost", 64)
        assert "Input/output error" in ferry.sh("swapoff /dev/hdb", status=1)
        assert swaps(ferry)["/dev/hdb"][0] == "partition"
        ferry.sh("echo 1 > /proc/sys/vm/drop_caches")
        output = again(ferry)
        lost = re.findall(r"^lost: page (\d+), signal (\d+)$", output, re.MULTILINE)
        assert lost == [("16", "7")], f"expected the page in slot 17 to be lost, by SIGBUS, got {lost}"
        assert "64 passed, 0 failed" in output, output
        ferry.sh("swapoff /dev/hdb")
        assert swaps(ferry) == {}


def test_a_page_that_cannot_be_written_stays(tmp_path):
    with Ferry(shell=True, net=False, extra=swap_with_errors(tmp_path / "swap.img", [5 * 8, 17 * 8], "write")) as ferry:
        ferry.sh("swapon /dev/hdb")
        away(ferry, "hold", 64)
        assert "passed, 0 failed" in again(ferry)
        ferry.sh("swapoff /dev/hdb; swapon /dev/hdb")
        away(ferry, "hold", 64)
        ferry.sh("swapoff /dev/hdb")  # brings back what the disk has not got, too
        assert "passed, 0 failed" in again(ferry)


def test_pages_shows_the_slot_of_an_address(machine, tmp_path):
    with machine(swap_disk(tmp_path / "swap.img", 8)) as ferry:
        ferry.sh("swapon /dev/hdb")
        away(ferry, "hold", 4)
        pid, address = re.search(r"held by (\d+) at (0x\w+)", ferry.sh("cat /tmp/out")).groups()
        before = counters(ferry)
        for n in range(4):
            output = ferry.sh(f"pages -p {pid} {int(address, 16) + n * 4096:#x}")
            assert re.search(rf"not present: in swap, area 0, slot {n + 1}$", output, re.MULTILINE), output
        assert counters(ferry)["pswpin"] == before["pswpin"], "expected nobody to have brought a page in by looking at it"
        assert "2 passed, 0 failed" in again(ferry)


def test_files_and_shared_memory_in_ram_go_to_swap(machine, tmp_path):
    """40 MiB of each in a machine of 32 MiB."""
    with machine(swap_disk(tmp_path / "swap.img", 64), mem=32, limit=120) as ferry:
        def used():
            return swaps(ferry)["/dev/hdb"][2] >> 10

        ferry.sh("swapon /dev/hdb; mount -t tmpfs -o size=48m tmpfs /mnt")
        before = ferry.sh("dd if=/data/64m bs=64k count=640 2> /dev/null | sha256sum", seconds=60)
        ferry.sh("dd if=/data/64m bs=64k count=640 2> /dev/null > /mnt/file", seconds=60)
        assert used() >= 12, f"expected much of the file to be in swap, got {used()} MiB"
        for _ in range(2):
            assert ferry.sh("sha256sum < /mnt/file", seconds=60) == before
        assert ferry.sh("du -k /mnt/file").split()[0] == str(40 << 10)
        assert ferry.sh("df -k /mnt | tail -n 1").split()[2] == str(40 << 10)
        assert "Cannot allocate memory" in ferry.sh("swapoff /dev/hdb", status=1, seconds=60)
        assert ferry.sh("sha256sum < /mnt/file", seconds=60) == before
        ferry.sh("rm /mnt/file; echo 1 > /proc/sys/vm/drop_caches")
        assert ferry.sh("df -k /mnt | tail -n 1").split()[2] == "0"
        assert used() <= 8, f"expected a removed file to give its slots back, got {used()} MiB"
        swapping(ferry, "share", 10240, seconds=60)
        ferry.sh("swapoff /dev/hdb", seconds=60)
        assert swaps(ferry) == {}
        assert counters(ferry, "meminfo")["Shmem"] < 1024


def test_what_is_read_ahead_from_swap_is_the_programs_own(machine, tmp_path):
    """The neighbours of its addresses, not those of its slots, which may be anybody's."""
    with machine(swap_disk(tmp_path / "swap.img", 8)) as ferry:
        ferry.sh("swapon /dev/hdb")
        away(ferry, "hold", 4)
        ferry.sh("mv /tmp/out /tmp/first; first=$!")
        away(ferry, "hold", 64)

        def costs(command):
            before = counters(ferry)
            ferry.sh(command)
            return [counters(ferry)[name] - before[name] for name in ("pswpin", "pgmajfault")]

        pages, faults = costs("kill -USR1 $first; wait $first")
        assert pages == 4, f"expected the first program's 4 pages to be read, got {pages}"
        pages, faults = costs("kill -USR1 $!; wait $!")
        assert pages == 64 and faults >= 64 // 8, f"expected 64 pages by at least 8 faults, got {pages} by {faults}"
        assert faults < 64 // 2, f"expected several pages with each fault, got {pages} by {faults}"
