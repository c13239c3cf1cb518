"""What the kernel tells of itself, read by the tools people use; and calls that make no sense."""

import re
import time

from ferry import Ferry
from leaks import expect_holdings, settled_holdings


def processes(ferry):
    """How many there are, `ps` itself among them."""
    return len(ferry.sh("ps -o pid").split()) - 1


def open_files(ferry):
    return int(ferry.sh("cat /proc/sys/fs/file-nr").split()[0])


def test_calls_by_chance_neither_harm_nor_leak():
    """Numbers and arguments by chance, from a fixed seed: no panic, no hang, and all comes back."""
    with Ferry(shell=True, limit=200) as ferry:
        ferry.sh("/tests/badcalls 4000", seconds=60)  # what is made once and kept is there now
        before = settled_holdings(ferry), processes(ferry), open_files(ferry)
        text = ferry.sh("/tests/badcalls 40000", seconds=150)
        assert re.search(r"^\d+ passed, 0 failed$", text, re.MULTILINE), f"expected no failure, got\n{text[-2000:]}"
        expect_holdings(ferry, before[0])
        end = time.monotonic() + 10
        while (after := (processes(ferry), open_files(ferry))) != before[1:]:  # init may still have to bury some
            assert time.monotonic() < end, (
                f"expected {before[1]} processes and {before[2]} open files, got {after}\n{ferry.sh('ps')}")


def test_ps_and_its_kin_show_what_runs():
    with Ferry(shell=True) as ferry:
        ferry.sh("sleep 100 &")
        lines = ferry.sh("ps -o pid,ppid,pgid,tty,vsz,rss,stat,args").splitlines()
        assert lines[0].split() == ["PID", "PPID", "PGID", "TT", "VSZ", "RSS", "STAT", "COMMAND"]
        rows = [line.split(None, 7) for line in lines[1:]]
        init = next(row for row in rows if row[0] == "1")
        assert init[1] == "0" and init[7].startswith("/sbin/init"), f"expected init, got {init}"
        sleeper = next(row for row in rows if row[7] == "sleep 100")
        assert sleeper[6].startswith("S"), f"expected a sleeping process, got {sleeper}"
        assert sleeper[5] != "0", f"expected resident memory, got {sleeper}"
        assert any(row[7] == "[netd]" for row in rows), f"expected kernel threads in brackets, got {rows}"
        assert ferry.sh("pidof sleep").split() == [sleeper[0]]
        shell = sleeper[1]
        assert ferry.sh("readlink /proc/$$/exe").strip() == "/bin/busybox"
        assert ferry.sh(f"cat /proc/{shell}/comm").strip() == "sh"
        assert ferry.sh(f"tr '\\0' ' ' < /proc/{sleeper[0]}/cmdline").strip() == "sleep 100"
        ferry.sh(f"kill {sleeper[0]}", status=None)


def test_top_free_and_uptime_agree_with_proc():
    with Ferry(shell=True) as ferry:
        memory = {line.split()[0]: int(line.split()[1]) for line in ferry.sh("cat /proc/meminfo").splitlines()}
        free = next(line for line in ferry.sh("free").splitlines() if line.startswith("Mem:")).split()
        assert int(free[1]) == memory["MemTotal:"], f"expected {memory['MemTotal:']} KiB, got {free}"
        assert memory["MemFree:"] <= memory["MemAvailable:"] <= memory["MemTotal:"]
        assert memory["Cached:"] > 0 and memory["AnonPages:"] > 0 and memory["Slab:"] > 0
        top = ferry.sh("top -b -n1")
        assert re.search(r"^Mem: \d+K used, \d+K free", top, re.MULTILINE), f"expected memory, got\n{top}"
        assert re.search(r"^CPU: +\d+% usr +\d+% sys", top, re.MULTILINE), f"expected processor time, got\n{top}"
        assert re.search(r"^Load average: \d+\.\d\d \d+\.\d\d \d+\.\d\d \d+/\d+ \d+$", top, re.MULTILINE), top
        assert re.search(r"^ +1 +0 .*init", top, re.MULTILINE), f"expected init, got\n{top}"
        uptime = ferry.sh("uptime")
        assert re.search(r"up 0 min, .*load average: \d+\.\d\d, \d+\.\d\d, \d+\.\d\d$", uptime.strip()), uptime


def test_mount_and_dmesg_tell_what_the_machine_came_up_with():
    with Ferry(shell=True) as ferry:
        mounts = ferry.sh("mount")
        assert re.search(r"^/dev/hda on / type ext2 ", mounts, re.MULTILINE), mounts
        assert re.search(r"^proc on /proc type proc ", mounts, re.MULTILINE), mounts
        log = ferry.sh("dmesg")
        assert re.search(r"^\[ +\d+\.\d+\] hda: QEMU HARDDISK", log, re.MULTILINE), f"expected the disk, got\n{log}"
        ferry.sh("dmesg -c > /dev/null")
        assert ferry.sh("dmesg").strip() == ""


def test_a_busy_machine_has_a_load():
    with Ferry(shell=True) as ferry:
        ferry.sh("(while :; do :; done) & sleep 7; kill $!", status=None, seconds=60)
        one, five, fifteen = (float(word) for word in ferry.sh("cat /proc/loadavg").split()[:3])
        assert 0.05 < one <= 1.5 and one > five > 0 and five >= fifteen, f"got {one} {five} {fifteen}"
        cpu = ferry.sh("head -1 /proc/stat").split()
        assert int(cpu[1]) > 100, f"expected some seconds of a program's time, got {cpu}"
