"""A packet capture of QEMU's, taken apart: are the checksums right, and which bytes went over the wire?"""

import struct
from collections import namedtuple

import dpkt

GUEST = bytes([10, 0, 2, 15])
ETHERNET_MAX = 1514

Segment = namedtuple("Segment", "number ip tcp raw_ip payload")


def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class Capture:
    def __init__(self, path):
        self.frames = []
        with open(path, "rb") as file:
            self.frames = [data for _, data in dpkt.pcap.Reader(file)]
        self.segments, self.bad = [], []
        for number, frame in enumerate(self.frames, 1):
            ethernet = dpkt.ethernet.Ethernet(frame)
            if ethernet.type != dpkt.ethernet.ETH_TYPE_IP:
                continue
            total, = struct.unpack_from("!H", frame, 16)
            self._packet(number, frame[14:14 + total])  # a short frame is padded behind that

    def _packet(self, number, raw):
        header = (raw[0] & 0xF) * 4
        if ones_sum(raw[:header]) != 0xFFFF:
            self.bad.append(f"frame {number}: IP checksum")
        protocol, body = raw[9], raw[header:]
        if protocol == dpkt.ip.IP_PROTO_TCP:
            pseudo = raw[12:20] + struct.pack("!BBH", 0, protocol, len(body))
            if ones_sum(pseudo + body) != 0xFFFF:
                self.bad.append(f"frame {number}: TCP checksum, {len(body)} bytes")
            tcp = dpkt.tcp.TCP(body)
            self.segments.append(Segment(number, dpkt.ip.IP(raw), tcp, raw, body[tcp.off * 4:]))
        elif protocol == dpkt.ip.IP_PROTO_UDP and body[6:8] != b"\0\0":
            pseudo = raw[12:20] + struct.pack("!BBH", 0, protocol, len(body))
            if ones_sum(pseudo + body) != 0xFFFF:
                self.bad.append(f"frame {number}: UDP checksum")

    def lost(self):
        """How many frames carry a protocol that nobody knows: so the driver loses them (ferry.drop)."""
        known = dpkt.ethernet.ETH_TYPE_IP, dpkt.ethernet.ETH_TYPE_ARP, dpkt.ethernet.ETH_TYPE_IP6
        return sum(dpkt.ethernet.Ethernet(frame).type not in known for frame in self.frames)

    def sent(self):
        """The segments that the guest sent."""
        return [segment for segment in self.segments if segment.raw_ip[12:16] == GUEST]

    def streams(self):
        """What the guest sent on each connection, in the order of their first segments: (bytes, how many were
        seen again). Bytes that were sent twice must be the same both times, and none may be missing."""
        streams = {}
        for segment in self.sent():
            key = segment.raw_ip[16:20], segment.tcp.dport, segment.tcp.sport
            if segment.tcp.flags & dpkt.tcp.TH_SYN:
                streams[key] = Stream(segment.tcp.seq + 1)
            if key not in streams and segment.tcp.flags & dpkt.tcp.TH_RST:
                continue  # nobody listened yet: the connection was refused
            streams[key].put(segment)
        return [(stream.whole(), stream.again) for stream in streams.values()]


class Stream:
    """One direction of a connection, put together by sequence numbers."""

    def __init__(self, start):
        self.start, self.again = start, 0
        self.data, self.known = bytearray(), bytearray()

    def put(self, segment):
        payload = segment.payload
        if not payload:
            return
        at = segment.tcp.seq - self.start & 0xFFFFFFFF
        end = at + len(payload)
        if end > len(self.data):
            self.data.extend(bytes(end - len(self.data)))
            self.known.extend(bytes(end - len(self.known)))
        seen = sum(self.known[at:end])
        if seen:
            self.again += seen
            for i, known in enumerate(self.known[at:end]):
                if known and self.data[at + i] != payload[i]:
                    raise AssertionError(f"frame {segment.number}: expected the same bytes when sent again")
        self.data[at:end] = payload
        self.known[at:end] = b"\1" * len(payload)

    def whole(self):
        hole = self.known.find(b"\0")
        if hole >= 0:
            raise AssertionError(f"expected every byte to be sent, byte {hole} of {len(self.data)} was not")
        return bytes(self.data)
