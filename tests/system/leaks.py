"""What a machine holds: free frames, pages by holder, sockets, lwIP's pools, packets at the card.

Taken before and after, these must be equal. That is asked for with an empty page cache, and it may take a
moment: a closed connection ends when the peer has acknowledged that.
"""

import time

COUNTERS = {"tx_packets", "tx_bytes", "tx_descriptors", "tx_doorbells", "doorbells", "tx_tso", "tx_busy",
            "tx_dropped_fault", "rx_packets", "rx_bytes", "rx_missed", "rx_errors", "rx_dropped_fault", "irqs",
            "reg_reads", "reg_writes", "tx_slots", "tx_bounced", "tx_no_record", "tx_ring_full", "rx_no_buffer",
            "tx_stale", "rx_refused",
            "acks_merged", "ip_drop", "ip_chkerr", "tcp_xmit", "tcp_recv", "tcp_drop", "tcp_chkerr", "tcp_memerr"}


def holdings(ferry):
    """{what: how many}. Connections in TIME_WAIT are taken out of their pool: they end in 60 seconds."""
    if ferry.web:  # the server learns that its children ended when the next client comes
        ferry.get("/ledger/system")
        ferry.sh("sleep 0.05")
    ferry.sh("sync; echo 3 > /proc/sys/vm/drop_caches")  # dirty pages stay, until they are written
    held = {}
    # A slab's objects are counted, not its pages: where the living ones lie depends on what went before.
    slabs = 0
    for line in ferry.sh("cat /proc/ferry/pages /proc/slabinfo").splitlines():
        words = line.split()
        if words[0] in ("total", "free"):
            held[words[0]] = int(words[1])
        elif words[0] == "hold":
            held[" ".join(words[:2])] = int(words[2])
        elif len(words) == 5 and words[0] != "pages":  # NAME OBJECTS SIZE PER_SLAB SLABS
            held["slab " + words[0]] = int(words[1])
            slabs += int(words[4])
    held["hold kernel"] -= slabs
    held["free"] += slabs
    # The shell that asks may have grown: its memory is its own.
    own = {line.split(":")[0]: int(line.split()[1]) // 4
           for line in ferry.sh("grep -E '^Rss(Anon|File)' /proc/$$/status").splitlines() if ":" in line}
    held["hold map"] -= own["RssAnon"] + own["RssFile"]
    held["free"] += own["RssAnon"]
    for line in ferry.sh("cat /proc/ferry/net").splitlines():
        words = line.split()
        if words[0] == "pool":  # NAME USED MAX
            held["pool " + words[1]] = int(words[2])
        elif words[0] == "heap":  # USED MAX
            held["heap"] = int(words[1])
        elif len(words) == 2 and words[1].isdigit() and words[0] not in COUNTERS:
            held[words[0]] = int(words[1])
    held["pool TCP_PCB"] -= held.pop("tcp_time_wait")
    # Free receive buffers stay in their pool for a while: what counts is that they are back in it.
    held["free"] += held.pop("hold rx")
    del held["rx_pages"], held["rx_buffers"]
    # Timers run while there are connections, those in TIME_WAIT too, and stop a moment later.
    del held["pool SYS_TIMEOUT"]
    return held


def settled_holdings(ferry, seconds=20):
    """The same, as soon as two in a row agree."""
    end = time.monotonic() + seconds
    held = holdings(ferry)
    while True:
        before, held = held, holdings(ferry)
        if held == before:
            return held
        assert time.monotonic() < end, f"expected the machine to come to rest, got\n{before}\n{held}"


def expect_holdings(ferry, before, seconds=10):
    """Fails unless the machine holds what it held before, within that time."""
    end = time.monotonic() + seconds
    while True:
        after = holdings(ferry)
        if after == before:
            return
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    changes = "\n".join(f"    {what}: expected {before.get(what)}, got {after.get(what)}"
                        for what in sorted(set(before) | set(after)) if before.get(what) != after.get(what))
    raise AssertionError(f"something leaks: {seconds} s after the test this has not come back:\n{changes}\n"
                         + ferry.tail())
