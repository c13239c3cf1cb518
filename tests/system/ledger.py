"""The kernel's ledger as a program outside sees it, and what the design's table says must be in it.

An edge is (from, to, mover), as in "disk cache dma"; see docs/architecture.md.
"""

import os
from functools import lru_cache

from ferry import DATA

PAGE = 4096


class Ledger:
    """The text of /proc/ferry/ledger, /proc/<pid>/ledger, or of the web server's /ledger."""

    def __init__(self, text):
        self.edges, self.apart, self.entries, self.switches, self.values = {}, {}, {}, {}, {}
        for line in text.splitlines():
            kind, *words = line.split()
            if kind == "edge":
                self.edges[tuple(words[:3])] = int(words[4])
            elif kind == "apart":
                self.apart[words[0]] = int(words[2])
            elif kind == "entry":
                self.entries[words[0]] = int(words[1])
            elif kind == "switch":
                self.switches[words[0]] = int(words[1])
            else:
                self.values[kind] = words[0]  # of /ledger: path, body, response_header


@lru_cache(maxsize=None)
def on_disk(name):
    """How many bytes of a file of /data are on the disk; the rest are holes, and full of zeroes."""
    count = 0
    with open(DATA / name, "rb") as data:
        while True:
            block = data.read(PAGE)
            if not block:
                return count
            if any(block) or name != "sparse":
                count += len(block)


def table(path, size, *, sg=True, cold_file=None):
    """The edges that `size` bytes of file cross along the path. `cold_file`: and come from the disk."""
    edges = {}
    if cold_file is not None:
        disk = on_disk(cold_file)
        holes = os.path.getsize(DATA / cold_file) - disk
        edges["disk", "cache", "dma"] = disk
        edges["zero", "cache", "cpu"] = holes
    if path == "readwrite":
        edges["cache", "user", "cpu"] = size
    if path in ("readwrite", "mmap"):
        edges["user", "sock", "cpu"] = size
        edges["sock", "nic", "dma"] = size
    elif sg:
        edges["cache", "nic", "dma"] = size
    else:
        edges["cache", "sock", "cpu"] = size
        edges["sock", "nic", "dma"] = size
    return clean(edges)


def clean(edges):
    return {edge: count for edge, count in edges.items() if count}


def plus(*accounts):
    total = {}
    for edges in accounts:
        for edge, count in edges.items():
            total[edge] = total.get(edge, 0) + count
    return clean(total)


def written(size):
    """A text that a program writes to a socket: an answer's head."""
    return {("user", "sock", "cpu"): size, ("sock", "nic", "dma"): size}


def received(size):
    """A request that a program reads. Its checksum is computed by the CPU: the card cannot."""
    return {("nic", "sock", "dma"): size, ("nic", "sock", "touch"): size, ("sock", "user", "cpu"): size}


def difference(expected, got):
    """What differs, a line an edge."""
    return "\n".join(f"    {' '.join(edge)}: expected {expected.get(edge, 0)}, got {got.get(edge, 0)}"
                     for edge in sorted(set(expected) | set(got)) if expected.get(edge, 0) != got.get(edge, 0))
