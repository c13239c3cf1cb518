"""The disk's three transfer modes: programmed I/O by polling, by interrupt, and bus-master DMA.

The same bytes come into the same pages of the cache, whoever carries them; what differs is in the ledger, in the
drive's counters, and in what is left of the CPU. Drives, channels, errors: in every mode.
"""

import os
import random
import re
import socket
import struct
import subprocess
import time

import pytest

from ferry import DATA, Ferry, digest, sums
from images import SIZES, Image, contents, failing
from ledger import Ledger

MODES = {  # what hdparm and /proc/sys/ferry/disk_polling are told, and what /proc/ferry/disk says then
    "polled": ("-d0 -m0", 1, "pio-polled"),
    "polled-16": ("-d0 -m16", 1, "pio-polled"),
    "irq": ("-d0 -m0", 0, "pio-irq"),
    "irq-2": ("-d0 -m2", 0, "pio-irq"),
    "irq-16": ("-d0 -m16", 0, "pio-irq"),
    "dma": ("-d1 -m16", 0, "dma"),
}
LBA28 = 1 << 28  # the first sector that no LBA28 command reaches
U32 = 1 << 32  # the first that has no number of 32 bits: 2 TiB


def to_mode(ferry, mode, drive="hda"):
    options, polling, name = MODES[mode]
    ferry.sh(f"echo {polling} > /proc/sys/ferry/disk_polling; hdparm -q {options} /dev/{drive}")
    said = ferry.sh(f"grep ^{drive}.mode /proc/ferry/disk").split()[-1]
    assert said == name, f"expected {drive} to be in mode {name}, got {said}"


def cold(ferry):
    ferry.sh("sync; echo 3 > /proc/sys/vm/drop_caches")


def sound(ferry, *names, folder="/data"):
    """Every file is read and compared."""
    expected = dict(sums(), **{name: digest(contents(name)) for name in SIZES})
    lines = ferry.sh(f"cd {folder}; sha256sum {' '.join(names)}; cd /").splitlines()
    got = dict(reversed(line.split()) for line in lines)
    assert got == {name: expected[name] for name in names}, f"expected the contents of {names}, got {got}"


def disk_edges(ferry):
    """{(from, to, mover): bytes} of what the whole machine moved to and from its disks."""
    edges = Ledger(ferry.sh("cat /proc/ferry/ledger")).edges
    return {edge: count for edge, count in edges.items() if "disk" in edge[:2]}


def since(before, after):
    return {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}


@pytest.fixture(scope="module")
def live_machine():
    with Ferry(shell=True, limit=300) as ferry:
        yield ferry


@pytest.fixture
def live(live_machine):
    """The module's machine, in DMA mode again after each test."""
    Ferry.machines.append(live_machine)
    yield live_machine
    to_mode(live_machine, "dma")


# --- What hdparm says -----------------------------------------------------------------------------------------------


def test_a_count_that_the_drive_cannot_have_changes_nothing(live):
    for count in (0, 2, 4, 8, 16):
        output = live.sh(f"hdparm -m{count} /dev/hda")
        assert f"multcount     = {count:2} " in output, f"expected multcount = {count}, got {output!r}"
        for wrong, error in (3, "Input/output error"), (32, "Invalid argument"):
            output = live.sh(f"hdparm -m{wrong} /dev/hda", status=None)
            assert error in output and f"multcount     = {count:2} " in output, (
                f"expected -m{wrong} to fail with {error!r} and leave {count}, got {output!r}")
    for mode in ("irq-16", "polled-16"):
        to_mode(live, mode)
        live.sh("hdparm -m3 /dev/hda", status=None)  # it does not end what was agreed on
        cold(live)
        sound(live, "1m")
    output = live.sh("echo 2 > /proc/sys/ferry/disk_polling", status=1)
    assert "Invalid argument" in output, f"expected EINVAL, got {output!r}"


def test_polling_is_a_choice_within_programmed_io(live):
    """The switch changes nothing for DMA; -d0 and -d1 keep to it."""
    for command, mode in [("echo 1 > /proc/sys/ferry/disk_polling", "dma"), ("hdparm -q -d0 /dev/hda", "pio-polled"),
                          ("echo 0 > /proc/sys/ferry/disk_polling", "pio-irq"), ("hdparm -q -d1 /dev/hda", "dma")]:
        live.sh(command)
        got = live.sh("grep hda.mode /proc/ferry/disk").split()[-1]
        assert got == mode, f"`{command}`: expected {mode}, got {got}"


