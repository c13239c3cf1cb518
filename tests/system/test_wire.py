"""What goes over the wire, seen by a packet capture between the card and the network: every checksum is
right, the bytes are the file's, and there are as many as the ledger says."""

import pytest

from capture import ETHERNET_MAX, Capture
from ferry import DATA, PATHS, Ferry
from ledger import Ledger

FILES = ["4097", "1m"]
CARDS = ["sg on", "tso off", "sg off", "tx off"]  # each from everything on


def record(path, drop=0):
    """Sends files along every path with every setting of the card. (the capture, what was asked for, the
    ledger of the machine at the end)"""
    asked = []
    with Ferry(shell=True, web=True, pcap=str(path), limit=120) as ferry:
        ferry.sh(f"echo {drop} > /proc/sys/ferry/drop_nth")
        for card in CARDS if not drop else CARDS[:1]:  # small frames lost take a minute
            ferry.sh("offload eth0 tx on sg on tso on")
            ferry.sh(f"offload eth0 {card}")
            for way in PATHS:
                for name in FILES:
                    ferry.get(f"/{way}/{name}")
                    asked.append((card, way, name))
        ferry.sh("sleep 0.3")
        ledger = Ledger(ferry.sh("cat /proc/ferry/ledger"))
        ferry.type("exit 0\n")
        ferry.finish()
    return Capture(path), asked, ledger


@pytest.fixture(scope="module", params=["every frame arrives", "every 13th is lost"])
def recorded(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("wire") / "capture.pcap"
    return record(path, 13 if "lost" in request.param else 0)


def test_every_ip_and_tcp_checksum_is_right(recorded):
    capture, _, _ = recorded
    assert len(capture.sent()) > 2000, f"expected thousands of segments from the guest, got {len(capture.sent())}"
    assert capture.bad == [], (
        f"expected none wrong of {len(capture.frames)}, got {len(capture.bad)}: {capture.bad[:10]}")


def test_no_frame_is_longer_than_ethernet_allows(recorded):
    capture, _, _ = recorded
    longest = max(map(len, capture.frames))
    assert longest <= ETHERNET_MAX, f"expected at most {ETHERNET_MAX} bytes, got {longest}"


def test_what_was_sent_is_the_file(recorded):
    capture, asked, _ = recorded
    streams = [stream for stream, _ in capture.streams() if b"\r\n\r\n" in stream][-len(asked):]
    for (card, way, name), stream in zip(asked, streams):
        head, body = stream.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200"), f"{name} by {way}, {card}: expected an answer, got {head[:40]}"
        assert body == (DATA / name).read_bytes(), f"{name} by {way}, {card}: expected the file's bytes, got others"


def test_the_ledger_counts_the_payload_that_the_wire_saw(recorded):
    capture, _, ledger = recorded
    first = sum(len(stream) for stream, _ in capture.streams())
    counted = ledger.edges["sock", "nic", "dma"] + ledger.edges["cache", "nic", "dma"]
    assert counted >= first, f"expected at least the {first} bytes of TCP, got {counted}"
    # Lost frames are on the wire as another protocol's: what was in them was sent again.
    again = sum(again for _, again in capture.streams())
    if not capture.lost():
        assert (counted, again) == (first, 0), f"expected {first} bytes, each once, got {counted}, {again} again"
    assert ledger.apart.get("retransmit", 0) >= again, (
        f"expected at least {again} bytes sent again, got {ledger.apart.get('retransmit', 0)}")


def test_a_segment_is_sent_again_only_when_one_was_lost(recorded):
    capture, _, ledger = recorded
    again = ledger.apart.get("retransmit", 0)
    assert (again > 0) == (capture.lost() > 0), f"{capture.lost()} frames were lost, and {again} bytes sent again"
