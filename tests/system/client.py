"""A web client that knows each byte it sends, and can be slow, rude, or gone.

    with Client(port) as client:
        answer = client.ask("/sendfile/1m")              # status, headers, body
        sent = client.send("/sendfile/64m")              # or step by step: a request, its length in bytes
        head = client.read_head()
        part = client.read(100000)

A connection stays open from request to request, and the client ends it first: then no connection of the
guest's is left in TIME_WAIT (RFC 9293, 3.6), and what it held can be counted at once.
"""

import socket
import struct
import time
from collections import namedtuple

Response = namedtuple("Response", "status headers body")


class Gone(Exception):
    """The server ended the connection in the middle of an answer, or before it."""


def wait_for_server(port, seconds=20):
    """Returns when the server answers. Before it listens, QEMU takes a connection and drops it."""
    end = time.monotonic() + seconds
    while True:
        try:
            with Client(port) as client:
                return client.ask("/ledger/system")
        except (OSError, Gone):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class Client:
    def __init__(self, port, *, timeout=30, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:  # before connect: it bounds the window
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.input = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.close()

    def close(self):
        self.input.close()
        self.socket.close()

    def reset(self):
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, target, method="GET", headers=None):
        lines = [f"{method} {target} HTTP/1.1", "Host: ferry"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return self.send_bytes(("\r\n".join(lines) + "\r\n\r\n").encode())

    def send_bytes(self, data):
        self.socket.sendall(data)
        return len(data)

    def read_head(self):
        """(status, {name in lower case: value}, length of the head in bytes)"""
        lines = []
        while not lines or lines[-1] not in (b"\r\n", b""):
            lines.append(self.input.readline())
        if lines[-1] == b"":
            raise Gone(f"expected an answer, got {b''.join(lines)!r} and the end")
        status = int(lines[0].split()[1])
        headers = dict(line.decode().rstrip().split(": ", 1) for line in lines[1:-1])
        return status, {name.lower(): value for name, value in headers.items()}, sum(map(len, lines))

    def read(self, count):
        data = self.input.read(count)
        if len(data) != count:
            raise Gone(f"expected {count} bytes, got {len(data)} and the end")
        return data

    def answer(self, method="GET"):
        status, headers, _ = self.read_head()
        return Response(status, headers, b"" if method == "HEAD" else self.read(int(headers["content-length"])))

    def ask(self, target, method="GET", headers=None):
        self.send(target, method, headers)
        return self.answer(method)

    def at_end(self):
        """Whether the server has ended the connection, and nothing is left to read."""
        return self.input.read(1) == b""