# --- Who moves the bytes --------------------------------------------------------------------------------------------


def iomodes(ferry, *arguments):
    """{mode: {key: number}}"""
    rows = {}
    for line in ferry.sh("iomodes --machine " + " ".join(arguments), seconds=60).splitlines():
        row = dict(word.split("=") for word in line.split())
        mode, _ = row.pop("mode"), row.pop("verdict")
        rows[mode] = {key: float(value) if "." in value else int(value) for key, value in row.items()}
    return rows


def test_interrupts_are_none_or_one_a_block_or_one_a_command(live):
    size = os.path.getsize(DATA / "1m")
    rows = iomodes(live, "/data/1m")
    assert list(rows) == ["polled", "irq-1", "irq-16", "dma"], f"expected four modes, got {rows}"
    for mode, row in rows.items():
        by_cpu = 0 if mode == "dma" else size
        expected = {"polled": 0, "irq-1": row["sectors"], "irq-16": row["blocks"], "dma": row["commands"]}[mode]
        assert (row["cpu"], row["dma"], row["interrupts"]) == (by_cpu, size - by_cpu, expected), (
            f"{mode}: expected {by_cpu} bytes by CPU, {size - by_cpu} by DMA and {expected} interrupts, got {row}")
    assert rows["irq-16"]["blocks"] <= rows["irq-1"]["blocks"] // 8, f"expected blocks of 16 sectors, got {rows}"
    assert rows["dma"]["blocks"] == 0 and rows["dma"]["commands"] == rows["polled"]["commands"], (
        f"expected the same commands in every mode, got {rows}")


@pytest.mark.parametrize("mode", ["polled", "irq", "irq-16", "dma"])
def test_every_path_moves_what_the_table_says(live, mode):
    """Cold, the disk's edge is the CPU's in programmed I/O and DMA's else; all the rest is the same."""
    to_mode(live, mode)
    mover = "dma" if mode == "dma" else "cpu"
    size = os.path.getsize(DATA / "1m")
    paths = {"readwrite": ["cache.user.cpu", "user.sock.cpu", "sock.nic.dma"],
             "mmap": ["user.sock.cpu", "sock.nic.dma"],
             "sendfile-sg-off": ["cache.sock.cpu", "sock.nic.dma"],
             "sendfile": ["cache.nic.dma"]}
    lines = live.sh("copypath --machine -f /data/1m", seconds=60).splitlines()
    got = {}
    for line in lines:
        row = dict(word.split("=") for word in line.split())
        got[row["path"], row["state"]] = {key[5:]: int(value) for key, value in row.items()
                                          if key.startswith("edge.") and not key.startswith("edge.zero.")}
    expected = {}
    for path, edges in paths.items():
        expected[path, "warm"] = dict.fromkeys(edges, size)
        expected[path, "cold"] = dict.fromkeys([f"disk.cache.{mover}", *edges], size)
    assert got == expected, f"in mode {mode} expected {expected}, got {got}"


@pytest.mark.parametrize("mode", MODES)
def test_what_is_written_goes_by_the_same_mover(live, mode):
    to_mode(live, mode)
    mover = "dma" if mode == "dma" else "cpu"
    live.sh("sync")
    before, drive = disk_edges(live), live.proc("ferry/disk")
    live.sh(f"cp /data/1m /data/new-{mode}; sync")
    size = os.path.getsize(DATA / "1m")
    moved = {edge: count for edge, count in since(before, disk_edges(live)).items() if edge[1] == "disk"}
    assert moved == {("cache", "disk", mover): size}, f"expected {size} bytes to the disk by {mover}, got {moved}"
    drive = since(drive, live.proc("ferry/disk"))
    flushes = drive.get("hda.flushes", 0)  # these end with an interrupt in every mode
    expected = {"dma": drive["hda.commands"], "polled": flushes, "polled-16": flushes}.get(
        mode, drive.get("hda.pio_blocks", 0) + flushes)
    assert drive.get("hda.interrupts", 0) == expected, f"expected {expected} interrupts, got {drive}"
    cold(live)
    got = live.sh(f"sha256sum < /data/new-{mode}; rm /data/new-{mode}").split()[0]
    assert got == sums()["1m"], f"expected {sums()['1m']}, got {got}"


