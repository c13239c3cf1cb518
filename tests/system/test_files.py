"""Writing files: tmpfs under the tools of everyday, its limits, mounts, and that all memory comes back."""

import re

from ferry import Ferry, sums
from leaks import expect_holdings, settled_holdings


def everyday_work(ferry):
    """What a person does with files: each step's result is looked at, then everything is removed."""
    ferry.sh("mkdir /tmp/work && cd /tmp/work")
    ferry.sh("cp /data/1m /data/one . && mkdir -p tree/a/b && cp -r /etc /tests/badelf tree/a/b")
    expected = sums()["1m"]
    assert expected in ferry.sh("sha256sum 1m"), "expected cp to copy the file"
    ferry.sh("tar czf tree.tgz tree && mkdir out && tar xzf tree.tgz -C out && diff -r tree out/tree")
    ferry.sh("gzip 1m && gzip -t 1m.gz && gunzip 1m.gz")
    assert expected in ferry.sh("sha256sum 1m"), "expected gzip and gunzip to give the file back"
    ferry.sh("mv tree moved && mv moved/a/b/etc . && ! test -e moved/a/b/etc")
    assert ferry.sh("find . -name hostname | sort").split() == ["./etc/hostname",
                                                                "./out/tree/a/b/etc/hostname"]
    ferry.sh("printf 'one\\ntwo\\nthree\\n' >text && sed -i 's/two/2/' text && echo four >>text")
    assert ferry.sh("cat text") == "one\n2\nthree\nfour\n"
    ferry.sh(r"printf 'kjdd:wq\r' | vi text >/dev/null 2>&1")  # its first key is lost without a terminal
    assert ferry.sh("cat text") == "one\nthree\nfour\n"
    ferry.sh("ln text hard && ln -s text soft && cmp hard soft && rm text && ! cat soft 2>/dev/null && cat hard")
    ferry.sh("dd if=/dev/urandom of=r bs=64k count=20 2>/dev/null")
    ferry.sh("head -c 700001 r >p1 && tail -c +700002 r >p2 && cat p1 p2 | cmp - r")
    ferry.sh("mkfifo pipe && (cat r >pipe & cmp pipe r)")
    ferry.sh("seq 5000 | sort -r | sort -n | tail -1 | grep -qx 5000")
    ferry.sh("cd / && rm -r /tmp/work")
    assert ferry.sh("ls -A /tmp") == ""


def test_everyday_tools_work_on_tmp_and_give_all_memory_back():
    """Done twice: the first time brings the pages of the programs, which the shell then has mapped."""
    with Ferry(shell=True, net=False) as ferry:
        everyday_work(ferry)
        before = settled_holdings(ferry)
        everyday_work(ferry)
        expect_holdings(ferry, before)


def fill_a_tmpfs(ferry):
    ferry.sh("mount -t tmpfs -o size=256k,mode=755 scratch /mnt")
    assert re.search(r"^scratch /mnt tmpfs rw,relatime,size=256k,nr_inodes=\d+,mode=755 0 0$",
                     ferry.sh("cat /proc/mounts"), re.MULTILINE)
    assert "No space left" in ferry.sh("dd if=/dev/zero of=/mnt/z bs=4k count=100 2>&1", status=1)
    assert "262144" in ferry.sh("ls -l /mnt/z")
    assert "100%" in ferry.sh("df /mnt")
    ferry.sh("echo x >/mnt/y", status=1)
    ferry.sh("rm -f /mnt/z /mnt/y; echo x >/mnt/y && grep -q x /mnt/y")
    ferry.sh("mount -o remount,ro /mnt")
    assert "Read-only" in ferry.sh("echo x 2>&1 >/mnt/new", status=1)
    ferry.sh("mount -o remount,rw /mnt && mkdir /mnt/dir && cd /mnt/dir")
    assert "busy" in ferry.sh("umount /mnt 2>&1", status=1)
    ferry.sh("cd / && umount /mnt && ! test -e /mnt/dir")


def test_a_full_tmpfs_says_so_and_goes_on():
    """ENOSPC at its limit, nothing lost; then room again; and an unmount while it is used: EBUSY."""
    with Ferry(shell=True, net=False) as ferry:
        fill_a_tmpfs(ferry)
        before = settled_holdings(ferry)
        fill_a_tmpfs(ferry)
        expect_holdings(ferry, before)


def test_what_nobody_else_has_is_never_dropped():
    """Files in RAM survive drop_caches and a machine that runs short of memory; the disk's cache goes."""
    with Ferry(shell=True, net=False, mem=64) as ferry:
        ferry.sh("cp /data/1m /tmp; echo 3 >/proc/sys/vm/drop_caches")
        assert sums()["1m"] in ferry.sh("sha256sum /tmp/1m")
        ferry.sh("dd if=/dev/zero of=/tmp/fill bs=1M count=40 2>/dev/null; cat /data/16m >/dev/null")
        assert sums()["1m"] in ferry.sh("sha256sum /tmp/1m")
        ferry.sh("rm /tmp/*")


def test_files_in_ram_leave_memory_to_programs():
    """However many such file systems are filled: ENOSPC comes before the last memory is gone."""
    with Ferry(shell=True, net=False, mem=64) as ferry:
        for folder in ("/tmp", "/var", "/run", "/root"):
            assert "No space left" in ferry.sh(f"dd if=/dev/zero of={folder}/fill bs=64k 2>&1", status=1)
        assert sums()["1m"] in ferry.sh("sha256sum /data/1m")
        ferry.sh("seq 1000 | sort -n | tail -1 | grep -qx 1000")
        ferry.sh("rm /tmp/fill /var/fill /run/fill /root/fill && cp /data/1m /tmp && rm /tmp/1m")


def test_a_disk_mounted_read_only_takes_nothing():
    with Ferry(shell=True, net=False) as ferry:
        ferry.sh("mount -o remount,ro /")
        for command in ("echo x >/etc/new", "mkdir /data/new", "rm -f /data/one", "mv -f /data/one /data/two",
                        "chmod 600 /data/one", "echo x >>/data/one", "touch /data/one"):
            assert re.search("[Rr]ead-only", ferry.sh(f"({command}) 2>&1", status=None)), command
        assert "busy" in ferry.sh("dd if=/dev/zero of=/dev/hda count=1 2>&1", status=1)
        assert sums()["one"] in ferry.sh("sha256sum /data/one")
