"""Small ext2 images with random damage, four to a disk: for a kernel that must live with any of them.

    damager = Damager(tmp_path)
    disk = damager.disk([(1024, 1), (2048, 2) ...])      a partitioned disk; (block size, seed) of each image
"""

import os
import random
import struct
import subprocess

from disks import ENV

SECTORS = 2048  # of an image: 1 MiB
PER_DISK = 4


def tree(folder):
    """Files with each level of the block tree, links of both kinds, directories of several blocks."""
    os.makedirs(folder / "a" / "b" / "c")
    os.makedirs(folder / "many")
    for i in range(120):
        (folder / "many" / f"a-name-that-takes-some-room-{i}").write_bytes(bytes(i))
    (folder / "a" / "file").write_bytes(bytes(range(256)) * 160)
    (folder / "a" / "b" / "small").write_text("small\n")
    os.link(folder / "a" / "file", folder / "a" / "b" / "c" / "hard")
    os.symlink("a/file", folder / "short")
    os.symlink("x/" * 200, folder / "long")
    with open(folder / "deep", "wb") as deep:
        for at in (0, 300_000, 5_000_000, 70_000_000):
            deep.seek(at)
            deep.write(b"data" * 300)


class Shape:
    """Where a sound image's parts lie, as byte ranges: what is worth damaging."""

    def __init__(self, image):
        self.image = image
        self.size = 1024 << self.u32(1024 + 24)
        self.blocks, self.first, self.per_group, self.inodes_per_group = (
            self.u32(1024 + at) for at in (4, 20, 32, 40))
        self.inode_size = struct.unpack_from("<H", image, 1024 + 88)[0]
        groups = -(-(self.blocks - self.first) // self.per_group)
        table = (self.first + 1) * self.size
        self.parts = {"super": [(1024, 264)], "descriptors": [(table, 32 * groups)], "bitmaps": [], "inodes": [],
                      "directories": [], "tables": []}
        for group in range(groups):
            bitmap, inodes, start = struct.unpack_from("<III", image, table + 32 * group)
            self.parts["bitmaps"] += [(bitmap * self.size, self.per_group // 8), (inodes * self.size, self.inodes_per_group // 8)]
            for i in range(self.inodes_per_group):
                self.inode(start * self.size + i * self.inode_size)

    def u32(self, at):
        return struct.unpack_from("<I", self.image, at)[0]

    def inode(self, at):
        mode, links = struct.unpack_from("<H", self.image, at)[0], struct.unpack_from("<H", self.image, at + 26)[0]
        if not links or mode >> 12 not in (4, 8, 10) or (mode >> 12 == 10 and self.u32(at + 4) < 60):
            return
        self.parts["inodes"].append((at, 128))
        for i in range(15):
            self.block(self.u32(at + 40 + 4 * i), max(0, i - 11), mode >> 12 == 4)

    def block(self, number, depth, directory):
        if not number:
            return
        if depth == 0 and directory:
            self.parts["directories"].append((number * self.size, self.size))
        if depth:
            self.parts["tables"].append((number * self.size, self.size))
            for i in range(self.size // 4):
                self.block(self.u32(number * self.size + 4 * i), depth - 1, directory)


def damage(image, shape, chance):
    """From one to twelve changes."""
    kinds = ["super", "descriptors", "bitmaps"] + ["inodes", "directories", "tables"] * 3
    for _ in range(chance.choice([1, 1, 2, 3, 5, 12])):
        start, size = chance.choice(shape.parts[chance.choice(kinds)])
        at = start + chance.randrange(size)
        word = at & ~3
        values = [0, 1, 2, 11, 12, 0x7FFFFFFF, 0xFFFFFFFF, shape.blocks - 1, shape.blocks, chance.randrange(shape.blocks),
                  start // shape.size, chance.getrandbits(32)]
        if shape.parts["tables"]:
            values.append(chance.choice(shape.parts["tables"])[0] // shape.size)
        how = chance.randrange(5)
        if how == 0:
            image[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            image[at] = chance.randrange(256)
        elif how == 2:
            struct.pack_into("<H", image, at & ~1, chance.choice(values) & 0xFFFF)
        elif how == 3:
            struct.pack_into("<I", image, word, chance.choice(values))
        else:  # a word of another place
            source = chance.choice(shape.parts[chance.choice(kinds)])[0]
            image[word:word + 4] = image[source:source + 4]


class Damager:
    def __init__(self, folder):
        self.folder, self.sound = folder, {}
        tree(folder / "tree")

    def image(self, block_size, seed):
        if block_size not in self.sound:
            path = self.folder / f"sound-{block_size}"
            with open(path, "wb") as file:
                file.truncate(SECTORS * 512)
            groups = ["-g", "256"] if block_size < 4096 else []
            subprocess.run(["mke2fs", "-q", "-F", "-t", "ext2", "-b", str(block_size), *groups, "-N", "256", "-I", "128",
                            "-d", str(self.folder / "tree"), str(path)], env=ENV, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            self.sound[block_size] = Shape(path.read_bytes())
        shape = self.sound[block_size]
        image = bytearray(shape.image)
        damage(image, shape, random.Random(seed))
        return image

    def disk(self, which):
        """Four primary partitions at most."""
        disk = bytearray(SECTORS * 512)
        for i, (block_size, seed) in enumerate(which):
            start = len(disk) // 512
            disk[446 + 16 * i:446 + 16 * (i + 1)] = struct.pack("<B3sB3sII", 0, b"", 0x83, b"", start, SECTORS)
            disk += self.image(block_size, seed)
        disk[510:512] = b"\x55\xAA"
        path = self.folder / f"damaged-{which[0][1]}.img"
        path.write_bytes(disk)
        return path