def test_a_slow_disk_leaves_the_cpu_to_others_but_for_polling(small_disk, tmp_path):
    """Rounds of a task that counts beside the reading, and time-stamp ticks in which the CPU was not idle: what is
    compared differs by far more than a busy host can blur."""
    image = copy(tmp_path / "disk.img", small_disk(4096).read_bytes())
    with Ferry(shell=True, net=False, extra=drive(image, 1, ",throttling.bps-total=1048576")) as ferry:
        ferry.sh("mkdir /tmp/small; mount -t ext2 -o ro /dev/hdb /tmp/small")
        rows = iomodes(ferry, "-d /dev/hdb /tmp/small/data/large")
    polled, irq, dma = rows["polled"], rows["irq-16"], rows["dma"]
    assert polled["busy"] > irq["busy"] > dma["busy"], f"expected less work from mode to mode, got {rows}"
    assert polled["free_percent"] < irq["free_percent"] < dma["free_percent"], f"expected more time for others, got {rows}"
    assert polled["idle"] == 0 and irq["idle"] > 0 and dma["idle"] > 0, f"expected no idle time in polling, got {rows}"
    assert polled["rounds"] * 10 < min(irq["rounds"], dma["rounds"]), f"expected a task to get on, got {rows}"


def test_iomodes_leaves_the_mode_as_it_was_also_when_it_is_ended(live):
    live.sh("hdparm -q -d0 -m4 /dev/hda")
    live.sh("iomodes /data/16m > /dev/null & sleep 1; kill $!; wait $!", status=128 + 15)
    got = live.sh("grep hda.m /proc/ferry/disk; cat /proc/sys/ferry/disk_polling").split()
    assert got == ["hda.mode", "pio-irq", "hda.multiple", "4", "0"], f"expected the mode from before, got {got}"


def interrupts_of(ferry, line):
    """Of /proc/interrupts and of /proc/stat."""
    table = re.search(rf"^ *{line}: +(\d+)", ferry.sh("cat /proc/interrupts"), re.MULTILINE).group(1)
    stat = ferry.sh("grep ^intr /proc/stat").split()[2 + line]
    return int(table), int(stat)


def test_proc_shows_interrupts_and_what_the_cpu_did(live):
    for mode in ("polled", "irq", "dma"):
        to_mode(live, mode)
        cold(live)
        live.sh("cat /proc/interrupts /proc/stat /proc/ferry/clock /proc/ferry/disk >/dev/null; grep x /etc/passwd")
        line, drive, clock = interrupts_of(live, 14), live.proc("ferry/disk"), live.proc("ferry/clock")
        live.sh("cat /data/1m > /dev/null")
        after, drive_after, clock_after = interrupts_of(live, 14), live.proc("ferry/disk"), live.proc("ferry/clock")
        came = drive_after["hda.interrupts"] - drive["hda.interrupts"]
        assert [b - a for a, b in zip(line, after)] == [came, came], (
            f"{mode}: expected {came} more interrupts on line 14 than {line}, got {after}")
        assert (came == 0) == (mode == "polled"), f"{mode}: got {came} interrupts"
        busy = (clock_after["tsc"] - clock["tsc"]) - (clock_after["idle"] - clock["idle"])
        assert busy > 0 and clock_after["idle"] > clock["idle"], f"expected busy and idle time, got {clock_after}"


# --- Switching ------------------------------------------------------------------------------------------------------


def test_modes_switched_at_random_under_load_lose_nothing(live):
    """Two readers and a writer go on while the mode changes, and the cache is emptied."""
    live.sh("(while [ ! -e /tmp/enough ]; do sha256sum < /data/1m; done > /tmp/one) &")
    live.sh("(while [ ! -e /tmp/enough ]; do sha256sum < /data/fragmented; done > /tmp/two) &")
    live.sh("(while [ ! -e /tmp/enough ]; do cp /data/1m /data/copy; sync; sha256sum < /data/copy; rm /data/copy; done"
            " > /tmp/three) &")
    generator = random.Random(4)
    before = live.proc("ferry/disk")
    for n in range(16):
        options, polling, _ = MODES[generator.choice(list(MODES))]
        live.sh(f"echo {polling} > /proc/sys/ferry/disk_polling; hdparm -q {options} /dev/hda")
        if n % 4 == 0:
            live.sh("echo 1 > /proc/sys/vm/drop_caches")
    live.sh("touch /tmp/enough; wait", seconds=60)
    for name, number in ("1m", "one"), ("fragmented", "two"), ("1m", "three"):
        got = live.sh(f"cat /tmp/{number}").split()
        assert set(got) == {sums()[name], "-"}, f"expected {sums()[name]} each time, got {set(got)}"
    done = since(before, live.proc("ferry/disk"))
    assert not {"hda.errors", "hda.timeouts", "hda.lost_interrupts"} & set(done), f"expected no error, got {done}"
    assert done["hda.sectors_read"] > 8 * 1024 and done["hda.sectors_written"] > 2048, f"expected a load, got {done}"


