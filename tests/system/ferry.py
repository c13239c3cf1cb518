"""One QEMU with Ferry in it, and what the system tests ask of it.

    with Ferry(run=["/tests/files"]) as ferry:          # one program, then the machine powers off
        status, output = ferry.finish()

    with Ferry(shell=True) as ferry:                    # BusyBox's shell reads the serial line
        ferry.sh("sha256 /data/1m")

    with Ferry(shell=True, web=True) as ferry:          # and the web server runs in the background
        ferry.get("/sendfile/1m").body

Every machine has a time limit; when it is over, QEMU is ended and whoever waits is told. All that the
guest says is kept in build/test/system/, and the end of it is shown by a test that fails (conftest.py).
"""

import codecs
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from machine import Machine, free_port  # noqa: E402
from client import Client, Gone, wait_for_server  # noqa: E402

BUILD = ROOT / os.environ.get("FERRY_BUILD", "build")
KERNEL = Path(os.environ.get("FERRY_KERNEL", BUILD / "ferry.elf"))
ISO = BUILD / "ferry.iso"
DISK = BUILD / "disk.img"
DATA = ROOT / "build" / "data"
LOGS = ROOT / "build" / "test" / "system"

PATHS = ["readwrite", "mmap", "sendfile"]  # as serve's URLs have them

class Died(AssertionError):
    """QEMU ended, or was ended by its time limit, while a test waited for something."""


