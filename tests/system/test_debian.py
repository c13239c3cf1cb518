"""The distribution's own programs for i386, unmodified: ethtool, hdparm and Perl, with its C library.

On a distribution that offers no i386 package of one of them (Ubuntu) the disk goes without it, and so do
its tests.
"""

import os
import re

import pytest

from ferry import BUILD, DATA, Ferry
from leaks import expect_holdings, settled_holdings
from ledger import Ledger, difference, plus, received, table, written


def needs(program):
    return pytest.mark.skipif(not (BUILD / "root" / program).exists(),
                              reason=f"this distribution has no i386 package with {program}")


def features(ferry):
    """{feature: on} as `ethtool -k` shows them."""
    return {name: state == "on" for name, state in
            re.findall(r"^(\S+): (on|off)", ferry.sh("ethtool -k eth0"), re.MULTILINE)}


def says(ferry, command, *lines):
    """The command's output has these lines, blanks apart."""
    output = ferry.sh(command)
    words = {" ".join(line.split()) for line in output.splitlines()}
    missing = [line for line in lines if line not in words]
    assert not missing, f"`{command}`: expected {missing} in\n{output}"


# --- The C library and its dynamic linker -------------------------------------------------------------


@pytest.fixture(scope="module")
def shell():
    with Ferry(shell=True, limit=120) as ferry:
        yield ferry


def test_the_dynamic_linker_runs_a_program_that_it_is_given(shell):
    output = shell.sh("/lib/ld-linux.so.2 --version")
    assert re.search(r"^ld\.so .* version 2\.\d+\.$", output, re.MULTILINE), f"expected a version, got {output!r}"


@needs("bin/perl")
def test_perl_computes_sorts_and_matches(shell):
    got = shell.sh("""perl -e 'my %h = map { $_ => $_ * $_ } 1 .. 20000; my $n = 0; """
                   """$n += $h{$_} for sort { $b <=> $a } grep { /7$/ } keys %h; print "$n\\n"'""")
    assert got == f"{sum(n * n for n in range(7, 20001, 10))}\n"


@needs("bin/perl")
def test_perl_starts_other_programs_and_catches_signals(shell):
    got = shell.sh("""perl -e '$| = 1; print `echo from a pipe`; local $SIG{USR1} = sub { print "caught\\n" }; """
                   """kill USR1 => $$; system("exit 3;"); print $? >> 8, "\\n"; """
                   """unless (fork) { kill 9, $$ } wait; print $? & 127, "\\n"'""")
    assert got == "from a pipe\ncaught\n3\n9\n"


@needs("bin/perl")
def test_a_script_finds_its_interpreter(shell):
    shell.sh("""printf '#!/usr/bin/perl -w\\nprint "$0 @ARGV\\\\n";\\n' >/tmp/script; chmod +x /tmp/script""")
    assert shell.sh("/tmp/script one two") == "/tmp/script one two\n"


@needs("bin/perl")
def test_the_linker_maps_libraries_and_maps_tells_their_names(shell):
    maps = shell.sh("""perl -e 'open M, "/proc/self/maps"; print <M>'""")
    for name in ("perl", "ld-linux.so.2", "libc.so.6"):
        assert re.search(rf"^\S+ r-xp .*/{re.escape(name)}\S*$", maps, re.MULTILINE), (
            f"expected the text of {name} in\n{maps}")
    assert "[stack]" in maps and "[heap]" in maps, f"expected stack and heap in\n{maps}"


def test_every_command_of_busybox_is_one(shell):
    """The links on the disk name commands that this BusyBox has."""
    links = {path.name for folder in ("bin", "sbin") for path in (BUILD / "root" / folder).iterdir()
             if path.is_symlink() and os.readlink(path).endswith("busybox")}
    known = set(shell.sh("busybox --list").split())
    assert len(links) > 200 and not links - known, f"expected only commands, got {sorted(links - known)}"


def test_what_starts_and_maps_gives_everything_back(shell):
    """Dynamic programs, scripts, refused programs, mappings of every kind, segments: no page stays."""
    commands = ["/lib/ld-linux.so.2 --version >/dev/null", "/tests/programs >/dev/null", "/tests/mapping >/dev/null"]
    for command in commands:
        shell.sh(command)
    before = settled_holdings(shell)
    for command in [*commands, f"for i in $(seq 50); do {commands[0]}; done"]:
        shell.sh(command)
    expect_holdings(shell, before)


# --- ethtool ------------------------------------------------------------------------------------------


@needs("sbin/ethtool")
def test_ethtool_shows_driver_link_rings_and_statistics(shell):
    says(shell, "ethtool -i eth0", "driver: e1000", "bus-info: 0000:00:03.0", "supports-statistics: yes")
    says(shell, "ethtool eth0", "Speed: 1000Mb/s", "Duplex: Full", "Link detected: yes")
    says(shell, "ethtool -g eth0", "RX: 256", "TX: 256")
    says(shell, "ethtool -P eth0", "Permanent address: 52:54:00:12:34:56")
    before, after = (int(re.search(r"tx_packets: (\d+)", text).group(1)) for text in (
        shell.sh("ethtool -S eth0"), shell.sh("ping -c 1 10.0.2.2 >/dev/null; ethtool -S eth0")))
    assert after > before, f"expected more than {before} packets after a ping, got {after}"