def copy(path, data):
    path.write_bytes(data)
    return path


# --- Errors ---------------------------------------------------------------------------------------------------------


def test_an_error_in_the_middle_of_a_command_costs_its_page_alone(small_disk, tmp_path):
    """The reset behind it takes back what SET MULTIPLE agreed on, and so it is agreed on again."""
    image = Image(copy(tmp_path / "disk.img", small_disk(4096).read_bytes()))
    bad = image.sector_of("/data/large", 60) + 3
    extra = failing(image.path, [bad], index=1)
    with Ferry(shell=True, net=False, extra=extra) as ferry:
        ferry.sh("mkdir /tmp/small; mount -t ext2 /dev/hdb /tmp/small")
        for mode in MODES:
            to_mode(ferry, mode, "hdb")
            before = ferry.proc("ferry/disk")
            cold(ferry)
            output = ferry.sh("cat /tmp/small/data/large > /dev/null", status=1)
            assert "Input/output error" in output, f"{mode}: expected an I/O error, got {output!r}"
            output = ferry.sh("dd if=/tmp/small/data/large bs=4096 skip=64 2>/dev/null | sha256sum").split()[0]
            assert output == digest(contents("large")[64 * 4096:]), f"{mode}: behind the bad page: got {output}"
            sound(ferry, "small", "other", folder="/tmp/small/data")
            after = ferry.proc("ferry/disk")
            assert after["hdb.resets"] > before["hdb.resets"] and after["hdb.multiple"] == before["hdb.multiple"], (
                f"{mode}: expected resets, and the same count after them, got {after}")
            assert after["hdb.failed"] == 0, f"{mode}: expected a drive in use, got {after}"
            sound(ferry, "1m")  # of the other drive, which was reset, too


def test_a_write_that_fails_is_told_and_the_drive_goes_on(small_disk, tmp_path):
    image = Image(copy(tmp_path / "disk.img", small_disk(4096).read_bytes()))
    extra = failing(image.path, [image.sector_of("/data/large", 20) + 5], "write", index=1)
    with Ferry(shell=True, net=False, extra=extra) as ferry:
        ferry.sh("mkdir /tmp/small; mount -t ext2 /dev/hdb /tmp/small; cd /tmp/small/data")
        for mode in MODES:
            to_mode(ferry, mode, "hdb")
            output = ferry.sh("dd if=/data/1m of=large bs=4096 count=90 conv=notrunc,fsync", status=1)
            assert "Input/output error" in output, f"{mode}: expected fsync to say so, got {output!r}"
            ferry.sh("dd if=/data/1m of=other bs=4096 count=10 conv=notrunc,fsync")
            cold(ferry)
            ferry.sh("cmp -n 40960 other /data/1m")
        assert ferry.proc("ferry/disk")["hdb.failed"] == 0


@pytest.mark.parametrize("mode", ["irq", "dma"])
def test_a_lost_interrupt_is_found(mode, tmp_path):
    """The interrupt controller is told from outside to keep line 14 to itself; the driver looks after 5 s."""
    monitor = tmp_path / "monitor"
    with Ferry(shell=True, net=False, monitor=f"unix:{monitor},server=on,wait=off") as ferry:
        to_mode(ferry, mode)
        sound(ferry, "4096")
        cold(ferry)
        speak(monitor, "o /1 0xa1 0xff")
        ferry.type("cat /data/4097 | sha256sum; echo it was lost\n")
        ferry.expect(r"lost an interrupt")
        speak(monitor, "o /1 0xa1 0x3f")
        got = ferry.expect(r"^([0-9a-f]{64}) +-$").group(1)
        assert got == sums()["4097"], f"expected {sums()['4097']}, got {got}"
        ferry.expect(r"^it was lost$")
        drive = ferry.proc("ferry/disk")
        assert drive["hda.lost_interrupts"] >= 1 and drive["hda.resets"] == 0, f"expected no reset, got {drive}"


