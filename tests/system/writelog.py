"""A disk that remembers every write: QEMU's blklogwrites, whose log is that of Linux's dm-log-writes.

So a power cut at any moment can be looked at afterwards, with no luck needed: what is on the disk then is the image
of before and the writes until that moment. A drive with a cache of its own may also have lost, or not yet made, any of
the writes since it was last told to flush it.
"""

import struct

SECTOR = 512
MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4


def drive(image, log, index=0):
    """QEMU's options for a disk that keeps what is written and logs it; the log is made anew."""
    open(log, "wb").close()
    return ["-drive", f"if=ide,index={index},driver=blklogwrites,file.driver=raw,file.file.driver=file,"
                      f"file.file.filename={image},log.driver=file,log.filename={log}"]


def entries(log):
    """In their order: (first byte, bytes) for a write, None for a flush."""
    data = open(log, "rb").read()
    magic, version, count, sector = struct.unpack_from("<QQQI", data)
    assert (magic, version, sector) == (MAGIC, 1, SECTOR), "expected a log of writes"
    at = sector
    for _ in range(count):
        first, length, flags, _ = struct.unpack_from("<QQQQ", data, at)
        at += sector
        assert not flags & (FUA | DISCARD), "Ferry asks for neither"
        if length:
            yield first * SECTOR, data[at:at + length * SECTOR]
            at += length * SECTOR
        if flags & FLUSH:
            yield None
