"""A disk that is slow to answer, as a program of our own: QEMU's drive has its sectors from here, over NBD.

    with Silent(path, folder) as disk:               # serves the file; what the guest writes comes into it
        Ferry(extra=disk.drive(index=1), ...)
        disk.late(2.5)                               # each answer comes so many seconds after its question
        disk.late(2.5, first=1)                      # the next answer only
        disk.flushes_that_fail = 1                   # the next one is answered with an error

Why late, and not never: QEMU's drive, when it is reset or its bus master stopped, first waits for what it has asked of
its image (hw/ide/core.c: ide_cancel_dma_sync, blk_aio_cancel), with the whole machine standing still; only reads by
programmed I/O does it forget. So what a machine can see here is a drive that says nothing for longer than it is given,
is reset, and then is ready again. A drive that does not come back from its reset QEMU cannot play: tests/unit/ide_silent.c
has one.

The protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md, fixed newstyle, simple replies.
"""

import socket
import struct
import threading

READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
EIO = 5
OPT_EXPORT_NAME, OPT_ABORT, OPT_INFO, OPT_GO = 1, 2, 6, 7
REP_ACK, REP_INFO, REP_ERR_UNSUP = 1, 3, 1 << 31 | 1
HAS_FLAGS, SEND_FLUSH = 1 << 0, 1 << 2


class Silent:
    def __init__(self, path, folder):
        self.path = path
        self.data = bytearray(path.read_bytes())
        self.asked = 0  # requests
        self.withheld = 0
        self.flushes_that_fail = 0
        self._seconds, self._left = 0, 0
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._name = folder / "nbd"
        self._timers = []

    def drive(self, index):
        """QEMU's options."""
        return ["-drive", f"file=nbd+unix:///?socket={self._name},if=ide,index={index},format=raw,cache=none"]

    def late(self, seconds, first=1 << 30):
        self._left, self._seconds = first, seconds

    def __enter__(self):
        self._listener.bind(str(self._name))
        self._listener.listen()
        self._listener.settimeout(60)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._listener.close()
        for timer in self._timers:
            timer.cancel()
        self.path.write_bytes(self.data)

    def _serve(self):
        try:
            line, _ = self._listener.accept()
            with line:
                self._greet(line)
                while self._request(line):
                    pass
        except OSError:
            pass  # QEMU has ended

    @staticmethod
    def _receive(line, size):
        data = b""
        while len(data) < size:
            piece = line.recv(size - len(data))
            if not piece:
                raise OSError("closed")
            data += piece
        return data

    def _greet(self, line):
        line.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))  # fixed newstyle, no zeroes
        self._receive(line, 4)
        export = struct.pack(">QH", len(self.data), HAS_FLAGS | SEND_FLUSH)
        while True:
            _, option, size = struct.unpack(">8sII", self._receive(line, 16))
            self._receive(line, size)

            def reply(kind, data=b"", option=option):
                line.sendall(struct.pack(">QIII", 0x3E889045565A9, option, kind, len(data)) + data)

            if option == OPT_EXPORT_NAME:
                line.sendall(export)
                return
            if option in (OPT_INFO, OPT_GO):
                reply(REP_INFO, struct.pack(">H", 0) + export)
                reply(REP_ACK)
                if option == OPT_GO:
                    return
            elif option == OPT_ABORT:
                reply(REP_ACK)
            else:
                reply(REP_ERR_UNSUP)

    def _request(self, line):
        _, _, kind, handle, at, size = struct.unpack(">IHH8sQI", self._receive(line, 28))
        if kind == DISCONNECT:
            return False
        data = self._receive(line, size) if kind == WRITE else b""
        error = EIO if kind == FLUSH and self.flushes_that_fail > 0 else 0
        self.flushes_that_fail -= error != 0

        def answer():
            with self._lock:
                if kind == WRITE:
                    self.data[at:at + size] = data
                content = bytes(self.data[at:at + size]) if kind == READ else b""
                try:
                    line.sendall(struct.pack(">II8s", 0x67446698, error, handle) + content)
                except OSError:
                    pass  # QEMU has ended

        self.asked += 1
        if self._left > 0:
            self._left -= 1
            self.withheld += 1
            timer = threading.Timer(self._seconds, answer)
            timer.daemon = True
            self._timers.append(timer)
            timer.start()
        else:
            answer()
        return True