def speak(monitor, command):
    """To QEMU's monitor."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(monitor))
        line.settimeout(10)
        line.recv(4096)
        line.sendall(command.encode() + b"\n")
        time.sleep(0.1)
        line.recv(4096)


# --- Drives and channels --------------------------------------------------------------------------------------------


def pattern(seed, size):
    return random.Random(seed).randbytes(size)


def raw_disk(path, seed, size=1 << 20):
    return copy(path, pattern(seed, size))


def drive(path, index, more="", snapshot="on"):
    return ["-drive", f"file={path},if=ide,index={index},format=raw,snapshot={snapshot}{more}"]


@pytest.mark.parametrize("border", [LBA28, U32], ids=["lba28", "2TiB"])
def test_a_disk_is_read_and_written_across_the_border_of_its_numbers(border, small_disk, tmp_path):
    """Its partition lies across the sector; what is written there is sound in the eyes of the host."""
    before = 4200  # blocks of 1 KiB: /data/large lies before them, and what is written on both sides
    first = border - before * 2
    data = small_disk(1024).read_bytes()
    sectors = len(data) // 512
    disk = tmp_path / "large.img"
    with open(disk, "wb") as file:
        file.write(bytes(446) + struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x83, b"\0\0\0", first, sectors) + bytes(48) +
                   b"\x55\xaa")
        file.seek(first * 512)
        file.write(data)
        file.truncate((border + (1 << 21)) * 512)
    written = {}
    with Ferry(shell=True, net=False, extra=drive(disk, 1, snapshot="off")) as ferry:
        size = f"hdb: QEMU HARDDISK, {(border + (1 << 21)) >> 11} MiB"
        assert size in ferry.text, f"expected {size}\n{ferry.tail()}"
        ferry.sh("mkdir /tmp/large; mount -t ext2 /dev/hdb1 /tmp/large")
        for mode in MODES:
            to_mode(ferry, mode, "hdb")
            cold(ferry)
            sound(ferry, *SIZES, folder="/tmp/large/data")
            ferry.sh(f"cd /tmp/large/data; cat large other > new-{mode}; cd /")
            cold(ferry)
            written[f"/data/new-{mode}"] = contents("large") + contents("other")
            got = ferry.sh(f"sha256sum < /tmp/large/data/new-{mode}").split()[0]
            assert got == digest(written[f"/data/new-{mode}"]), f"{mode}: expected what was written, got {got}"
        ferry.sh("umount /tmp/large; sync")
    with open(disk, "rb") as file:
        file.seek(first * 512)
        part = Image(copy(tmp_path / "part.img", file.read(sectors * 512)))
    env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    check = subprocess.run(["e2fsck", "-fn", str(part.path)], env=env, text=True, check=False, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    assert check.returncode == 0, f"expected a sound file system, got\n{check.stdout}"
    for name, expected in written.items():
        part.debugfs(f"dump {name} {tmp_path / 'file'}")
        assert (tmp_path / "file").read_bytes() == expected, f"{name}: expected what was written"
    blocks = [block for name in written for block in part.blocks_of(name)]
    assert min(blocks) < before < max(blocks), f"expected files on both sides of block {before}, got {blocks}"


def test_what_lies_behind_16_tib_of_a_disk_is_not_there():
    """Page numbers have 32 bits: what lies behind them must not be taken for what lies before."""
    extra = ["-drive", f"driver=null-co,size={1 << 46},read-zeroes=on,if=ide,index=1"]
    with Ferry(shell=True, net=False, extra=extra) as ferry:
        assert "hdb: only the first 16 TiB can be reached" in ferry.text, ferry.tail()
        pages = (1 << 32) - 1
        assert int(ferry.sh("blockdev --getsize64 /dev/hdb")) == pages * 4096
        for skip, expected in (0, 2), (pages - 2, 2), (pages - 1, 1), (pages, 0), (pages + 256, 0):
            got = ferry.sh(f"dd if=/dev/hdb bs=4096 skip={skip} count=2 2>/dev/null | wc -c")
            assert int(got) == expected * 4096, f"from page {skip}: expected {expected} pages, got {got} bytes"


def test_two_channels_of_two_drives_each_in_a_mode_of_its_own(tmp_path):
    """All four names; two drives that share a channel in different modes, all read at once."""
    disks = {name: raw_disk(tmp_path / f"{name}.img", name) for name in ("hdb", "hdc", "hdd")}
    extra = drive(disks["hdb"], 1) + drive(disks["hdc"], 2) + drive(disks["hdd"], 3)
    with Ferry(shell=True, net=False, extra=extra) as ferry:
        settings = [("dma", "polled", "irq", "dma"), ("irq-16", "dma", "dma", "irq"),
                    ("polled", "polled", "polled", "dma"), ("dma", "irq", "irq-2", "irq-16")]
        for modes in settings:
            polling = int("polled" in modes)
            ferry.sh(f"echo {polling} > /proc/sys/ferry/disk_polling")
            for name, mode in zip(("hda", *disks), modes):
                ferry.sh(f"hdparm -q {MODES[mode][0]} /dev/{name}")
            for name in disks:
                ferry.sh(f"blockdev --flushbufs /dev/{name}")
            cold(ferry)
            ferry.sh("".join(f"sha256sum < /dev/{name} > /tmp/{name} & " for name in disks) +
                     "sha256sum < /data/1m > /tmp/hda & wait")
            got = {name: ferry.sh(f"cat /tmp/{name}").split()[0] for name in ("hda", *disks)}
            expected = {name: digest(path.read_bytes()) for name, path in disks.items()}
            expected["hda"] = sums()["1m"]
            assert got == expected, f"in {modes} expected {expected}, got {got}"
        counters = ferry.proc("ferry/disk")
        for name in ("hda", *disks):
            assert counters[f"{name}.sectors_read"] >= 2048 * 4 and counters[f"{name}.errors"] == 0, counters


@pytest.mark.parametrize("mode", ["irq-16", "dma"])
def test_both_channels_work_at_once(mode, tmp_path):
    """Two slow disks, one a channel: each has a request in flight, at the same moment."""
    slow = ",throttling.bps-total=131072"
    disks = {name: raw_disk(tmp_path / f"{name}.img", name) for name in ("hdb", "hdc")}
    extra = drive(disks["hdb"], 1, slow) + drive(disks["hdc"], 2, slow)
    with Ferry(shell=True, net=False, extra=extra) as ferry:
        for name in disks:
            ferry.sh(f"hdparm -q {MODES[mode][0]} /dev/{name}")
        ferry.sh("cat /proc/diskstats > /dev/null")
        for name in disks:
            ferry.sh(f"dd if=/dev/{name} of=/tmp/{name} bs=128k count=3 2>/dev/null &")
        in_flight = set()
        for _ in range(40):
            rows = [line.split() for line in ferry.sh("cat /proc/diskstats").splitlines()]
            in_flight |= {tuple(int(row[11]) > 0 for row in rows if row[2] in disks)}
        assert (True, True) in in_flight, f"expected requests on both channels at once, got {in_flight}"
        ferry.sh("wait")
        for name, path in disks.items():
            got = ferry.sh(f"sha256sum < /tmp/{name}").split()[0]
            assert got == digest(path.read_bytes()[:3 * 131072]), f"{name}: expected its contents, got {got}"


@pytest.mark.parametrize("unit", [0, 1])
def test_a_cd_drive_is_recognised_and_left_alone(unit, tmp_path):
    """As GRUB's boot has it, hdc, beside a disk that is used in every mode; or the other way round."""
    cd, disk = ("hdc", 2), ("hdd", 3)
    if unit:
        cd, disk = ("hdd", 3), ("hdc", 2)
    path = raw_disk(tmp_path / "disk.img", "beside a CD")
    extra = drive(path, disk[1])
    extra += ["-drive", f"file={raw_disk(tmp_path / 'cd.img', 'CD')},if=ide,index={cd[1]},media=cdrom"]
    with Ferry(shell=True, net=False, extra=extra) as ferry:
        said = f"ide1: unit {unit} is a packet device (ATAPI), left alone"
        assert said in ferry.text, f"expected {said!r}\n{ferry.tail()}"
        assert ferry.sh(f"ls /dev/{cd[0]}", status=1)
        for mode in MODES:
            to_mode(ferry, mode, disk[0])
            ferry.sh(f"blockdev --flushbufs /dev/{disk[0]}")
            got = ferry.sh(f"sha256sum < /dev/{disk[0]}").split()[0]
            assert got == digest(path.read_bytes()), f"{mode}: expected the disk's contents, got {got}"
        assert ferry.guest_errors() == [], f"expected no errors of the guest, got {ferry.guest_errors()}"


@pytest.mark.parametrize("name", ["dma", "pio-irq", "pio-polled"])
def test_the_machine_can_start_in_each_mode(name):
    with Ferry(f"ferry.disk={name}", shell=True, net=False) as ferry:
        got = ferry.sh("head -n 1 /proc/ferry/disk; cat /proc/sys/ferry/disk_polling").split()
        assert got == ["hda.mode", name, str(int(name == "pio-polled"))], f"expected {name}, got {got}"
        sound(ferry, "1m", "fragmented")