@needs("sbin/ethtool")
def test_ethtool_switches_what_stands_on_what(shell):
    """As on Linux: segmentation needs scatter-gather, which needs the card's checksums."""
    all_on = {"tx-checksumming": True, "scatter-gather": True, "tcp-segmentation-offload": True}
    three = lambda: {name: features(shell)[name] for name in all_on}
    assert shell.sh("ethtool -k eth0 | grep scatter-gather").split()[:2] == ["scatter-gather:", "on"]
    assert three() == all_on
    shell.sh("ethtool -K eth0 sg off tx off tso off")
    assert three() == dict.fromkeys(all_on, False)
    assert shell.sh("ethtool -k eth0 | grep scatter-gather").split()[:2] == ["scatter-gather:", "off"]
    shell.sh("ethtool -K eth0 tso on", status=None)
    assert three() == dict.fromkeys(all_on, False), "expected nothing on while scatter-gather is off"
    shell.sh("ethtool -K eth0 tx on sg on tso on")
    assert three() == all_on
    shell.sh("ethtool -K eth0 tx off")
    assert three() == dict.fromkeys(all_on, False), "expected the others to go with the checksums"
    shell.sh("ethtool -K eth0 tx on")
    assert three() == all_on, "expected them to come back"
    output = shell.sh("ethtool -K eth0 rx on", status=None)
    assert "Cannot change rx-checksumming" in output, f"expected a refusal, got {output!r}"


@needs("sbin/ethtool")
@pytest.mark.parametrize("sg", [True, False])
def test_ethtool_really_switches_scatter_gather(web, sg):
    """sendfile of 1 MiB: without it the ledger shows the copy, with it there is none."""
    size = os.path.getsize(DATA / "1m")
    web.sh(f"ethtool -K eth0 sg {'on' if sg else 'off'}")
    try:
        with web.client() as client:
            client.ask("/sendfile/1m")
            client.send("/sendfile/1m")
            _, _, head = client.read_head()
            client.read(size)
            request = client.send("/ledger")
            bill = Ledger(client.answer().body.decode())
    finally:
        web.sh("ethtool -K eth0 tx on sg on tso on", status=None)
    expected = plus(table("sendfile", size, sg=sg), written(head), received(request))
    assert bill.edges == expected, f"scatter-gather {sg}:\n" + difference(expected, bill.edges)
    assert bill.edges.get(("cache", "sock", "cpu"), 0) == (0 if sg else size)


# --- hdparm -------------------------------------------------------------------------------------------


@needs("sbin/hdparm")
def test_hdparm_tells_what_the_driver_does(shell):
    sectors = os.path.getsize(BUILD / "disk.img") // 512
    says(shell, "hdparm /dev/hda", "using_dma = 1 (on)", "multcount = 0 (off)", "IO_support = 0 (default)",
         "unmaskirq = 0 (off)", "readonly = 0 (off)", "readahead = 256 (on)")
    output = shell.sh("hdparm -g /dev/hda")
    assert f"sectors = {sectors}, start = 0" in output, f"expected {sectors} sectors, got {output!r}"
    output = shell.sh("hdparm -i /dev/hda")
    assert "Model=QEMU HARDDISK" in output and f"LBAsects={sectors}" in output, f"got {output!r}"
    output = shell.sh("hdparm -I /dev/hda")  # asks the drive itself
    assert re.search(r"Model Number: +QEMU HARDDISK", output) and re.search(r"R/W multiple .*Max = 16", output), output
    says(shell, "hdparm -C /dev/hda", "drive state is: active/idle")


@needs("sbin/hdparm")
def test_hdparm_switches_dma_and_the_ledger_shows_who_carries(shell):
    """hdparm -d0: the CPU brings the sectors, -d1: the disk does."""
    size = os.path.getsize(DATA / "1m")
    try:
        for dma, mover in ((0, "cpu"), (1, "dma")):
            says(shell, f"hdparm -d{dma} /dev/hda", f"using_dma = {dma} ({'on' if dma else 'off'})")
            says(shell, "hdparm -d /dev/hda", f"using_dma = {dma} ({'on' if dma else 'off'})")
            shell.sh("echo 3 > /proc/sys/vm/drop_caches")
            before = Ledger(shell.sh("cat /proc/ferry/ledger")).edges
            shell.sh("cat /data/1m >/dev/null")
            after = Ledger(shell.sh("cat /proc/ferry/ledger")).edges
            moved = {who: after.get(("disk", "cache", who), 0) - before.get(("disk", "cache", who), 0)
                     for who in ("cpu", "dma")}
            assert moved[mover] >= size, f"hdparm -d{dma}: expected {size} bytes by {mover}, got {moved}"
            if mover == "cpu":
                assert moved["dma"] == 0, f"expected nothing by DMA, got {moved}"
    finally:
        shell.sh("hdparm -d1 /dev/hda", status=None)


@needs("sbin/hdparm")
def test_hdparm_agrees_on_sectors_of_a_block(shell):
    says(shell, "hdparm -m16 /dev/hda", "multcount = 16 (on)")
    says(shell, "hdparm -m0 /dev/hda", "multcount = 0 (off)")
    output = shell.sh("hdparm -m32 /dev/hda", status=None)
    assert "HDIO_SET_MULTCOUNT failed: Invalid argument" in output, f"expected a refusal, got {output!r}"
    output = shell.sh("hdparm -u1 /dev/hda", status=None)
    assert "failed" in output, f"expected a refusal of what the driver cannot do, got {output!r}"


@needs("sbin/hdparm")
def test_hdparm_measures(shell):
    for option, what in (("-t", "buffered disk reads"), ("-T", "cached reads")):
        output = shell.sh(f"hdparm {option} /dev/hda", seconds=60)
        rate = re.search(rf"Timing {what}: +(\d+) MB in +(\d+\.\d+) seconds = +([\d.]+) ", output)
        assert rate and int(rate.group(1)) >= 2 and float(rate.group(3)) > 0, f"expected a rate, got {output!r}"
