"""The machine that Ferry runs on, as a QEMU command line: tools/run and the system tests both use it.

    from machine import Machine, free_port
    m = Machine(kernel="build/ferry.elf", disks=["build/disk.img"], append="ferry.once", log="qemu.log")
    process = subprocess.Popen(m.command())
    status, text = m.verdict(process.wait())

Always there: PC (i440FX, PIIX3), IDE disks, a card e1000 on user networking, a discard server at
10.0.2.100 port 9, isa-debug-exit at 0xF4. QEMU logs guest errors and CPU resets.
"""

import os
import socket
from dataclasses import dataclass, field

TRIPLE_FAULT, TIMED_OUT = 4, 124  # statuses besides 0 and isa-debug-exit's odd ones
MAC = "52:54:00:12:34:56"


def free_port(preferred=0):
    """`preferred` if nothing listens there on localhost, else any free port."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError("no free port on localhost")


def quote(text):
    """A value inside one of QEMU's comma separated options."""
    return str(text).replace(",", ",,")


@dataclass
class Machine:
    kernel: str = None          # a multiboot kernel, loaded by QEMU itself, or
    iso: str = None             # a CD that GRUB boots
    append: str = ""            # kernel command line; appended to the menu's under GRUB
    mem: int = 128              # MiB
    cpu: str = "qemu32"
    accel: str = field(default_factory=lambda: os.environ.get("ACCEL", "tcg"))
    disks: list = field(default_factory=list)  # raw images, hda first
    writable: bool = False      # else writes go to a temporary overlay
    net: bool = True
    nic: str = "e1000"
    port: int = None            # of localhost, forwarded to the guest's port 80
    forward: list = field(default_factory=list)  # further (host port, guest port) pairs
    sink: str = None            # a file for what the discard server receives
    pcap: str = None            # a file for a packet capture
    serial: str = "stdio"       # QEMU's -serial
    monitor: str = "none"       # QEMU's -monitor
    icount: bool = False        # the clock counts instructions: the same on every machine
    gdb: str = None             # a path for gdb's socket; the CPU waits for gdb
    log: str = "build/qemu.log"
    extra: list = field(default_factory=list)

    def command(self):
        line = ["qemu-system-i386", "-M", "pc", "-accel", self.accel, "-cpu", self.cpu, "-m", str(self.mem),
                "-display", "none", "-vga", "std", "-serial", self.serial,
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                "-no-reboot", "-d", "guest_errors,cpu_reset", "-D", self.log]
        if self.monitor:
            line += ["-monitor", self.monitor]
        if self.kernel:
            line += ["-kernel", self.kernel, "-append", self.append]
        if self.iso:
            line += ["-cdrom", self.iso, "-boot", "order=d"]
            if self.append:
                line += ["-fw_cfg", f"name=opt/org.ferry/cmdline,string={quote(self.append)}"]
        # hda, hdb and hdd: hdc is the CD's.
        for index, disk in zip((0, 1, 3), self.disks):
            line += ["-drive", f"file={quote(disk)},if=ide,index={index},format=raw"
                               f",snapshot={'off' if self.writable else 'on'}"]
        line += self._network()
        if self.icount:
            # The RTC counts from a fixed date, and not in virtual time: its alarm would be a timer to jump to.
            line += ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=rt"]
        if self.gdb:
            line += ["-S", "-chardev", f"socket,id=gdb,path={quote(self.gdb)},server=on,wait=off",
                     "-gdb", "chardev:gdb"]
        return line + list(self.extra)

    def _network(self):
        if not self.net:
            return ["-nic", "none"]
        # QEMU acknowledges what the guest sends to 10.0.2.100 port 9 at once, with its window always
        # open, and acknowledges a FIN without ever sending its own.
        sink = f"file,path={quote(self.sink)}" if self.sink else "null"
        user = "user,id=n0,ipv6=off,guestfwd=tcp:10.0.2.100:9-chardev:sink"
        for host, guest in ([(self.port, 80)] if self.port else []) + list(self.forward):
            user += f",hostfwd=tcp:127.0.0.1:{host}-:{guest}"
        line = ["-chardev", sink + ",id=sink", "-netdev", user]
        rom = "" if "isa" in self.nic else ",romfile="
        line += ["-device", f"{self.nic},netdev=n0,mac={MAC}{rom}"]
        if self.pcap:
            line += ["-object", f"filter-dump,id=pcap,netdev=n0,file={quote(self.pcap)}"]
        return line

    def verdict(self, returncode):
        """(status, what happened) from QEMU's exit status; status 0 is a guest that powered off."""
        if returncode == 0:
            try:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    if "Triple fault" in log.read():
                        return TRIPLE_FAULT, f"triple fault; the CPU's last state is in {self.log}"
            except FileNotFoundError:
                pass
            return 0, "the guest powered off"
        if returncode > 0 and returncode % 2 == 1 and returncode != 1:
            return returncode, f"the guest ended with failing status {returncode >> 1}"
        return returncode if returncode > 0 else 128 - returncode, f"QEMU ended with status {returncode}"
