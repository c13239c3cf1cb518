"""Write-back: dirty pages reach the disk by age, by amount, and before their writer outruns it; and the
ledger knows each byte that did."""

import re
import time

import pytest

from disks import contents, debugfs, e2fsck, writing
from ferry import Ferry
from ledger import Ledger

MIB = 1 << 20


def knobs(ferry, **values):
    for name, value in values.items():
        ferry.sh(f"echo {value} >/proc/sys/vm/dirty_{name}; grep -qx {value} /proc/sys/vm/dirty_{name}")


def eventually(ferry, is_so, what, seconds=10):
    end = time.monotonic() + seconds
    while not is_so(ferry.proc("vmstat")):
        assert time.monotonic() < end, f"expected {what} within {seconds} s, got {ferry.proc('vmstat')}"
        time.sleep(0.1)


def test_what_is_old_is_written_without_being_asked(writable_disk):
    """Nobody calls sync, and QEMU is killed: the file is there all the same, its name, size and bytes."""
    image = writable_disk(4096)
    with Ferry(shell=True, disk=image, writable=True, net=False) as ferry:
        knobs(ferry, writeback_centisecs=10, expire_centisecs=30)
        ferry.sh("mkdir /w/d; yes old | head -c 500000 >/w/d/file")
        eventually(ferry, lambda now: now["nr_dirty"] == now["nr_writeback"] == 0, "nothing to be dirty")
        ferry.qemu.kill()
    status, said = e2fsck(image, "-y")
    assert status in (0, 1), said
    assert contents(image, "/w/d/file") == (b"old\n" * 125001)[:500000]


def test_what_is_young_stays_in_the_cache(writable_disk):
    with writing(writable_disk(4096)) as ferry:
        knobs(ferry, writeback_centisecs=10, expire_centisecs=3000)
        before = ferry.proc("vmstat")
        ferry.sh("yes young | head -c 409600 >/w/file; sleep 1")
        after = ferry.proc("vmstat")
        table = 1  # of blocks: flushd has put the inode into its table, and this one goes before
        assert after["nr_dirty"] >= 100 and after["nr_written"] <= before["nr_written"] + table, after
        assert after["nr_dirtied"] >= before["nr_dirtied"] + 100, after
        assert ferry.sh("grep -E '^Dirty: +[1-9][0-9]* kB' /proc/meminfo")
        ferry.sh("rm /w/file")  # what is removed before it was written costs nothing
        eventually(ferry, lambda now: now["nr_dirty"] < 20, "the file's pages to be gone")
        assert ferry.proc("vmstat")["nr_written"] <= before["nr_written"] + table


def test_beyond_the_background_limit_writing_starts_at_once(writable_disk):
    with writing(writable_disk(4096), mem=64) as ferry:
        knobs(ferry, writeback_centisecs=3000, expire_centisecs=30000, background_ratio=5, ratio=60)
        ferry.sh("yes x | head -c 2000000 >/w/below; sleep 0.5")
        assert ferry.proc("vmstat")["nr_dirty"] >= 480, "expected 2 MB to be below 5 % of 64 MiB"
        ferry.sh("yes x | head -c 3000000 >/w/above")
        eventually(ferry, lambda now: now["nr_written"] >= 480 and now["nr_dirty"] < 820, "what was there to be written")


@pytest.mark.parametrize("how", ["write", "mmap"])
def test_a_writer_cannot_outrun_the_disk(how, writable_disk):
    """Never more is dirty than vm.dirty_ratio allows, and a bit; without flushd's help."""
    with writing(writable_disk(4096, 48), mem=64) as ferry:
        knobs(ferry, writeback_centisecs=0, background_ratio=99, ratio=5)
        command = "head -c 24000000 /dev/zero >/w/big" if how == "write" else "fsmap /w/big 24000000"
        ferry.sh("mkdir /tmp/x && mount -t tmpfs x /tmp/x && (while test ! -e /tmp/x/end; do "
                 "grep nr_dirty' ' /proc/vmstat; done >/tmp/x/seen) & true")
        ferry.sh(command, seconds=60)
        ferry.sh("touch /tmp/x/end; wait")
        seen = [int(line.split()[1]) for line in ferry.sh("cat /tmp/x/seen").splitlines() if line.startswith("nr_d")]
        limit = 64 * MIB // 4096 * 5 // 100
        assert seen and max(seen) <= limit + 64, f"expected never more than {limit} dirty pages, got {max(seen)}"
        now = ferry.proc("vmstat")
        assert now["balance_dirty_pages"] >= 24000000 // 4096 // limit - 2 and now["nr_dirty"] <= limit + 64, now


def test_limits_in_bytes_take_the_place_of_those_in_percent(writable_disk):
    with writing(writable_disk(4096), mem=64) as ferry:
        knobs(ferry, writeback_centisecs=0, bytes=8192, background_bytes=1)
        assert "Invalid argument" in ferry.sh("echo 8191 2>&1 >/proc/sys/vm/dirty_bytes", status=1)
        assert ferry.sh("cat /proc/sys/vm/dirty_ratio /proc/sys/vm/dirty_background_ratio").split() == ["0", "0"]
        now = ferry.proc("vmstat")
        assert (now["nr_dirty_threshold"], now["nr_dirty_background_threshold"]) == (2, 1)
        ferry.sh("head -c 409600 /dev/zero >/w/file")
        assert ferry.proc("vmstat")["nr_written"] >= 90, "expected the writer to have waited for nearly every page"
        knobs(ferry, ratio=20, background_ratio=10)
        assert ferry.sh("cat /proc/sys/vm/dirty_bytes /proc/sys/vm/dirty_background_bytes").split() == ["0", "0"]


