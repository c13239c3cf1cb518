"""More memory is asked for than the machine has: reclaim, swap, and the end of both.

tests/guest/pressure.c fills memory with patterns and looks at them again; here is less memory than it takes.
"""

import re
import shutil
import struct
import subprocess

import pytest

from disks import ENV, contents, expect_clean, power_off
from ferry import DISK, Ferry, sums
from images import failing
from test_ledger import judge_copypath

PAGE = 4096
FILE_SEED = 0x40000000  # of pressure.c


def swap_disk(path, mib):
    """An empty disk that mkswap has prepared."""
    with open(path, "wb") as image:
        image.truncate(mib << 20)
    subprocess.run(["mkswap", str(path)], check=True, capture_output=True, env=ENV)
    return path


@pytest.fixture
def machine(tmp_path):
    """A function: a machine of so much memory (MiB), and so much swap on a second disk."""
    def start(mem, swap=0, disk=DISK, **options):
        disks = [disk] + ([swap_disk(tmp_path / "swap.img", swap)] if swap else [])
        return Ferry(shell=True, disks=disks, mem=mem, **{"limit": 120, **options})

    return start


def pattern(seed):
    """A page as pressure.c fills it."""
    base = seed * 2654435761
    return struct.pack("<1024I", *((base ^ i * 40503) & 0xFFFFFFFF for i in range(PAGE // 4)))


def swaps(ferry):
    """/proc/swaps: {name: (type, KiB, KiB used, priority)}."""
    lines = ferry.sh("cat /proc/swaps").splitlines()
    assert lines[0].split() == ["Filename", "Type", "Size", "Used", "Priority"]
    return {name: (kind, int(size), int(used), int(priority))
            for name, kind, size, used, priority in (line.split() for line in lines[1:])}


def counters(ferry, name="vmstat"):
    return {words[0].rstrip(":"): int(words[1]) for words in map(str.split, ferry.sh(f"cat /proc/{name}").splitlines())}


def pressure(ferry, *arguments):
    output = ferry.sh(f"/tests/pressure {' '.join(map(str, arguments))}", seconds=90)
    assert re.search(r"^\d+ passed, 0 failed$", output, re.MULTILINE), output
    return output


def held(ferry):
    """Pages of files may have been taken from programs that run: they come back when they are used."""
    ferry.sh("sync; echo 3 > /proc/sys/vm/drop_caches")
    pages = ferry.proc("ferry/pages")
    pages["free or cache"] = pages.pop("free") + pages.pop("hold cache")
    return {name: count for name, count in pages.items() if name not in ("hold rx", "hold map")}


# --- Swap -----------------------------------------------------------------------------------------------


def test_64_mib_of_patterns_in_32_mib_with_a_dirty_file_beside(machine, tmp_path):
    """Shared over fork and changed on both sides; and all that was held is free again after swapoff."""
    disk = shutil.copy(DISK, tmp_path / "root.img")
    with machine(32, swap=96, disk=disk, writable=True) as ferry:
        ferry.sh("swapon /dev/hdb; swapoff /dev/hdb; /tests/pressure 1 > /dev/null")
        before = held(ferry)
        ferry.sh("swapon /dev/hdb")
        pressure(ferry, 64, "/big", 12)
        after = counters(ferry)
        assert after["pswpout"] > (64 - 32) * 256 and after["pswpin"] > (64 - 32) * 256, after
        ledger = ferry.sh("grep '^apart swap' /proc/ferry/ledger").split()
        assert int(ledger[3]) >= (after["pswpin"] + after["pswpout"]) * PAGE, ledger
        ferry.sh("swapoff /dev/hdb")
        assert swaps(ferry) == {}
        assert held(ferry) == before
        power_off(ferry)
    expect_clean(disk)
    file = contents(disk, "/big")
    assert len(file) == 12 << 20
    bad = [n for n in range(12 << 8) if file[n * PAGE:(n + 1) * PAGE] != pattern(FILE_SEED + n)]
    assert not bad, f"expected pressure's patterns in the file, others are in pages {bad[:10]} ... ({len(bad)})"


def test_swapoff_under_use_brings_everything_back_or_nothing(machine):
    with machine(48, swap=64) as ferry:
        ferry.sh("swapon /dev/hdb")
        start = "(/tests/pressure {} > /tmp/out; echo status $? >> /tmp/out) & while ! grep -q fork /tmp/out; do :; done"
        ferry.sh("swapoff /dev/hdb; swapon /dev/hdb")
        ferry.sh(start.format(64) + "; ! swapoff /dev/hdb", seconds=60)  # does not fit
        assert swaps(ferry)["/dev/hdb"][0] == "partition"
        assert ferry.sh("wait; tail -2 /tmp/out", seconds=60).splitlines() == ["8 passed, 0 failed", "status 0"]
        ferry.sh("rm /tmp/out; touch /tmp/out")
        ferry.sh(start.format(16) + "; dd if=/data/64m of=/dev/null bs=64k 2> /dev/null; swapoff /dev/hdb", seconds=60)
        assert swaps(ferry) == {}
        assert ferry.sh("wait; tail -2 /tmp/out", seconds=60).splitlines() == ["8 passed, 0 failed", "status 0"]


def test_a_swap_file_made_in_the_guest(machine, tmp_path):
    disk = shutil.copy(DISK, tmp_path / "root.img")
    with machine(32, disk=disk, writable=True) as ferry:
        ferry.sh("dd if=/dev/zero of=/swapfile bs=1M count=30 2> /dev/null")
        output = ferry.sh("swapon /swapfile", status=1)
        assert "Invalid argument" in output, output
        ferry.sh("mkswap /swapfile; swapon /swapfile")
        assert swaps(ferry) == {"/swapfile": ("file", 30716, 0, -2)}
        pressure(ferry, 24)
        assert "Text file busy" in ferry.sh("echo x >> /swapfile", status=1)
        assert "busy" in ferry.sh("swapon /swapfile", status=1)
        ferry.sh("swapoff /swapfile; rm /swapfile")
        ferry.sh("dd if=/dev/zero of=/holes bs=1 count=1 seek=20M 2> /dev/null; mkswap /holes")
        assert "file has holes" in ferry.sh("swapon /holes", status=1)
        assert "Invalid argument" in ferry.sh("swapoff /holes", status=1)
        ferry.sh("rm /holes")
        power_off(ferry)
    expect_clean(disk)


def test_meminfo_and_status_tell_of_swap(machine):
    with machine(32, swap=64) as ferry:
        ferry.sh("swapon /dev/hdb; touch /tmp/out")
        meminfo = counters(ferry, "meminfo")
        assert meminfo["SwapTotal"] == meminfo["SwapFree"] == (64 << 10) - 4
        ferry.sh("/tests/pressure 40 > /tmp/out & while ! grep -q fork /tmp/out; do :; done", seconds=60)
        meminfo = counters(ferry, "meminfo")
        assert meminfo["SwapTotal"] - meminfo["SwapFree"] > 8 << 10, meminfo
        swapped = sum(map(int, re.findall(r"VmSwap:\s+(\d+) kB", ferry.sh("cat /proc/[0-9]*/status"))))
        assert swapped > 8 << 10, f"expected VmSwap of some programs, got {swapped} KiB in all"
        ferry.sh("wait", seconds=60)


def bad_swap(path, errors):
    """QEMU's options for a second disk of swap, on which some slots fail: for "read" or for "write"."""
    return failing(swap_disk(path, 64), [slot * 8 for slot in range(256, 4096, 256)], errors, index=1)


def test_an_unreadable_slot_ends_the_program_that_needs_it(machine, tmp_path):
    """By SIGBUS; and the shell goes on."""
    with machine(32, extra=bad_swap(tmp_path / "swap.img", "read")) as ferry:
        ferry.sh("swapon /dev/hdb")
        output = ferry.sh("/tests/pressure 40", status=None, seconds=60)
        assert not re.search(r"^\d+ passed, 0 failed$", output, re.MULTILINE), output
        assert "Bus error" in output or "expected 0, got 7" in output, output
        assert ferry.sh("echo alive") == "alive\n"


def test_a_page_that_cannot_be_written_stays_in_memory(machine, tmp_path):
    with machine(32, extra=bad_swap(tmp_path / "swap.img", "write")) as ferry:
        ferry.sh("swapon /dev/hdb")
        pressure(ferry, 32)


# --- Files ----------------------------------------------------------------------------------------------


def test_a_64_mib_file_crosses_a_machine_of_24_mib_once(machine):
    """Along every path; what is read ahead is used before it is dropped, so the ledger is exact."""
    with machine(24) as ferry:
        judge_copypath(ferry.sh("copypath -C --machine -f /data/64m", seconds=90), ["64m"], states=["cold"])
        assert ferry.sh("sha256 /data/64m", seconds=60).split()[0] == sums()["64m"]


def test_a_16_mib_file_crosses_a_machine_of_16_mib_once(machine):
    with machine(16) as ferry:
        judge_copypath(ferry.sh("copypath -C --machine -f /data/16m", seconds=90), ["16m"], states=["cold"])


# --- The end --------------------------------------------------------------------------------------------


def test_without_swap_one_program_is_killed_and_the_shell_survives(machine):
    with machine(32) as ferry:
        output = ferry.sh("/tests/pressure 30", status=None, seconds=60)
        assert len(re.findall(r"^out of memory: pressure\[\d+\], .* is killed$", output, re.MULTILINE)) == 1, output
        assert counters(ferry)["oom_kill"] == 1
        assert ferry.sh("echo alive") == "alive\n"


def test_full_swap_is_the_end_too(machine):
    with machine(32, swap=8) as ferry:
        ferry.sh("swapon /dev/hdb")
        output = ferry.sh("/tests/pressure 34", status=None, seconds=60)
        assert re.search(r"^out of memory: pressure\[\d+\], ", output, re.MULTILINE), output
        assert ferry.sh("echo alive") == "alive\n"
        assert swaps(ferry)["/dev/hdb"][2] < 1024


# --- All at once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_writers_mappings_and_memory_of_many_kinds_at_once(machine, tmp_path, seed):
    """tests/guest/squeeze.c in 24 MiB: nobody hangs, nobody is killed, everybody finds what he wrote."""
    disk = shutil.copy(DISK, tmp_path / "root.img")
    with machine(24, swap=64, disk=disk, writable=True, net=False) as ferry:
        ferry.sh("swapon /dev/hdb; cd /")
        output = ferry.sh(f"/tests/squeeze 2 {seed} 12500", seconds=90)
        assert "9 passed, 0 failed" in output and "out of memory" not in output, output
        assert counters(ferry)["pswpout"] > 0
        ferry.sh("swapoff /dev/hdb", seconds=60)
        power_off(ferry)
    expect_clean(disk)


def test_the_same_without_swap(machine, tmp_path):
    disk = shutil.copy(DISK, tmp_path / "root.img")
    with machine(24, disk=disk, writable=True, net=False) as ferry:
        output = ferry.sh("cd /; /tests/squeeze 2 3 5000", seconds=90)
        assert "9 passed, 0 failed" in output and "out of memory" not in output, output
        power_off(ferry)
    expect_clean(disk)
