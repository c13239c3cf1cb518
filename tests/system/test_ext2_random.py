"""Random operations on ext2: what Linux makes of them is what we must make of them."""

import subprocess

import pytest

from disks import TESTS, debugfs, writing

OPERATIONS = 20_000


def last_lines(text):
    return [line for line in text.splitlines() if line.startswith(("tree", str(OPERATIONS)))]


@pytest.mark.parametrize("block_size, seed, memory", [(1024, 1, 128), (2048, 2, 128), (4096, 3, 128), (1024, 4, 32)])
def test_random_operations_give_the_tree_that_linux_makes(block_size, seed, memory, writable_disk, tmp_path):
    """The results of all operations, and the tree: on Linux, on Ferry, and as debugfs reads it from the image."""
    (tmp_path / "host").mkdir()
    fsops = str(TESTS / "fsops")
    host = subprocess.run([fsops, str(tmp_path / "host"), str(seed), str(OPERATIONS)], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    disk = writable_disk(block_size, 64)
    with writing(disk, mem=memory) as ferry:
        guest = ferry.sh(f"fsops -c /w {seed} {OPERATIONS}", seconds=90)
    assert last_lines(guest) == last_lines(host), f"expected\n{host}\ngot\n{guest}"
    debugfs(disk, f"rdump /w {tmp_path}")
    image = subprocess.run([fsops, "-d", str(tmp_path / "w")], text=True, check=True, stdout=subprocess.PIPE).stdout
    assert image.strip() == last_lines(host)[-1], f"expected the image to hold the same, got {image}"