@pytest.mark.parametrize("block_size", [1024, 4096])
@pytest.mark.parametrize("size", [1, 4096, 100_001, 1 << 20])
def test_each_byte_of_a_file_is_carried_to_the_disk_once(block_size, size, writable_disk):
    """Payload as long as the file, padding up to its last block's end; what else goes is metadata."""
    with writing(writable_disk(block_size)) as ferry:
        knobs(ferry, writeback_centisecs=0)
        ferry.sh("sync; cat /proc/ferry/ledger >/dev/null")
        before = Ledger(ferry.sh("cat /proc/ferry/ledger"))
        ferry.sh(f"head -c {size} /dev/zero | tr '\\0' x >/w/file; sync; sync")
        after = Ledger(ferry.sh("cat /proc/ferry/ledger"))

        def moved(*edge):
            return after.edges.get(edge, 0) - before.edges.get(edge, 0)

        assert moved("cache", "disk", "dma") == size and moved("cache", "disk", "cpu") == 0
        assert moved("user", "cache", "cpu") == size
        assert after.apart["padding"] - before.apart["padding"] == -size % block_size
        metadata = after.apart["metadata"] - before.apart["metadata"]
        assert 0 < metadata <= 40 * block_size and metadata % 512 == 0, f"got {metadata} bytes of metadata"


@pytest.mark.parametrize("letters, metadata", [("dwd", False), ("dwf", True)])
def test_fdatasync_leaves_times_alone(letters, metadata, writable_disk):
    """Bytes written over others change mtime only: for fdatasync no metadata go to the disk, for fsync they do."""
    with writing(writable_disk(4096)) as ferry:
        knobs(ferry, writeback_centisecs=0)
        ferry.sh("head -c 8192 /dev/zero >/w/file; fsyncs /w/file 0 wf; sync; cat /proc/ferry/ledger >/dev/null")
        before = Ledger(ferry.sh("cat /proc/ferry/ledger"))
        ferry.sh(f"fsyncs /w/file 0 {letters}")
        after = Ledger(ferry.sh("cat /proc/ferry/ledger"))
        assert after.edges["cache", "disk", "dma"] - before.edges["cache", "disk", "dma"] == 4096
        moved = after.apart["metadata"] - before.apart["metadata"]
        assert bool(moved) == metadata, f"got {moved} bytes of metadata"


def test_sync_file_range_writes_that_range_alone(writable_disk):
    """And no metadata: what it has written is on the disk, but not found there yet."""
    with writing(writable_disk(4096)) as ferry:
        knobs(ferry, writeback_centisecs=0)
        ferry.sh("head -c 40960 /dev/zero >/w/file; fsyncs /w/file 1 wf; fsyncs /w/file 5 wcr; sync")
        ferry.sh("fsyncs /w/file 2 w; cat /proc/ferry/ledger >/dev/null")
        before = Ledger(ferry.sh("cat /proc/ferry/ledger")), ferry.proc("vmstat")
        ferry.sh("fsyncs /w/file 7 wr")
        after = Ledger(ferry.sh("cat /proc/ferry/ledger")), ferry.proc("vmstat")
        assert after[0].edges["cache", "disk", "dma"] - before[0].edges["cache", "disk", "dma"] == 4096
        assert after[0].apart["metadata"] == before[0].apart["metadata"]
        assert after[1]["nr_dirty"] >= 1, "expected page 2 to be dirty still"


@pytest.mark.parametrize("block_size", [1024, 4096])
def test_what_processes_write_to_one_file_is_there_however_often_it_is_written_back(block_size, writable_disk):
    """flushd all the time, hardly any memory, and what is clean dropped again and again."""
    with writing(writable_disk(block_size), mem=20) as ferry:
        knobs(ferry, writeback_centisecs=1, expire_centisecs=1, background_ratio=1, ratio=3)
        ferry.sh("mkdir /tmp/x && mount -t tmpfs x /tmp/x && "
                 "(while test ! -e /tmp/x/end; do echo 3 >/proc/sys/vm/drop_caches; sleep 0.2; done) & true")
        for _ in range(3):
            output = ferry.sh("TMPDIR=/w coherence", status=None, seconds=60)
            assert re.search(r"^\d+ passed, 0 failed$", output, re.MULTILINE), output
        ferry.sh("touch /tmp/x/end; wait")


@pytest.mark.parametrize("block_size", [1024, 4096])
def test_what_a_mapping_holds_behind_the_end_does_not_go_to_the_disk(block_size, writable_disk):
    """The rest of a file's last block is zero there, however much of the page a program has filled."""
    image = writable_disk(block_size)
    with writing(image) as ferry:
        ferry.sh("head -c 100 /dev/zero >/w/file; fsyncs /w/file 0 mf; fsyncs /w/file 0 ms")
    block = int(debugfs(image, "blocks /w/file").split()[0])
    assert contents(image, "/w/file") == b"m" * 100
    assert image.read_bytes()[block * block_size:][:block_size] == b"m" * 100 + bytes(block_size - 100)
