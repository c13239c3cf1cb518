"""The power fails at any moment: what fsync has promised is there after e2fsck.

test_ext2_kill.py ends QEMU now and then and takes what it finds; here each write of one run is in a log, and the disk is
put together as it was at chosen moments. A run writes for seconds what then can be looked at thousands of times.
"""

import os
import random
import re
import shutil

import pytest

from disks import debugfs, e2fsck
from ferry import Ferry
from test_ext2_kill import Promises
from writelog import drive, entries

MOMENTS = int(os.environ.get("POWER_CUTS", 40))  # of each run
PROMISES = 120


def run(image, folder, seed):
    """fskeep writes until it has promised enough. ([write or flush ...], [line of fskeep ...])"""
    log = folder / "writes.log"
    with Ferry(run=["fskeep", "/w", str(seed)], disk=None, extra=drive(image, log), net=False, limit=60) as ferry:
        ferry.expect(r"(?:^\+ .*\n(?:[^+].*\n)*){%d}" % PROMISES, 50)
        ferry.qemu.kill()
    return list(entries(log)), re.findall(r"^([-+>?] .*)\n", ferry.text, re.MULTILINE)


def promised(lines, count):
    """What holds when fsync has returned so often. What is said before the next time, may have happened."""
    promises = Promises()
    for line in lines:
        if line[0] == "+" and not count:
            break
        count -= line[0] == "+"
        promises.hear(line)
    return promises


def look(disk, number, promises, folder):
    """What is wrong with a disk after e2fsck; "" when nothing is."""
    image, found = folder / f"{number}.img", folder / f"{number}"
    image.write_bytes(disk)
    try:
        status, said = e2fsck(image, "-y")
        if status not in (0, 1) or e2fsck(image, "-n")[0]:
            return f"e2fsck: status {status}\n{said}"
        found.mkdir()
        debugfs(image, f"rdump /w/a /w/b /w/c /w/new {found}")
        lost = promises.missing(found)
        return f"lost {lost}\n{said}" if lost else ""
    finally:
        image.unlink()
        shutil.rmtree(found, ignore_errors=True)


@pytest.mark.parametrize("order", ["in order", "in any order"])
@pytest.mark.parametrize("block_size", [1024, 4096])
def test_what_fsync_has_acknowledged_survives_a_loss_of_power(block_size, order, writable_disk, tmp_path):
    """With all writes until that moment, or with any of those since the last flush."""
    image = writable_disk(block_size, 32)
    disk = bytearray(image.read_bytes())
    log, lines = run(image, tmp_path, seed=block_size)
    chance = random.Random(block_size)
    moments = set(chance.sample(range(len(log)), min(MOMENTS, len(log))))
    wrong, count, pending = [], 0, []
    for number, entry in enumerate(log):
        if entry is None or order == "in order":
            for first, data in pending:
                disk[first:first + len(data)] = data
            pending = []
        if entry:
            pending.append(entry)
            if re.match(rb"fskeep promise \d+\n\0", entry[1]):
                count = int(entry[1].split()[2])
        if number in moments:
            there = bytearray(disk)
            for first, data in pending:
                if order == "in order" or chance.random() < 0.5:
                    there[first:first + len(data)] = data
            said = look(there, number, promised(lines, count), tmp_path)
            if said:
                wrong.append(f"write {number} of {len(log)}: {said}")
    assert count >= PROMISES - 1, f"expected {PROMISES} promises, got {count}"
    assert not wrong, f"{len(wrong)} of {len(moments)} moments lost something:\n" + "\n".join(wrong[:3])