def sums():
    """{name: SHA-256} of the files of /data, as tools/mkdata computed them."""
    lines = (DATA / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Ferry:
    """A machine from power-on to power-off. Ends only the QEMU that it started."""

    machines = []  # of the current test and the fixtures that it uses: conftest.py prints their logs
    test = "test"  # the name of the current test, for log files
    count = 0

    def __init__(self, append="", *, run=None, shell=False, web=False, limit=60, disk=DISK, disks=None,
                 may_panic=False, kernel=KERNEL, iso=None, net=True, **machine):
        """`run` is a program with arguments. `limit` is in seconds, for the whole life of the machine.
        What is not named here is for tools/machine.py: mem, cpu, pcap, icount, extra ..."""
        options = [append]
        if shell:  # not interactive: the shell reads the terminal as a script, without line editor
            run = ["/bin/sh", "/dev/console"]
        if run:
            options.append("ferry.run=" + ",".join(run))
        Ferry.count += 1
        LOGS.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", Ferry.test)[:80]
        self.log = LOGS / f"{name}-{Ferry.count}.serial"
        self.qemu_log = LOGS / f"{name}-{Ferry.count}.qemu"
        self.port = free_port() if net else None
        if disks is None:
            disks = [disk] if disk else []
        self.machine = Machine(kernel=None if iso else str(kernel), iso=str(iso) if iso else None,
                               append=" ".join(filter(None, options)), disks=[str(d) for d in disks], net=net,
                               port=self.port, log=str(self.qemu_log), **machine)
        self.shell, self.web, self.limit, self.may_panic = shell, web, limit, may_panic
        self.text = ""  # all that came over the serial line, with plain newlines
        self.timed_out = False
        self._changed = threading.Condition()
        self._closed = False
        self._seen = 0  # how far expect has looked
        self._commands = 0

    # --- From power-on to power-off -------------------------------------------------------------------

    def __enter__(self):
        Ferry.machines.append(self)
        self.qemu_log.unlink(missing_ok=True)
        self.qemu = subprocess.Popen(self.machine.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, cwd=ROOT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._watchdog = threading.Timer(self.limit, self._time_is_up)
        self._watchdog.daemon = True
        self._watchdog.start()
        try:
            if self.shell:
                self._start_shell()
            if self.web:
                self._start_web()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind, value, traceback):
        self._stop()
        if kind is None and not self.may_panic:
            assert "panic:" not in self.text, "expected no panic, got one:\n" + self.tail()

    def _stop(self):
        self._watchdog.cancel()
        self.qemu.kill()
        self.qemu.wait()
        self._reader.join()
        self.qemu.stdin.close()
        self.qemu.stdout.close()

    def _time_is_up(self):
        self.timed_out = True
        self.qemu.kill()

    def _read(self):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may come in two pieces
        with open(self.log, "wb") as log:
            while True:
                data = self.qemu.stdout.read1(65536)
                log.write(data)
                log.flush()
                with self._changed:
                    self.text += decoder.decode(data).replace("\r", "")
                    self._closed = not data
                    self._changed.notify_all()
                if not data:
                    return

    @property
    def alive(self):
        return self.qemu.poll() is None

    def finish(self, seconds=None):
        """Waits until the machine powers itself off. (QEMU's status, everything that was said)."""
        try:
            code = self.qemu.wait(seconds or self.limit + 5)
        except subprocess.TimeoutExpired:
            raise Died(f"expected the machine to power off within {seconds} s, it still runs\n" +
                       self.tail()) from None
        self._watchdog.cancel()
        self._reader.join()
        if self.timed_out:
            raise Died(f"expected the machine to power off within {self.limit} s, got no end\n" + self.tail())
        return self.machine.verdict(code)[0], self.text

    # --- The console ----------------------------------------------------------------------------------

    def tail(self, lines=40):
        shown = re.sub(r"[^\n\x20-\x7e]", "?", self.text).splitlines()[-lines:]
        return "\n".join(["--- end of " + str(self.log), *shown, "---"])

    def expect(self, pattern, seconds=30):
        """The next match of the pattern in what the guest says; waits for it."""
        pattern = re.compile(pattern, re.MULTILINE)
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                match = pattern.search(self.text, self._seen)
                if match:
                    self._seen = match.end()
                    return match
                left = end - time.monotonic()
                if self._closed or left <= 0:
                    break
                self._changed.wait(left)
        how = (f"its limit of {self.limit} s was over" if self.timed_out else
               "QEMU ended" if self._closed else f"nothing after {seconds} s")
        raise Died(f"expected {pattern.pattern!r} on the console, got {how}\n{self.tail()}")

    def type(self, text):
        self.qemu.stdin.write(text.encode())
        self.qemu.stdin.flush()

    def _start_shell(self):
        self.expect(r"^ferry ")  # what is typed earlier, the serial line's start may lose
        self.type("stty -echo; echo @@'ready'\n")
        self.expect(r"^@@ready$")

    def sh(self, command, status=0, seconds=30):
        """Runs a command in the guest's shell. Its output; fails unless it ends with that status
        (None: any)."""
        self._commands += 1
        mark = f"@@{self._commands}@"
        start = self._seen
        self.type(f"{command}\necho {mark} $?\n")
        match = self.expect(rf"^(?:.*?){mark} (\d+)\n", seconds)  # a line may come in pieces
        with self._changed:
            output = self.text[start:match.start()].lstrip("\n") + match.group(0).split(mark)[0]
        got = int(match.group(1))
        assert status is None or got == status, (
            f"`{command}`: expected status {status}, got {got}\n{output}\n{self.tail()}")
        return output

    def proc(self, name):
        """{key: number} of a file below /proc whose lines are words and a number at the end."""
        found = {}
        for line in self.sh(f"cat /proc/{name}").splitlines():
            words = line.split()
            if len(words) >= 2 and words[-1].isdigit():
                found[" ".join(words[:-1])] = int(words[-1])
        return found

    # --- The web server -------------------------------------------------------------------------------

    def _start_web(self):
        self.sh("serve -d /data &")
        try:
            wait_for_server(self.port)
        except (OSError, Gone) as error:
            raise Died(f"expected a web server, got {error!r}\n{self.tail()}") from None

    def client(self, **options):
        return Client(self.port, **options)

    def get(self, target, method="GET", headers=None):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.ask(target, method, headers)

    def guest_errors(self):
        """What QEMU noted about the guest's handling of devices; a CPU's reset is no error."""
        register = re.compile(r"^(CPU Reset|E[A-DSI][XIP]=|ESI=|EIP=|[CDEFGS]S =|LDT=|TR =|[GI]DT=|CR0=|DR\d=|"
                              r"EFER=|FCW=|FPR\d=|XMM\d+=|CCS=|CR2=|$)")
        if not self.qemu_log.exists():
            return []
        lines = self.qemu_log.read_text(errors="replace").splitlines()
        return [line for line in lines if not register.match(line)]


def run(*program, limit=60, **options):
    """Boots, runs the program, powers off. (the program's exit status, what it printed)."""
    with Ferry(run=list(program), limit=limit, **options) as ferry:
        status, text = ferry.finish()
        match = re.search(r"^exit status (\d+)$", text, re.MULTILINE)
        assert status == 0 and match, (
            f"expected the machine to run {program} and power off, got status {status}\n{ferry.tail()}")
        return int(match.group(1)), text
