"""What takes a minute: a peer that vanishes is given up after its last retransmission, and a connection of a
client that left first stays in TIME_WAIT for 60 seconds (RFC 9293, 3.6.1). Both wait at the same time, and in
the background: conftest.py calls start() before the first test of the session."""

import time
from concurrent.futures import ThreadPoolExecutor

from ferry import PATHS, Ferry, digest, sums
from leaks import expect_holdings, settled_holdings

LISTENER_ALONE = {"tcp_active": 0, "tcp_time_wait": 0, "sockets": 1, "orphans": 0}
started = None


def start():
    global started
    started = ThreadPoolExecutor(1).submit(wait_for_the_end_of_connections)


def connections(ferry):
    net = ferry.proc("ferry/net")
    return {name: net[name] for name in LISTENER_ALONE}


def wait_for_the_end_of_connections():
    """(the machine, its connections at first, at the end)"""
    with Ferry(shell=True, web=True, limit=200) as ferry:
        for path in PATHS:
            ferry.get(f"/{path}/64m")
        before = settled_holdings(ferry)
        for _ in range(20):  # the server ends these, and keeps them in TIME_WAIT
            with ferry.client() as client:
                client.ask("/sendfile/one", headers={"Connection": "close"})
                client.at_end()
        vanishing = [ferry.client(receive_buffer=65536) for _ in PATHS]
        for path, client in zip(PATHS, vanishing):
            client.send(f"/{path}/64m")
            client.read_head()
            client.read(300_000)
        ferry.sh("echo 1 > /proc/sys/ferry/drop_nth")  # every frame is lost: to the guest all peers are gone
        first = last = connections(ferry)
        end = time.monotonic() + 150
        while last != LISTENER_ALONE and time.monotonic() < end:
            time.sleep(1)
            last = connections(ferry)
        ferry.sh("echo 0 > /proc/sys/ferry/drop_nth")
        for client in vanishing:
            client.close()
        expect_holdings(ferry, before)
        assert digest(ferry.get("/sendfile/1m").body) == sums()["1m"], "expected a right file afterwards"
        return ferry, first, last


def test_vanished_clients_and_old_connections_are_forgotten():
    ferry, first, last = started.result()
    Ferry.machines.append(ferry)
    assert first["tcp_time_wait"] >= 20 and first["tcp_active"] == len(PATHS), (
        f"expected 20 in TIME_WAIT and {len(PATHS)} whose peer vanished, got {first}")
    assert last == LISTENER_ALONE, f"expected the listening socket alone, got {last}"
