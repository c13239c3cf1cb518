"""Writable disks for tests of writing: small images with a shell, and the host's eyes on them afterwards.

    with writing(image) as ferry:        # the machine powers off at the end, and e2fsck must find nothing
        ferry.sh("echo hello >/w/file")
    assert contents(image, "/w/file") == b"hello\\n"
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from ferry import BUILD, Ferry

ENV = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C")
COMMANDS = ["chmod", "cmp", "cp", "cut", "date", "df", "du", "fallocate", "free", "grep", "head", "kill", "ln", "mkdir",
            "mkfifo", "mknod", "mount", "mv", "od", "poweroff", "printf", "ps", "rm", "rmdir", "seq", "sha256sum", "sync",
            "tail", "test", "touch", "truncate", "tr", "umount", "unlink", "wc"]
TESTS = BUILD / "disktest"
# guest tests that work in a folder below TMPDIR
GUEST = ["accesstimes", "coherence", "locks", "names", "permissions", "writing"]


def root_for_writing(folder):
    """What images.py's root has, more commands, the programs of tests/disk, and /w to write in."""
    for name in COMMANDS:
        if not os.path.lexists(folder / "bin" / name):
            os.symlink("busybox", folder / "bin" / name)
    for program in [*TESTS.iterdir(), *(BUILD / "guest" / name for name in GUEST)]:
        shutil.copy(program, folder / "bin")
    os.mkdir(folder / "w")
    return folder


def e2fsck(image, *options):
    done = subprocess.run(["e2fsck", "-f", *options, str(image)], env=ENV, text=True, check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def expect_clean(image):
    status, said = e2fsck(image, "-n")
    assert status == 0, f"expected e2fsck to find nothing, got\n{said}"


def debugfs(image, request):
    done = subprocess.run(["debugfs", "-R", request, str(image)], env=ENV, check=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.stdout.decode()


def contents(image, name):
    """A file's bytes, as the host reads them from the image."""
    with tempfile.NamedTemporaryFile() as copy:
        debugfs(image, f"dump {name} {copy.name}")
        return Path(copy.name).read_bytes()


def pieces(image, name):
    """In how many pieces a file's blocks lie on the disk, its tables among them; and how many there are."""
    blocks = [int(word) for word in debugfs(image, f"blocks {name}").split()]
    return 1 + sum(b != a + 1 for a, b in zip(blocks, blocks[1:])), len(blocks)


def power_off(ferry):
    """As a person ends a session; what was written is on the disk then."""
    ferry.type("sync; poweroff -f\n")
    status, text = ferry.finish(30)
    assert status == 0 and "damaged" not in text, f"expected a machine that ends well, got {status}\n{ferry.tail()}"


@contextmanager
def writing(image, **options):
    with Ferry(shell=True, disk=image, writable=True, net=False, **{"limit": 120, **options}) as ferry:
        yield ferry
        power_off(ferry)
    expect_clean(image)
