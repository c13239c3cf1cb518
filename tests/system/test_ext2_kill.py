"""QEMU is killed while files are written: what fsync has promised is there after e2fsck."""

import random
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from disks import debugfs, e2fsck
from ferry import Ferry

KILLS = 50
AT_ONCE = 3


def text(version, lines):
    return b"".join(b"version %7d %15d\n" % (version, i) for i in range(lines))


class Promises:
    """What fskeep has said (tests/disk/fskeep.c), and what must therefore be on the disk."""

    def __init__(self):
        self.files = {}  # name: (version, lines)
        self.moves = []  # (old, new) since the last fsync
        self.growing = set()

    def settle(self):
        for old, new in self.moves:
            if old in self.files:
                self.files[new] = self.files.pop(old)
        self.moves = []

    def hear(self, line):
        words = line.split()
        if words[0] == "+":
            self.settle()
            self.files[words[1]] = (int(words[2]), int(words[3]))
            self.growing.discard(words[1])
        elif words[0] == "-":
            self.broken(words[1])
        elif words[0] == ">":
            self.growing.add(words[1])
        elif words[0] == "?":
            self.moves.append((words[1], words[2]))

    def broken(self, name):
        """Whatever was promised of this file, by any of its names, holds no longer."""
        self.files.pop(name, None)
        for old, new in reversed(self.moves):
            if new == name:
                name = old
                self.files.pop(name, None)

    def missing(self, folder):
        """Names of which no acceptable contents are found."""
        places = {name: {name} for name in self.files}
        for old, new in self.moves:  # one after the other: a file may have moved twice
            for names in places.values():
                if old in names:
                    names.add(new)
        replaced = {new for _, new in self.moves}
        lost = []
        for name, (version, lines) in self.files.items():
            want = text(version, lines)
            found = [(folder / place).read_bytes() for place in places[name] if (folder / place).is_file()]
            if any(got == want or got.startswith(want) for got in found):
                continue
            if name in replaced and (folder / name).is_file():
                continue  # the one that took its place is looked for by itself
            lost.append(f"{name}: version {version}, {lines} lines, found {[len(got) for got in found]} bytes")
        return lost


def kill_once(number, image, folder):
    """Boots, lets it write for a while, kills. (How many files were promised, what is wrong)."""
    chance = random.Random(number)
    with Ferry(run=["fskeep", "/w", str(number)], disk=image, writable=True, net=False, limit=60) as ferry:
        ferry.expect(r"^\+ ", 30)
        time.sleep(chance.uniform(0.02, 1.5))
        ferry.qemu.kill()
    promises = Promises()
    for line in re.findall(r"^([-+>?] .*)\n", ferry.text, re.MULTILINE):
        promises.hear(line)
    status, said = e2fsck(image, "-y")
    if status not in (0, 1):
        return 0, f"e2fsck: status {status}\n{said}"
    status, again = e2fsck(image, "-n")
    if status:
        return 0, f"e2fsck is not content with what it has done:\n{again}"
    folder.mkdir()
    debugfs(image, f"rdump /w/a /w/b /w/c /w/new {folder}")
    lost = promises.missing(folder)
    return len(promises.files), f"lost {lost}\n{said}\n{ferry.tail(60)}" if lost else ""


@pytest.mark.parametrize("block_size", [1024, 4096])
def test_what_fsync_has_acknowledged_survives_a_kill(block_size, writable_disk, tmp_path):
    pristine = writable_disk(block_size, 32)
    failures, kept, lock = [], [], threading.Lock()

    def one(number):
        image, folder = tmp_path / f"kill-{number}.img", tmp_path / f"kill-{number}"
        shutil.copy(pristine, image)
        files, wrong = kill_once(number, image, folder)
        with lock:
            kept.append(files)
            if wrong:
                failures.append(f"kill {number}: {wrong}")
                shutil.copy(image, tmp_path / f"failed-{number}.image")
        image.unlink()
        shutil.rmtree(folder, ignore_errors=True)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(KILLS // 2)))
    assert not failures, f"{len(failures)} of {KILLS // 2} kills lost something:\n" + "\n".join(failures[:3])
    assert sum(kept) > 2 * KILLS, f"expected more to be promised than {kept}"
