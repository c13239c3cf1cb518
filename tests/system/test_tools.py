"""What people type: make run, make boots, make gdb, make bench - the tools beneath these targets."""

import re
import shutil
import subprocess
import sys

import pexpect
import pytest

from client import Client, wait_for_server
from ferry import BUILD, DISK, ISO, KERNEL, LOGS, PATHS, ROOT, Ferry, digest, sums

TOOLS = ROOT / "tools"
ROWS = [(title, state) for title in ("read + write", "mmap + write", "sendfile, SG off", "sendfile, SG on")
        for state in ("cold", "warm")]


def tool(name, *arguments, timeout=100):
    done = subprocess.run([sys.executable, str(TOOLS / name), *map(str, arguments)], cwd=ROOT, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=timeout)
    return done.returncode, done.stdout.replace("\r", "")


def expect_table(text):
    """Each path has a row for the cold cache and one for the warm one, and each says ok."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    title, rows = None, []
    for line in text.splitlines():
        heading = re.match(r"(read \+ write|mmap \+ write|sendfile, SG o\w+)\b", line)
        title = heading.group(1) if heading else title
        row = re.match(r" (cold|warm)\b.* (ok|DIFFERS)$", line)
        if row:
            rows.append((title, row.group(1)))
            assert row.group(2) == "ok", f"{title}, {row.group(1)}: expected ok, got\n{text}"
    assert rows == ROWS, f"expected the rows {ROWS}, got {rows} in\n{text}"


def test_grub_boots_the_image_and_once_it_prints_the_table():
    """As `make run </dev/null`."""
    status, text = tool("run", "--iso", ISO, "--disk", DISK, "--log", LOGS / "run-once.qemu")
    assert status == 0, f"expected status 0, got {status}\n{text}"
    expect_table(text)


def test_grub_passes_what_the_command_line_says():
    """Options of a test come to a kernel that GRUB loaded by way of fw_cfg."""
    with Ferry("ferry.run=/bin/cat,/proc/cmdline", iso=ISO) as ferry:
        status, text = ferry.finish()
    assert status == 0 and re.search(r"^root=/dev/hda.* ferry\.run=", text, re.MULTILINE), (
        f"expected the menu's options and ours, got status {status}\n{text}")


def test_make_run_serves_until_it_is_told_to_leave():
    """On a terminal: the table, a web server on localhost, a prompt, and how to leave."""
    child = pexpect.spawn(sys.executable, [str(TOOLS / "run"), "--iso", str(ISO), "--disk", str(DISK), "--log",
                                           str(LOGS / "run.qemu")], cwd=ROOT, encoding="utf-8", timeout=60,
                          codec_errors="replace", dimensions=(50, 200))
    try:
        child.expect(r"http on http://localhost:(\d+)/")
        port = int(child.match.group(1))
        child.expect("To leave:")
        expect_table(child.before.replace("\r", ""))
        child.expect(r"ferry:~# ")
        wait_for_server(port)
        for path in PATHS:
            with Client(port) as client:
                body = client.ask(f"/{path}/1m").body
            assert digest(body) == sums()["1m"], f"{path}: expected {sums()['1m']}, got {digest(body)}"
        child.send("stty size; sha256sum /data/one\r")  # the host's terminal, and a person's Enter
        child.expect("50 200")
        child.expect(sums()["one"])
        child.expect(r"ferry:~# ")
        child.send("poweroff\r")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0, f"expected status 0, got {child.exitstatus}\n{child.before}"
    finally:
        child.close(force=True)


def test_a_failing_run_has_a_failing_status():
    status, text = tool("run", "--kernel", KERNEL, "--disk", DISK, "--append", "ferry.panic=assert", "--log",
                        LOGS / "run-fails.qemu")
    assert status != 0 and "panic:" in text, f"expected a failing status and a panic, got {status}\n{text}"


def test_make_boots_counts_boots():
    status, text = tool("run", "--kernel", KERNEL, "--disk", DISK, "--repeat", 2, "--log", LOGS / "boots.qemu")
    assert status == 0 and "2 boots, 0 failed" in text, f"expected 2 boots, got status {status}\n{text}"


@pytest.mark.skipif(not (shutil.which("gdb") or shutil.which("gdb-multiarch")), reason="no gdb on this machine")
def test_gdb_stops_the_kernel_and_knows_its_names():
    status, text = tool("run", "--kernel", KERNEL, "--disk", DISK, "--no-net", "--debugger", "--log",
                        LOGS / "gdb.qemu", "--", "-batch", "-ex", "break kmain", "-ex", "continue", "-ex", "bt",
                        "-ex", "break vfs_mount_root", "-ex", "continue", "-ex", "bt")
    assert re.search(r"^#0 +kmain \(", text, re.MULTILINE), f"expected a stop in kmain, got status {status}\n{text}"
    assert re.search(r"^#0 +vfs_mount_root .*\n#1 .* start ", text, re.MULTILINE), f"expected both names, got\n{text}"


def test_two_measurements_agree_to_the_digit_and_beat_linux():
    """tools/bench: instructions per KiB are the same in two runs, and at most half of lean Linux's."""
    status, text = tool("bench", "--build", BUILD)
    assert status == 0 and "two runs agree to the digit" in text, f"expected equal runs, got status {status}\n{text}"
    ratios = [float(ratio) for ratio in re.findall(r" (\d+\.\d\d) +\d+\.\d +\d+\.\d +\d+\.\d +ok$", text, re.MULTILINE)]
    assert len(ratios) >= 8 and max(ratios) <= 0.5, f"expected at most half of Linux's, got {ratios}\n{text}"


def test_the_same_boot_executes_the_same_instructions():
    """Also where nothing is sent: the clock at the same place of two runs shows the same number."""
    clocks = []
    for _ in range(2):
        with Ferry("ferry.icount", run=["/bin/cat", "/proc/ferry/clock"], icount=True, net=False) as ferry:
            _, text = ferry.finish()
            clocks.append(re.findall(r"^(tsc|idle) (\d+)$", text, re.MULTILINE))
    assert clocks[0] and clocks[0] == clocks[1], f"expected equal clocks, got {clocks}"


def test_the_page_of_the_system_calls_is_the_tables():
    """docs/system-calls.md is what tools/mkcalls makes of kernel/sys/table.c, whose numbers are in order."""
    status, text = tool("mkcalls", "--check")
    assert status == 0, f"expected an up-to-date page, got status {status}\n{text}"


def test_names_in_the_documents_are_names_in_the_tree():
    """`name` in a document is a function, a file, a command or a word of the interface: it must be there."""
    names = set()
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        names |= set(re.findall(r"`([a-z_][a-z_0-9]+)`", document.read_text(encoding="utf-8")))
    source = "\n".join(path.read_text(encoding="utf-8", errors="replace")
                       for room in ("boot", "kernel", "drivers", "user", "tools", "tests")
                       for path in (ROOT / room).rglob("*") if path.is_file() and path.suffix != ".pyc")
    missing = sorted(name for name in names if not re.search(rf"\b{name}\b", source))
    assert not missing, f"expected every name in the tree, did not find {missing}"
