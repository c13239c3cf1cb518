"""O_DIRECT from outside: what the ledger shows, in each mode of the disk, and what is on the disk at the end."""

import shutil
import subprocess

import pytest

from ferry import DATA, DISK, Ferry
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
