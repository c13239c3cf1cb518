"""A drive that stops answering, while it is read, written and flushed, in each of the three modes.

The machine gives it its time (here a second, /proc/sys/ferry/disk_timeout), resets it, tries again, and after three
time-outs in a row gives it up: an error for whoever waits, at once for whoever comes later, and nothing else.
"""

import re
import shutil

import pytest

from disks import expect_clean, power_off
from ferry import Ferry, digest
from images import contents
from silent import Silent
from test_disk_modes import cold, drive, raw_disk, sound, to_mode

LATE = 1.6  # seconds: longer than the guest waits


@pytest.fixture
def silent(small_disk, tmp_path):
    path = tmp_path / "silent.img"
    shutil.copy(small_disk(4096), path)
    with Silent(path, tmp_path) as disk:
        yield disk


def machine(silent, tmp_path):
    """hdb, beside the root's disk on one channel, is the one that falls silent; hdc, on the other, is sound."""
    extra = silent.drive(1) + drive(raw_disk(tmp_path / "hdc.img", "hdc"), 2)
    return Ferry(shell=True, net=False, extra=extra, limit=120)


def begin(ferry, mode):
    ferry.sh("echo 1 > /proc/sys/ferry/disk_timeout; mkdir /tmp/small; mount -t ext2 /dev/hdb /tmp/small")
    to_mode(ferry, mode, "hdb")
    cold(ferry)


def work(what):
    """A command that makes the drive do it, on a file that nobody else touches."""
    return {"read": "cat large >/dev/null", "write": "dd if=/data/1m of=large bs=4096 count=20 conv=notrunc,fsync"}[what]


@pytest.mark.parametrize("what", ["read", "write"])
@pytest.mark.parametrize("mode", ["polled-16", "irq-16", "dma"])
def test_a_drive_that_answers_too_late_is_reset_and_goes_on(mode, what, silent, tmp_path):
    with machine(silent, tmp_path) as ferry:
        begin(ferry, mode)
        ferry.sh("cd /tmp/small/data")
        before = ferry.proc("ferry/disk")
        silent.late(LATE, first=1)
        ferry.sh(work(what))
        after = ferry.proc("ferry/disk")
        assert silent.withheld == 1 and after["hdb.timeouts"] - before["hdb.timeouts"] == 1, (
            f"expected one time-out, got {after}")
        assert after["hdb.failed"] == 0 and after["hdb.multiple"] == before["hdb.multiple"], after
        ferry.sh("cd /")
        cold(ferry)
        if what == "write":
            ferry.sh("cmp -n 81920 /tmp/small/data/large /data/1m")
        else:
            sound(ferry, "large", folder="/tmp/small/data")
        sound(ferry, "small", "other", folder="/tmp/small/data")
        sound(ferry, "1m")
        ferry.sh("umount /tmp/small")
    silent.path.write_bytes(silent.data)
    expect_clean(silent.path)


def test_a_mode_chosen_while_the_drive_is_silent_waits_for_the_request(silent, tmp_path):
    with machine(silent, tmp_path) as ferry:
        begin(ferry, "dma")
        silent.late(LATE, first=1)
        ferry.sh("cat /tmp/small/data/large >/tmp/copy & sleep 0.3; hdparm -q -d0 -m8 /dev/hdb; wait")
        disk = ferry.proc("ferry/disk")
        assert (disk["hdb.timeouts"], disk["hdb.multiple"]) == (1, 8), f"expected a time-out, then -m8, got {disk}"
        assert ferry.sh("grep hdb.mode /proc/ferry/disk").split()[-1] == "pio-irq"
        cold(ferry)
        got = ferry.sh("sha256sum < /tmp/copy").split()[0]
        assert got == digest(contents("large")), f"expected the file's contents, got {got}"
        sound(ferry, "large", "other", folder="/tmp/small/data")


