"""Frames by hand: the test is the only neighbour on the guest's wire, and says what no stack would say.

QEMU's `socket` network carries each Ethernet frame in a datagram on the loopback interface.
"""

import random
import socket
import struct
import time

import dpkt
import pytest

from ferry import Ferry, free_port

GUEST_MAC, OUR_MAC = bytes.fromhex("525400123456"), bytes.fromhex("525400aabbcc")
GUEST_IP, OUR_IP = bytes([10, 0, 2, 15]), bytes([10, 0, 2, 2])
SECOND = 1.2  # QEMU's card receives nothing in the second after it was started


class Wire:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.guest = "127.0.0.1", free_port()
        here = self.socket.getsockname()[1]
        self.options = ["-netdev", f"socket,id=n0,udp=127.0.0.1:{here},localaddr=127.0.0.1:{self.guest[1]}",
                        "-device", "e1000,netdev=n0,mac=52:54:00:12:34:56,romfile="]

    def send(self, frame):
        self.socket.sendto(bytes(frame), self.guest)

    def answers(self, seconds=1.0):
        """The frames that come within that time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                yield dpkt.ethernet.Ethernet(self.socket.recv(65536))
            except socket.timeout:
                return

    def ask(self, frame, wanted, tries=10):
        """Sends the frame until an answer fits; a neighbour may have to be looked up first."""
        for _ in range(tries):
            self.send(frame)
            for answer in self.answers():
                if arp_request(answer):
                    self.send(arp_reply())
                elif wanted(answer):
                    return answer
        raise AssertionError(f"expected an answer to {frame!r}, got none")


def ethernet(payload, kind=dpkt.ethernet.ETH_TYPE_IP):
    return dpkt.ethernet.Ethernet(dst=GUEST_MAC, src=OUR_MAC, type=kind, data=payload)


def arp_request(frame):
    return frame.type == dpkt.ethernet.ETH_TYPE_ARP and frame.data.op == dpkt.arp.ARP_OP_REQUEST


def arp_reply():
    return ethernet(dpkt.arp.ARP(op=dpkt.arp.ARP_OP_REPLY, sha=OUR_MAC, spa=OUR_IP, tha=GUEST_MAC, tpa=GUEST_IP),
                    dpkt.ethernet.ETH_TYPE_ARP)


def echo_request(sequence, data):
    echo = dpkt.icmp.ICMP.Echo(id=0x4652, seq=sequence, data=data)
    icmp = dpkt.icmp.ICMP(type=dpkt.icmp.ICMP_ECHO, data=echo)
    packet = dpkt.ip.IP(src=OUR_IP, dst=GUEST_IP, p=dpkt.ip.IP_PROTO_ICMP, data=icmp)
    packet.len = len(packet)
    return ethernet(packet)


def echo_reply(sequence, data):
    def fits(frame):
        icmp = frame.data.data if isinstance(frame.data, dpkt.ip.IP) else None
        return (isinstance(icmp, dpkt.icmp.ICMP) and icmp.type == dpkt.icmp.ICMP_ECHOREPLY
                and (icmp.data.seq, icmp.data.data) == (sequence, data))
    return fits


@pytest.fixture(scope="module")
def wired():
    wire = Wire()
    with Ferry("ip=10.0.2.15::10.0.2.2:255.255.255.0", shell=True, net=False, limit=120,
               extra=wire.options) as ferry:
        time.sleep(SECOND)
        yield ferry, wire


def test_an_arp_request_is_answered(wired):
    _, wire = wired
    request = dpkt.arp.ARP(op=dpkt.arp.ARP_OP_REQUEST, sha=OUR_MAC, spa=OUR_IP, tha=bytes(6), tpa=GUEST_IP)
    answer = wire.ask(ethernet(request, dpkt.ethernet.ETH_TYPE_ARP),
                      lambda f: f.type == dpkt.ethernet.ETH_TYPE_ARP and f.data.op == dpkt.arp.ARP_OP_REPLY)
    assert (answer.data.sha, answer.data.spa) == (GUEST_MAC, GUEST_IP)


@pytest.mark.parametrize("size", [0, 1, 56, 1472])
def test_an_echo_request_is_answered_with_right_checksums(wired, size):
    _, wire = wired
    data = bytes(i % 251 for i in range(size))
    answer = wire.ask(echo_request(size, data), echo_reply(size, data))
    packet = answer.data
    assert sum_of(bytes(packet)[:20]) == 0xFFFF, "expected a right IP checksum"
    assert sum_of(bytes(packet)[20:packet.len]) == 0xFFFF, "expected a right ICMP checksum"


def sum_of(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def nonsense(dice):
    """A frame that is wrong somewhere: noise, or a packet with bytes turned over, cut short or made longer."""
    kind = dice.randrange(4)
    if kind == 0:
        return GUEST_MAC + OUR_MAC + dice.randbytes(dice.randrange(2, 1500))
    flags = dice.randrange(256)
    tcp = dpkt.tcp.TCP(sport=dice.randrange(1, 65536), dport=dice.choice([80, 7, 65535]), seq=dice.getrandbits(32),
                       ack=dice.getrandbits(32), flags=flags, win=dice.randrange(65536),
                       data=dice.randbytes(dice.randrange(600)))
    packet = dpkt.ip.IP(src=OUR_IP, dst=GUEST_IP, p=dice.choice([1, 2, 6, 6, 6, 17, 255]), data=tcp)
    packet.len = len(packet)
    if kind == 1:
        packet.len = dice.randrange(65536)
    frame = bytearray(bytes(ethernet(packet)))
    for _ in range(dice.randrange(6) if kind > 1 else 0):
        frame[dice.randrange(12, len(frame))] = dice.randrange(256)
    if kind == 3:
        frame = frame[:dice.randrange(14, len(frame) + 1)]
    return bytes(frame)


def test_nonsense_on_the_wire_does_no_harm_and_leaks_nothing(wired):
    ferry, wire = wired
    wire.ask(echo_request(1, b"before"), echo_reply(1, b"before"))
    before = ferry.proc("ferry/net"), ferry.proc("ferry/pages")
    dice = random.Random(1969)
    for number in range(3000):
        wire.send(nonsense(dice))
        if number % 50 == 0:
            time.sleep(0.01)  # so that most of them find a free receive buffer
    wire.ask(echo_request(2, b"after"), echo_reply(2, b"after"))
    after = ferry.proc("ferry/net"), ferry.proc("ferry/pages")
    for name in ("sockets", "tx_inflight"):
        assert after[0].get(name) == before[0].get(name), (
            f"{name}: expected {before[0].get(name)}, got {after[0].get(name)}")
    for holder in ("hold sock", "hold tx", "hold use"):
        assert after[1][holder] == before[1][holder], (
            f"{holder}: expected {before[1][holder]}, got {after[1][holder]}")
