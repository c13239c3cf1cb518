"""O_DIRECT from outside: what the ledger shows, in each mode of the disk, and what is on the disk at the end."""

import hashlib
import re
import shutil
import subprocess

import pytest

from disks import contents, writing
from ferry import DATA, DISK, Ferry
from images import SIZES, Image, failing
from images import contents as first_contents
from ledger import Ledger

MODES = {"dma": "dma", "pio-irq": "cpu", "pio-polled": "cpu"}  # what is asked for at boot: who moves the bytes


def bill(ferry, command):
    """What a command, whose program is in the cache, moves to and from the disk, and in place of it."""
    ferry.sh(command)
    before = Ledger(ferry.sh("cat /proc/ferry/ledger")).edges
    ferry.sh(command)
    after = Ledger(ferry.sh("cat /proc/ferry/ledger")).edges
    return {edge: after[edge] - before.get(edge, 0) for edge in after
            if ("disk" in edge or "zero" in edge) and after[edge] != before.get(edge, 0)}


@pytest.mark.parametrize("mode", MODES)
def test_o_direct_moves_each_byte_once_and_not_through_the_cache(mode):
    size = (DATA / "1m").stat().st_size
    mover = MODES[mode]
    with Ferry(f"ferry.disk={mode}", shell=True, net=False) as ferry:
        assert bill(ferry, "dd if=/data/1m of=/dev/null bs=64k iflag=direct 2>/dev/null"
                    ) == {("disk", "user", mover): size}
        ferry.sh("dd if=/dev/zero of=/root/file bs=64k count=16 oflag=direct 2>/dev/null")
        assert bill(ferry, "dd if=/dev/zero of=/root/file bs=64k count=16 oflag=direct conv=notrunc 2>/dev/null"
                    ) == {("user", "disk", mover): 1 << 20}


def test_the_end_of_a_file_is_padding_and_a_hole_is_filled_by_the_cpu():
    with Ferry(shell=True, net=False) as ferry:
        assert bill(ferry, "dd if=/data/4097 of=/dev/null bs=64k iflag=direct 2>/dev/null") == {
            ("disk", "user", "dma"): 4097}
        ferry.sh("dd if=/dev/zero of=/root/hole bs=64k seek=2 count=1 oflag=direct 2>/dev/null")
        assert bill(ferry, "dd if=/root/hole of=/dev/null bs=64k iflag=direct 2>/dev/null") == {
            ("disk", "user", "dma"): 64 << 10, ("zero", "user", "cpu"): 128 << 10}


def test_what_was_written_past_the_cache_is_on_the_disk(tmp_path):
    """Copied by O_DIRECT; the sync is for the metadata. The host finds every byte, e2fsck nothing to complain about."""
    image = tmp_path / "disk.img"
    shutil.copy(DISK, image)
    with Ferry(shell=True, net=False, disk=image, writable=True) as ferry:
        ferry.sh("dd if=/data/1m of=/root/copy bs=48k iflag=direct oflag=direct 2>/dev/null; "
                 "truncate -s 100000 /root/copy; dd if=/data/1m of=/root/copy bs=4k seek=30 count=5 oflag=direct "
                 "conv=notrunc 2>/dev/null")
        ferry.sh("sync")
    data = (DATA / "1m").read_bytes()
    expected = data[:100000] + bytes(30 * 4096 - 100000) + data[:5 * 4096]
    out = tmp_path / "copy"
    subprocess.run(["debugfs", "-R", f"dump /root/copy {out}", image], check=True, capture_output=True)
    assert out.read_bytes() == expected, "expected the bytes that were written, got others"
    check = subprocess.run(["e2fsck", "-fn", image], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout


def disk_of(mode, drive):
    return Ferry(f"ferry.disk={mode}", shell=True, disk=None, net=False, extra=drive)


@pytest.mark.parametrize("mode", MODES)
def test_a_bad_sector_is_an_error_behind_all_that_was_read_before_it(mode, writable_disk):
    image = writable_disk(4096)
    bad = 60
    sector = Image(image).sector_of("/data/large", bad + 1)  # its table is in the list, too
    with disk_of(mode, failing(image, [sector])) as ferry:
        text = ferry.sh("dd if=/data/large of=/tmp/copy bs=4k iflag=direct 2>&1", status=1)
        assert "Input/output error" in text and int(ferry.sh("stat -c %s /tmp/copy")) == bad * 4096, text
        ferry.sh(f"dd if=/data/large of=/tmp/rest bs=4k skip={bad + 1} iflag=direct 2>/dev/null")
        ferry.sh(f"cmp -n {bad * 4096} /tmp/copy /data/large")
        assert ferry.sh("wc -c </tmp/rest").strip() == str(SIZES["large"] - (bad + 1) * 4096)
        assert "Input/output error" in ferry.sh("dd if=/data/large of=/dev/null bs=1M iflag=direct 2>&1", status=1)


@pytest.mark.parametrize("mode", MODES)
def test_a_sector_that_takes_no_write_is_told_to_who_writes_it(mode, writable_disk):
    image = writable_disk(4096)
    bad = 60
    sector = Image(image).sector_of("/data/large", bad + 1)
    with disk_of(mode, failing(image, [sector], "write")) as ferry:
        text = ferry.sh("dd if=/dev/zero of=/data/large bs=4k count=80 oflag=direct conv=notrunc 2>&1", status=1)
        assert re.search("I(nput)?/[oO]", text) and f"{bad}+0 records out" in text, text
        assert ferry.sh(f"head -c {bad * 4096} /data/large | tr -d '\\0' | wc -c").strip() == "0"
        ferry.sh("sync")
    assert contents(image, "/data/large") == bytes(bad * 4096) + first_contents("large")[bad * 4096:], "expected zeroes, then the old bytes"


def test_a_full_disk_says_so_and_keeps_what_was_written(writable_disk):
    image = writable_disk(1024)
    with writing(image) as ferry:
        text = ferry.sh("dd if=/dev/zero of=/w/big bs=64k oflag=direct 2>&1", status=1)
        assert "No space left" in text, text
        size = int(ferry.sh("stat -c %s /w/big"))
        assert size > 1 << 20 and int(ferry.sh("tr -d '\\0' </w/big | wc -c")) == 0, f"{size} bytes"
        assert int(ferry.sh("df -k /w | tail -1").split()[3]) < 64
        ferry.sh("rm /w/big; dd if=/dev/zero of=/w/small bs=64k count=4 oflag=direct 2>/dev/null")


def test_a_disk_as_a_file_is_read_past_the_cache_too():
    with Ferry(shell=True, net=False) as ferry:
        ferry.sh("sha256 /bin/sha256 >/dev/null")
        before = Ledger(ferry.sh("cat /proc/ferry/ledger")).edges
        text = ferry.sh("dd if=/dev/hda bs=64k count=64 skip=640 iflag=direct 2>/dev/null | sha256sum")
        after = Ledger(ferry.sh("cat /proc/ferry/ledger")).edges
    with open(DISK, "rb") as disk:
        disk.seek(640 << 16)
        assert hashlib.sha256(disk.read(4 << 20)).hexdigest() in text, text
    edge = ("disk", "user", "dma")
    assert after[edge] - before.get(edge, 0) == 4 << 20, f"expected 4 MiB by DMA, got {after}"
