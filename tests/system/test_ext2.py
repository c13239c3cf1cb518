"""Writing to ext2, case by case: what was written is what the host reads from the image afterwards, and
e2fsck has nothing to say (disks.py looks after every test)."""

import hashlib
import re
import subprocess

import pytest

from disks import ENV, GUEST, contents, debugfs, expect_clean, pieces, power_off, writing
from ferry import Ferry
from images import Image

SIZES = [1024, 2048, 4096]


# Linux's ext2 has no fallocate either, takes a file for one piece of data, and keeps whole seconds.
NOT_ON_EXT2 = {"SEEK_DATA finds it", "SEEK_HOLE finds the hole", "data begins with its block", "and ends with it",
               "fallocate works", "and makes the file longer", "a hole can be punched", "exactly there",
               "and modification time to the nanosecond"}


def pattern(name, length):
    """The bytes of `yes NAME | head -c LENGTH`, which the guest writes."""
    line = name.encode() + b"\n"
    return (line * (length // len(line) + 1))[:length]


def field(image, name, what):
    """A number of `debugfs stat`."""
    return int(re.search(rf"{what}: *(\d+)", debugfs(image, f"stat {name}")).group(1))


def free_of(ferry, folder="/w"):
    """(free KiB, free inodes), by df."""
    kib = int(ferry.sh(f"df -k {folder} | tail -1").split()[3])
    return kib, int(ferry.sh(f"df -i {folder} | tail -1").split()[3])


def super_counts(image):
    said = debugfs(image, "show_super_stats -h")
    return [int(re.search(rf"^{what}: +(\d+)$", said, re.MULTILINE).group(1)) for what in ("Free blocks", "Free inodes")]


# --- Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block_size", SIZES)
def test_the_guest_tests_of_writing_pass_on_the_disk(block_size, writable_disk):
    """What they check on tmpfs, and on Linux, holds on ext2, too."""
    with writing(writable_disk(block_size)) as ferry:
        for name in GUEST:
            output = ferry.sh(f"TMPDIR=/w {name}", status=None, seconds=60)
            bad = [line for line in re.findall(r"^not ok - (.*)$", output, re.MULTILINE)
                   if line.split(":")[0] not in NOT_ON_EXT2]
            assert not bad and re.search(r"^\d+ passed, \d+ failed$", output, re.MULTILINE), (
                f"{name}: expected all to pass, got\n" + "\n".join(bad or [output[-500:]]))
        assert ferry.sh("ls /w") == "", "expected nothing to be left behind"


@pytest.mark.parametrize("block_size", SIZES)
def test_contents_are_on_the_disk_as_they_were_written(block_size, writable_disk):
    """Create, append, overwrite, sparse, both ways of truncate: as debugfs reads them."""
    image = writable_disk(block_size)
    with writing(image) as ferry:
        ferry.sh("cd /w; yes created | head -c 100000 >new; cp new appended; yes more | head -c 5001 >>appended")
        ferry.sh("cp new over; yes OVER | dd of=over bs=1 seek=4090 count=20 conv=notrunc 2>/dev/null")
        for mib in (0, 1, 5, 20):  # into each level of the tree with 1 KiB blocks, but the last
            ferry.sh(f"printf end | dd of=sparse bs=1 seek={mib * 1048576 + 777} conv=notrunc 2>/dev/null")
        ferry.sh("printf end | dd of=deep bs=1024 seek=70000 2>/dev/null")  # and into the last
        ferry.sh("cp new short; truncate -s 4097 short; cp new longer; truncate -s 150001 longer")
        ferry.sh("cp new again; truncate -s 5 again; truncate -s 9000 again; cp new emptied; >emptied")
    new = pattern("created", 100000)
    over = bytearray(new)
    over[4090:4110] = pattern("OVER", 20)
    sparse = bytearray(20 * 1048576 + 780)
    for mib in (0, 1, 5, 20):
        sparse[mib * 1048576 + 777:mib * 1048576 + 780] = b"end"
    expected = {"new": new, "appended": new + pattern("more", 5001), "over": bytes(over), "sparse": bytes(sparse),
                "deep": bytes(70000 * 1024) + b"end", "short": new[:4097], "longer": new + bytes(50001),
                "again": new[:5] + bytes(8995), "emptied": b""}
    for name, data in expected.items():
        got = contents(image, f"/w/{name}")
        assert got == data, f"{name}: expected {len(data)} bytes as written, got {len(got)}, others"
    assert field(image, "/w/sparse", "Blockcount") <= 4 * (3 * block_size // 512), "expected holes to take no blocks"
    assert field(image, "/w/emptied", "Blockcount") == 0


def test_names_of_every_kind_are_on_the_disk(writable_disk):
    """Hard links, short and long symbolic links, devices, FIFOs, names of 255 characters."""
    image = writable_disk(1024)
    long = "n" * 255
    with writing(image) as ferry:
        ferry.sh("cd /w; echo text >file; ln file hard; ln -s file short")
        ferry.sh(f"ln -s {'x' * 59} just; ln -s {'y' * 60} block; ln -s {'z' * 1023} longest; echo hi >{long}")
        ferry.sh(f"ln -s {'z' * 1024} toolong", status=1)
        assert "too long" in ferry.sh(f"echo hi 2>&1 >{long}n", status=None)
        ferry.sh("mkfifo fifo; mknod null c 1 3; mknod far b 259 70000; chown 70000:80000 hard; chmod 6751 hard")
        ferry.sh("mkdir -p a/b/c; mv a/b/c a/moved; mv a/moved .; rmdir a/b")
        ferry.sh("echo one >one; echo two >two; mv one two; ! test -e one; mv two /tmp/two; cp /tmp/two two")
    assert field(image, "/w/file", "Links") == 2 and contents(image, "/w/hard") == b"text\n"
    assert "Fast link dest: \"" + "x" * 59 in debugfs(image, "stat /w/just")
    assert field(image, "/w/block", "Blockcount") == 2 and contents(image, "/w/block") == b"y" * 60
    assert contents(image, "/w/longest") == b"z" * 1023 and contents(image, f"/w/{long}") == b"hi\n"
    hard = debugfs(image, "stat /w/hard")
    assert "Mode:  06751" in hard and re.search(r"User: +70000 +Group: +80000", hard), hard
    assert "01:03" in debugfs(image, "stat /w/null") and "FIFO" in debugfs(image, "stat /w/fifo")
    assert "259:70000" in debugfs(image, "stat /w/far"), debugfs(image, "stat /w/far")
    assert field(image, "/w/a", "Links") == 2 and field(image, "/w/moved", "Links") == 2
    assert contents(image, "/w/two") == b"one\n"


@pytest.mark.parametrize("block_size", [1024, 4096])
def test_a_directory_grows_and_shrinks(block_size, writable_disk):
    """2000 names, in many blocks; without them it has one block again, and all of it is free again."""
    image = writable_disk(block_size)
    with writing(image) as ferry:
        ferry.sh("mkdir /w/many; cd /w/many")
        before = free_of(ferry)
        ferry.sh("for i in $(seq 2000); do >a-name-of-some-length-$i; done", seconds=60)
        assert free_of(ferry)[1] == before[1] - 2000
        ferry.sh("sync; for i in $(seq 1 2 2000); do rm a-name-of-some-length-$i; done", seconds=60)
        assert len(ferry.sh("ls").split()) == 1000
        ferry.sh("for i in $(seq 1500); do >another-name-$i; done; sync", seconds=60)  # into the gaps
        ferry.sh("cd ..; mv many kept; cd kept; ls | wc -l | grep -qx 2500; cd /; rm -r /w/kept; mkdir /w/many",
                 seconds=60)
        assert free_of(ferry) == before, f"expected {before} to be free again, got {free_of(ferry)}"
    assert field(image, "/w/many", "Size") == block_size


def test_an_unlinked_file_lives_while_it_is_open(writable_disk):
    image = writable_disk(1024)
    with writing(image) as ferry:
        before = free_of(ferry)
        ferry.sh("yes held | head -c 300000 >/w/file; exec 5</w/file; rm /w/file; sync; ! test -e /w/file")
        assert free_of(ferry)[0] < before[0] - 290
        assert hashlib.sha256(pattern("held", 300000)).hexdigest() in ferry.sh("sha256sum <&5")
        ferry.sh("exec 5<&-")
        assert free_of(ferry) == before, f"expected {before} to be free again, got {free_of(ferry)}"


def test_what_has_no_name_is_gone_with_the_machine(writable_disk):
    """Files that are open at power off; before, they keep a file system from becoming read-only."""
    image = writable_disk(1024)
    with writing(image) as ferry:
        ferry.sh("cp /data/large /w/a; cp /data/large /w/b; exec 5</w/a 6</w/b; rm /w/a /w/b")
        assert "busy" in ferry.sh("mount -o remount,ro / 2>&1", status=None)
        ferry.sh("exec 5<&-")
    assert "clean" in debugfs(image, "show_super_stats -h").split("Filesystem state:")[1].splitlines()[0]


def test_attributes_that_others_have_made_go_with_their_file(writable_disk):
    """A block beside the file, which Ferry does not read."""
    image = writable_disk(1024)
    Image(image).debugfs("feature ext_attr", "ea_set /data/small user.name value", "ea_set /data/other user.name value")
    assert field(image, "/data/small", "File ACL") > 0
    with writing(image) as ferry:
        ferry.sh("rm -f /data/small; echo more >>/data/other")
    assert "value" in debugfs(image, "ea_get /data/other user.name")


def test_free_counts_agree_with_the_disk(writable_disk):
    """df, the superblock, and e2fsck's own count."""
    image = writable_disk(2048)
    with writing(image) as ferry:
        ferry.sh("cd /w; mkdir d; for i in $(seq 50); do yes $i | head -c $((i * 3000)) >d/$i; done; rm d/*7; sync")
        kib, inodes = free_of(ferry)
    assert super_counts(image) == [kib // 2, inodes]


def test_times_are_those_of_the_clock(writable_disk):
    image = writable_disk(4096)
    with writing(image) as ferry:
        now = int(ferry.sh("echo hi >/w/new; touch -d @1000000000 /w/old; date +%s"))
        assert ferry.sh("sync; echo 3 >/proc/sys/vm/drop_caches; stat -c %Y /w/old").strip() == "1000000000"
        ferry.sh("echo more >>/w/old; chmod 600 /w/new")
    for name in ("old", "new"):
        times = dict(re.findall(r"([acm]time): 0x([0-9a-f]+)", debugfs(image, f"stat /w/{name}")))
        assert 0 <= int(times["ctime"], 16) - now <= 30 and 0 <= int(times["mtime"], 16) - now <= 30, times


def atime_of(image, name):
    return int(re.search(r"atime: 0x([0-9a-f]+)", debugfs(image, f"stat {name}")).group(1), 16)


def test_reading_is_noted_on_the_disk_as_the_mount_says(writable_disk):
    """relatime, with its day; noatime, nodiratime, strictatime; and a read alone writes nothing at once."""
    image = writable_disk(1024)
    with writing(image) as ferry:
        ferry.sh("cd /w; mkdir dir; for f in rel none all; do echo $f >$f; touch -a -d @1000000000 $f; done; sync")
        assert "/ ext2 rw,relatime " in ferry.sh("cat /proc/mounts")
        before = int(ferry.sh("grep '^nr_dirtied ' /proc/vmstat").split()[1])
        ferry.sh("date -s @$(($(date +%s) + 10)); cat rel; for i in $(seq 50); do read x <rel; done")
        assert int(ferry.sh("grep '^nr_dirtied ' /proc/vmstat").split()[1]) - before < 5, "expected no write per read"
        first = int(ferry.sh("stat -c %X rel"))
        assert first > 1000000000
        ferry.sh("sync; date -s @$(($(date +%s) + 86000)); cat rel")
        assert int(ferry.sh("stat -c %X rel")) == first, "expected a day without a change"
        ferry.sh("date -s @$(($(date +%s) + 500)); cat rel")
        assert int(ferry.sh("stat -c %X rel")) >= first + 86400, "expected that day to be over"

        ferry.sh("mount -o remount,noatime /; touch -a -d @1000000000 dir none; cat none; ls dir")
        assert " rw,noatime 0 0" in ferry.sh("grep ' / ' /proc/mounts")
        assert ferry.sh("stat -c %X dir none").split() == ["1000000000"] * 2
        ferry.sh("mount -o remount,atime,nodiratime /; cat none; ls dir")
        assert " rw,nodiratime,relatime 0 0" in ferry.sh("grep ' / ' /proc/mounts")
        times = [int(word) for word in ferry.sh("stat -c %X dir none").split()]
        assert times[0] == 1000000000 < times[1], times
        ferry.sh("mount -o remount,strictatime /; touch -a -d @2000000000 all; cat all")
        assert " rw,nodiratime 0 0" in ferry.sh("grep ' / ' /proc/mounts")
        assert int(ferry.sh("stat -c %X all")) < 2000000000, "expected each read to count"
        last = int(ferry.sh("mount -o remount,relatime /; stat -c %X rel"))
    assert atime_of(image, "/w/rel") == last and atime_of(image, "/w/dir") == 1000000000


# --- Where blocks lie ---------------------------------------------------------------------------------


@pytest.mark.parametrize("block_size", [1024, 4096])
def test_files_lie_in_one_piece(block_size, writable_disk):
    """One after the other, and two that grow at the same time."""
    image = writable_disk(block_size)
    with writing(image) as ferry:
        ferry.sh("cd /w; for i in 1 2 3 4 5; do yes $i | head -c 300000 >one$i; done")
        ferry.sh("for i in $(seq 100); do yes $i | head -c 4000 >>a; yes $i | head -c 4000 >>b; done")
    for name in ("one1", "one2", "one3", "one4", "one5"):
        runs, blocks = pieces(image, f"/w/{name}")
        assert runs <= 2, f"{name}: expected its {blocks} blocks in a row, got {runs} pieces"
    for name in ("a", "b"):
        runs, blocks = pieces(image, f"/w/{name}")
        assert runs <= 2 + blocks // 16, f"{name}: expected pieces of 32 blocks, got {runs} for {blocks}"


# --- Limits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block_size", [1024, 4096])
def test_a_full_disk_loses_nothing_and_is_usable_again(block_size, writable_disk):
    image = writable_disk(block_size, 16)
    with writing(image) as ferry:
        ferry.sh("cd /w; yes kept | head -c 200000 >kept; sync; cp kept grows")
        before = free_of(ferry)
        assert "No space" in ferry.sh("dd if=/dev/zero of=full bs=64k 2>&1", status=1)
        assert free_of(ferry)[0] < 8, "expected nearly all to be in use"
        size = int(ferry.sh("stat -c %s full"))
        assert "No space" in ferry.sh("yes x | head -c 300000 2>&1 >>grows", status=None) or free_of(ferry)[0] < 8
        for command in ("mkdir dir", f"ln -s {'t' * 100} link"):
            assert "No space" in ferry.sh(f"{command} 2>&1", status=1), command
        ferry.sh("for i in $(seq 200); do >in-the-directory-there-may-be-room-$i; done 2>/dev/null", status=None)
        grown = int(ferry.sh("sync; stat -c %s grows"))
        ferry.sh("rm -f in-*; rm full")
        assert free_of(ferry)[0] >= before[0] - (grown - 200000) // 1024 - 24, "expected room again"
        ferry.sh("mkdir dir && cp kept dir/after && cmp kept dir/after")
    assert contents(image, "/w/kept") == contents(image, "/w/dir/after") == pattern("kept", 200000)
    grows = contents(image, "/w/grows")
    assert grows[:200000] == pattern("kept", 200000) and not grows[200000:].strip(b"x\n"), "expected nothing else in it"
    assert len(grows) == grown and size > 4 << 20


def fill(ferry, uid, gid, name):
    """(bytes, errno, blocks free, blocks available) of fsfill."""
    return [int(word) for word in ferry.sh(f"fsfill {uid} {gid} {name}").split()[1::2]]


@pytest.mark.parametrize("block_size", [1024, 4096])
def test_the_last_blocks_are_kept_for_root_and_whom_it_names(block_size, writable_disk):
    """s_r_blocks_count, s_def_resuid and s_def_resgid, as mke2fs and tune2fs set them."""
    image, kept = writable_disk(block_size, 16), 500
    subprocess.run(["tune2fs", "-r", str(kept), "-u", "1001", "-g", "1002", str(image)], env=ENV, check=True,
                   stdout=subprocess.DEVNULL)
    with writing(image) as ferry:
        ferry.sh("chmod 777 /w; mkdir -m 777 /w/d")
        taken, errno, free, available = fill(ferry, 1000, 1000, "/w/user")
        less_than_a_page = range(4096 // block_size)
        assert errno == 28 and taken > 1 << 20 and free - kept in less_than_a_page and available == free - kept, (
            taken, errno, free, available)
        assert fill(ferry, 1000, 1000, "/w/user") == [0, 28, free, available], "expected no block more for the same user"
        assert fill(ferry, 1000, 1000, "/w/d/empty") == [0, 28, free, available], "expected a name, and no block"
        df = [int(word) for word in ferry.sh("df -B1024 /w | tail -1").split()[1:4]]
        assert df[2] == available * block_size // 1024 and df[0] - df[1] == free * block_size // 1024, df
        for uid, gid in ((1001, 1), (1, 1002), (0, 0)):
            ferry.sh("rm -f /w/other")
            taken, errno, free, available = fill(ferry, uid, gid, "/w/other")
            assert taken >= (kept - 8) * block_size and errno == 28 and free in less_than_a_page and available == 0, (
                uid, taken, errno, free)
        ferry.sh("rm /w/user /w/other")
        assert int(ferry.sh("df -B1024 /w | tail -1").split()[3]) > 1024


def test_free_counts_of_before_a_crash_are_counted_anew(writable_disk):
    """What the superblock says is as old as the last sync; the groups know."""
    image = writable_disk(1024)
    blocks, inodes = super_counts(image)
    Image(image).super_field(12, "I", 7)
    Image(image).super_field(16, "I", 4_000_000_000)
    with writing(image) as ferry:
        kib, files = free_of(ferry)
        assert abs(kib - blocks) < 50 and abs(files - inodes) < 50, f"expected about {blocks} and {inodes}, got {kib}, {files}"


def test_no_inode_left_is_enospc(writable_disk):
    with writing(writable_disk(1024, 8)) as ferry:
        left = free_of(ferry)[1]
        ferry.sh("mkdir /w/i; cd /w/i; for d in $(seq 40); do mkdir $d; for i in $(seq 250); do >$d/$i; done; done "
                 "2>/dev/null", status=None, seconds=100)
        assert free_of(ferry)[1] < 50 < left or free_of(ferry)[0] < 8
        assert "No space" in ferry.sh("mkdir x 2>&1", status=1)
        ferry.sh("cd /; rm -r /w/i; echo hi >/w/again", seconds=100)


def test_more_links_than_others_expect_are_emlink(writable_disk):
    """32000 names of a file, 31998 directories in one: the counts are set from outside, and then put right again."""
    image = writable_disk(1024)
    with writing(image) as ferry:
        ferry.sh("cd /w; echo x >file; mkdir full other; ln file one; rm one")
    Image(image).debugfs("sif /w/file links_count 31999", "sif /w/full links_count 31999")
    with Ferry(shell=True, disk=image, writable=True, net=False) as ferry:
        ferry.sh("cd /w; ln file last; mkdir full/last; mkdir -p other/more; echo y >full/file")
        for command in ("ln file no", "mkdir full/no", "mv other full/", "mv other/more full/"):
            assert "Too many links" in ferry.sh(f"{command} 2>&1", status=1), command
        ferry.sh("mv full/last full/renamed; mv file moved; mv other/more full/renamed; rm last; ln moved last; rm last")
        ferry.sh("rmdir full/renamed/more full/renamed; mkdir full/again; rmdir full/again")
        power_off(ferry)
    assert field(image, "/w/moved", "Links") == 31999 and field(image, "/w/full", "Links") == 31999
    Image(image).debugfs("sif /w/moved links_count 1", "sif /w/full links_count 2")
    expect_clean(image)


def test_a_file_ends_where_its_tree_does(writable_disk):
    """16 GiB with 1 KiB blocks: EFBIG, and nothing is left behind of what was tried."""
    image = writable_disk(1024)
    most = (12 + 256 + 256 ** 2 + 256 ** 3) * 1024
    with writing(image) as ferry:
        before = free_of(ferry)
        ferry.sh(f"cd /w; truncate -s {most} big; echo >>big 2>/dev/null", status=1)
        ferry.sh(f"truncate -s {most + 1} big 2>&1 | grep -q 'File too large'")
        ferry.sh(f"printf x | dd of=big bs=1 seek={most - 1} conv=notrunc 2>/dev/null; sync")
        assert ferry.sh(f"tail -c 2 big | od -An -tx1").split() == ["00", "78"]
        ferry.sh("rm big")
        assert free_of(ferry) == before


def test_a_read_only_file_system_stays_as_it_is(writable_disk):
    """By `ro` on the command line; then remounted for writing, and back."""
    image = writable_disk(4096)
    before = image.read_bytes()
    with Ferry("ro", shell=True, disk=image, writable=True, net=False) as ferry:
        for command in ("echo x >/w/new", "rm -f /data/small", "mkdir /w/d", "mv -f /data/small /data/x", "chmod 0 /data/small",
                        "ln /data/small /data/y", "touch /data/small", "truncate -s 1 /data/small"):
            assert "Read-only" in ferry.sh(f"{command} 2>&1", status=None), f"expected EROFS from {command}"
        ferry.sh("cat /data/* >/dev/null 2>&1; sync", status=None)
        power_off(ferry)
    assert image.read_bytes() == before, "expected not a byte to be changed"
    with Ferry("ro", shell=True, disk=image, writable=True, net=False) as ferry:
        ferry.sh("mount -o remount,rw / && echo x >/w/new && exec 5>/w/open")
        assert "busy" in ferry.sh("mount -o remount,ro / 2>&1", status=None), "expected EBUSY: a file is open for writing"
        ferry.sh("exec 5>&-; fsmap /w/mapped 8192 hold >/tmp/said & until grep -q mapped /tmp/said; do :; done")
        assert "busy" in ferry.sh("mount -o remount,ro / 2>&1", status=None), "expected EBUSY: a file is mapped for writing"
        ferry.sh("kill $!; wait $!; mount -o remount,ro /")
        assert "Read-only" in ferry.sh("echo x 2>&1 >/w/more", status=None)
        ferry.qemu.kill()
    expect_clean(image)
    assert contents(image, "/w/new") == b"x\n"


@pytest.mark.parametrize("_", range(3))
def test_nothing_comes_behind_a_remount_to_read_only(_, writable_disk):
    """A task makes and removes names all the time; what is on the disk then is whole."""
    image = writable_disk(1024)
    with Ferry(shell=True, disk=image, writable=True, net=False) as ferry:
        ferry.sh("mount -t tmpfs none /tmp; cd /w; (while :; do mkdir a; mkdir a/b; mv a/b c; ln -s x a/l; rm -r a c; done) "
                 ">/tmp/said 2>&1 &")
        for _ in range(8):
            ferry.sh("until mount -o remount,ro / 2>/dev/null; do :; done; mount -o remount,rw /")
        ferry.sh("until mount -o remount,ro / 2>/dev/null; do :; done; sleep 1; grep -c Read-only /tmp/said")
        ferry.qemu.kill()
    expect_clean(image)


def test_an_image_without_file_types_or_features_is_written(writable_disk):
    """Revision 1 with nothing; a large file makes e2fsck's `large_file` feature appear."""
    image = writable_disk(1024)
    subprocess.run(["debugfs", "-w", "-R", "feature -filetype -large_file", str(image)], env=ENV, check=True,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    subprocess.run(["e2fsck", "-fy", str(image)], env=ENV, check=False, stdout=subprocess.PIPE)
    with writing(image) as ferry:
        ferry.sh("mkdir /w/d; echo hi >/w/d/file; ln -s file /w/d/link; ls -l /w/d | grep -q link; rm /w/d/link")
        ferry.sh("truncate -s 3000000000 /w/large")
    assert contents(image, "/w/d/file") == b"hi\n"


def test_a_directory_that_cannot_grow_leaves_nothing_behind(writable_disk):
    """The disk fills while a directory gets its first table: with each number of blocks left."""
    with writing(writable_disk(1024, 8)) as ferry:
        ferry.sh("mkdir /w/many; cd /w/many; i=0; while test $(stat -c %s /w/many) -lt 12288; do i=$((i+1)); "
                 f">{'n' * 200}$i; done; sync", seconds=60)
        ferry.sh("dd if=/dev/zero of=/w/full bs=1k 2>/dev/null", status=1)
        for left in (0, 1, 2, 3):
            ferry.sh(f"truncate -s $(($(stat -c %s /w/full) - {left} * 1024)) /w/full")
            ferry.sh(f"for i in $(seq 12); do >/w/many/{'m' * 200}-{left}-$i; done 2>/dev/null", status=None)
            ferry.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