def test_a_flush_that_fails_is_told_although_a_second_would_not(silent, tmp_path):
    """A drive goes on behind the sector that it could not write, so that the next FLUSH CACHE succeeds."""
    with machine(silent, tmp_path) as ferry:
        begin(ferry, "dma")
        ferry.sh("cd /tmp/small/data")
        for mode in ("polled-16", "irq-16", "dma"):
            to_mode(ferry, mode, "hdb")
            silent.flushes_that_fail = 1
            output = ferry.sh("dd if=/data/4096 of=large conv=notrunc,fsync", status=1)
            assert "Input/output error" in output, f"{mode}: expected an I/O error of fsync, got {output!r}"
            ferry.sh("dd if=/data/4096 of=large conv=notrunc,fsync")
        assert ferry.proc("ferry/disk")["hdb.failed"] == 0


@pytest.mark.parametrize("mode, what", [("polled-16", "write"), ("irq-16", "write"), ("dma", "write"), ("dma", "read")])
def test_a_drive_that_stays_silent_is_given_up_and_harms_nobody(mode, what, silent, tmp_path):
    with machine(silent, tmp_path) as ferry:
        begin(ferry, mode)
        ferry.sh("cd /tmp/small/data; cat small >/dev/null")
        before = ferry.proc("ferry/pages")
        silent.late(LATE)
        ferry.sh("sha256sum < /dev/hdc > /tmp/hdc &")
        output = ferry.sh(work(what), status=1, seconds=60)
        assert "Input/output error" in output, f"expected an I/O error, got {output!r}"
        assert len(re.findall("hdb: no answer; the drive is given up", ferry.text)) == 1, ferry.tail()
        after = ferry.proc("ferry/disk")
        assert (after["hdb.timeouts"], after["hdb.failed"], after["hda.failed"]) == (3, 1, 0), after
        # Whoever comes now hears of it at once; and nobody hangs.
        asked = silent.asked
        for command in ("cat other", "dd if=/data/4096 of=new conv=fsync", "hdparm -m2 /dev/hdb",
                        "dd if=/dev/hdb of=/dev/null bs=4096 skip=1000 count=1"):
            output = ferry.sh(f"{command} >/dev/null", status=None)
            assert "Input/output error" in output, f"`{command}`: expected an I/O error, got {output!r}"
        ferry.sh("hdparm -C /dev/hdb; cd /; sync; sync")
        assert silent.asked == asked and ferry.proc("ferry/disk")["hdb.commands"] == after["hdb.commands"], (
            "expected a drive that is left alone")
        ferry.sh("wait; umount /tmp/small; echo 3 > /proc/sys/vm/drop_caches")
        assert ferry.proc("ferry/pages").get("hold prd", 0) == before.get("hold prd", 0) == 0
        assert ferry.sh("cat /tmp/hdc").split()[0] == digest((tmp_path / "hdc.img").read_bytes())
        sound(ferry, "1m", "fragmented")
        ferry.sh("cp /data/1m /data/new; sync; cmp /data/1m /data/new; rm /data/new")
        silent.late(0, first=0)  # QEMU itself flushes when it ends
        power_off(ferry)


def test_a_drive_is_given_up_while_many_writes_wait_for_it(silent, tmp_path):
    """Each of them ends with an error, and its pages are tried one by one: all in turn, none inside another."""
    with machine(silent, tmp_path) as ferry:
        begin(ferry, "dma")
        ferry.sh("umount /tmp/small")
        silent.late(LATE)
        output = ferry.sh("dd if=/dev/zero of=/dev/hdb bs=64k count=112 conv=fsync", status=1, seconds=60)
        assert "Input/output error" in output, f"expected an I/O error, got {output!r}"
        assert ferry.proc("ferry/disk")["hdb.failed"] == 1, ferry.tail()
        assert ferry.proc("ferry/pages").get("hold prd", 0) == 0
        sound(ferry, "1m")
        silent.late(0, first=0)
        power_off(ferry)
