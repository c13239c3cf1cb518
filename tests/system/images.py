"""Disk images for the tests of bad input: small ones, made whole and then damaged on purpose."""

import os
import shutil
import struct
import subprocess

from ferry import BUILD

PROGRAMS = ["init", "offload", "serve", "sha256", "busybox"]
COMMANDS = ["sh", "stty", "cat", "ls", "dd", "stat", "echo", "find", "readlink", "sleep"]

# What a program may ask of a damaged disk: each command is on its own, whatever became of the others.
LOOK = """
ls /
ls /data
cat /data/small /data/large /data/deep/er/file >/dev/null
ls -l /data/folder /data/deep
readlink /data/link
cat /data/link /data/long-link >/dev/null
echo looked around
"""

SIZES = {"small": 100, "large": 400_000, "other": 50_000}  # with 1 KiB blocks, double indirect ones too


def contents(name):
    return bytes((i * 7 + len(name) + (i >> 8) * 13) & 0xFF for i in range(SIZES[name]))


def root_folder(folder):
    """A root with a shell and a few files, 4 MiB in all."""
    for name in ("bin", "sbin", "dev", "proc", "etc", "tmp", "data/folder", "data/deep/er"):
        os.makedirs(folder / name)
    for name in PROGRAMS:
        shutil.copy(BUILD / "root" / "bin" / name, folder / "bin" / name)
    shutil.copy(BUILD / "root" / "tests" / "directories", folder / "bin" / "directories")
    for name in COMMANDS:
        os.symlink("busybox", folder / "bin" / name)
    os.symlink("../bin/init", folder / "sbin" / "init")
    (folder / "etc" / "look").write_text(LOOK)
    for name in SIZES:
        (folder / "data" / name).write_bytes(contents(name))
    (folder / "data" / "deep" / "er" / "file").write_text("deep\n")
    os.symlink("small", folder / "data" / "link")
    os.symlink("./" * 40 + "small", folder / "data" / "long-link")
    for i in range(300):
        (folder / "data" / "folder" / f"a-file-with-a-name-that-is-not-short-{i}").touch()
    return folder


class Image:
    """An ext2 image that can be looked into and damaged. `at` is where its file system begins."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as disk:
            disk.seek(1024)
            superblock = disk.read(1024)
        self.blocks, = struct.unpack_from("<I", superblock, 4)
        self.block_size = 1024 << struct.unpack_from("<I", superblock, 24)[0]
        self.first_data_block, = struct.unpack_from("<I", superblock, 20)

    def debugfs(self, *commands):
        env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C")
        done = subprocess.run(["debugfs", "-w", "-f", "-", str(self.path)], input="\n".join(commands) + "\n",
                              env=env, text=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return "\n".join(line for line in done.stdout.splitlines() if not line.startswith("debugfs"))

    def blocks_of(self, name):
        """The numbers of a file's blocks, indirect ones among them."""
        return [int(word) for word in self.debugfs(f"blocks {name}").split() if word.isdigit()]

    def sector_of(self, name, nth=0):
        return self.blocks_of(name)[nth] * self.block_size // 512

    def write(self, offset, data):
        with open(self.path, "r+b") as disk:
            disk.seek(offset)
            disk.write(data)

    def super_field(self, offset, fmt, value):
        self.write(1024 + offset, struct.pack("<" + fmt, value))

    def group_field(self, offset, value):
        """Of the first group descriptor."""
        self.write((self.first_data_block + 1) * self.block_size + offset, struct.pack("<I", value))

    def truncate(self, size):
        os.truncate(self.path, size)


def failing(path, sectors, kind="read", index=0, once=False):
    """QEMU's options for a disk (hda) which cannot read these sectors; or, by kind, cannot "write" them."""
    option = (f"if=ide,index={index},werror=report,driver=raw,file.driver=blkdebug,file.image.driver=file,"
              f"file.image.filename={path}")
    for i, sector in enumerate(sectors):
        option += (f",file.inject-error.{i}.event=none,file.inject-error.{i}.iotype={kind}"
                   f",file.inject-error.{i}.sector={sector},file.inject-error.{i}.errno=5"
                   f",file.inject-error.{i}.once={'on' if once else 'off'}")
    return ["-drive", option]
