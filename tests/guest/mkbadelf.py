#!/usr/bin/env python3
"""Makes programs that are none: mkbadelf.py FOLDER. The same bytes on every machine.

Each file is a small valid i386 ELF program, whose code exits with status 99, with one thing wrong.
tests/guest/elfs.c runs them all. The first part of a name says what has to come of it:

    run-...    it is valid: the program runs
    no-...     execve fails, and the caller lives on
    die-...    execve fails, or the program is killed before its first instruction ends
    any-...    systems differ; but the system has to survive it
"""

import os
import struct
import sys

BASE = 0x08048000
CODE = bytes([0xB8, 1, 0, 0, 0,     # mov eax, 1 (exit)
              0xBB, 99, 0, 0, 0,    # mov ebx, 99
              0xCD, 0x80])          # int 0x80
EHSIZE, PHSIZE = 52, 32
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3


def header(**changes):
    """An Elf32_Ehdr; the changes replace fields by name."""
    f = dict(magic=b"\x7fELF", klass=1, data=1, version=1, type=2, machine=3, version2=1,
             entry=BASE + 0x80, phoff=EHSIZE, shoff=0, flags=0, ehsize=EHSIZE, phentsize=PHSIZE,
             phnum=1, shentsize=40, shnum=0, shstrndx=0)
    f.update(changes)
    ident = f["magic"] + bytes([f["klass"], f["data"], f["version"]]) + bytes(9)
    order = ">" if f["data"] == 2 else "<"
    return ident + struct.pack(order + "HHIIIIIHHHHHH", f["type"], f["machine"], f["version2"],
                               f["entry"], f["phoff"], f["shoff"], f["flags"], f["ehsize"],
                               f["phentsize"], f["phnum"], f["shentsize"], f["shnum"], f["shstrndx"])


def segment(**changes):
    """An Elf32_Phdr that loads the whole file; the changes replace fields by name."""
    f = dict(type=PT_LOAD, offset=0, vaddr=BASE, filesz=0x100, memsz=0x100, flags=5, align=0x1000)
    f.update(changes)
    return struct.pack("<IIIIIIII", f["type"], f["offset"], f["vaddr"], f["vaddr"], f["filesz"],
                       f["memsz"], f["flags"], f["align"])


def program(segments=None, **changes):
    """A file of 256 bytes or more, with the code at 0x80 (behind more headers: at their end)."""
    segments = [segment()] if segments is None else segments
    head = header(**{"phnum": len(segments), **changes}) + b"".join(segments)
    return head.ljust(0x80, b"\0") + CODE.ljust(0x80, b"\0")


def interpreter(text):
    """A program that asks for an interpreter, whose name lies at 0xc0."""
    body = program([segment(type=PT_INTERP, offset=0xA0, vaddr=BASE + 0xA0, filesz=len(text),
                            memsz=len(text))])
    return body[:0xA0] + text + body[0xA0 + len(text):]


def elf64():
    """A 64-bit program for another machine (AArch64), with nothing to load."""
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    return (ident + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x400000, 64, 0, 0, 64, 56, 1, 0, 0, 0)
            + struct.pack("<IIQQQQQQ", PT_LOAD, 5, 0, 0x400000, 0x400000, 0x100, 0x100, 0x1000))


FILES = {
    "run-valid": program(),
    "run-zero-segment": program([segment(), segment(vaddr=BASE + 0x10000, filesz=0, memsz=0)]),

    "no-empty": b"",
    "no-one-byte": b"\x7f",
    "no-magic-alone": b"\x7fELF",
    "no-text": b"This is no program.\n" * 20,
    "no-zeroes": bytes(4096),
    "no-noise": bytes((i * 197 + (i >> 3) * 31) & 255 for i in range(4096)),
    "no-header-cut": program()[:51],
    "no-program-headers-cut": program()[:EHSIZE + 10],
    "no-64-bit": elf64(),
    "no-big-endian": program(data=2),
    "no-machine-arm": program(machine=40),
    "no-type-relocatable": program(type=1),
    "no-type-core": program(type=4),
    "no-type-unknown": program(type=0xFFFF),
    "no-program-headers": program(phnum=0),
    "no-65535-program-headers": program(phnum=0xFFFF),
    "no-program-header-size-31": program(phentsize=31),
    "no-program-header-size-0": program(phentsize=0),
    "no-program-headers-behind-end": program(phoff=0x10000),
    "no-program-headers-far-away": program(phoff=0xFFFFFFF0),
    "no-interpreter-missing": interpreter(b"/no/such/interpreter\0"),
    "no-interpreter-empty": interpreter(b""),
    "no-interpreter-unterminated": interpreter(b"/bin/interpreter"),
    "no-script-interpreter": b"#!/no/such/shell\n",

    "die-file-size-over-memory-size": program([segment(filesz=0x100, memsz=0x10)]),
    "die-memory-huge": program([segment(memsz=0xFFFF0000)]),
    "die-address-wraps": program([segment(), segment(vaddr=0xFFFFE000, filesz=0, memsz=0x4000)]),
    "die-address-at-the-top": program([segment(vaddr=0xFFFFF000)], entry=0xFFFFF080),
    "die-offset-unaligned": program([segment(offset=0x10)]),
    "die-segment-behind-end": program([segment(offset=0x5000, filesz=0x1000, memsz=0x1000)]),
    "die-entry-zero": program(entry=0),
    "die-entry-outside": program(entry=0x20000000),
    "die-entry-at-the-top": program(entry=0xFFFFFFF0),
    "die-no-segment-loaded": program([segment(type=PT_DYNAMIC)]),

    "any-class-64-alone": program(klass=2),
    "any-file-size-behind-end": program([segment(filesz=0x100000, memsz=0x100000)]),
    "any-address-of-the-kernel": program([segment(vaddr=0xC0100000)], entry=0xC0100080),
    "any-address-below-the-kernel": program([segment(vaddr=0xBFFFF000, memsz=0x2000)],
                                            entry=0xBFFFF080),
    "any-offset-far-away": program([segment(), segment(offset=0xFFFFF000, vaddr=0x10000000)]),
    "any-overlap": program([segment(), segment(vaddr=BASE + 0x800, offset=0x800, memsz=0x3000)]),
    "any-page-zero": program([segment(vaddr=0)], entry=0x80),
    "any-not-executable": program([segment(flags=4)]),
    "any-800-mib-of-zeroes": program([segment(memsz=800 << 20)]),
}


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name, data in FILES.items():
        path = os.path.join(folder, name)
        with open(path, "wb") as out:
            out.write(data)
        os.chmod(path, 0o755)
    path = os.path.join(folder, "no-permission")
    with open(path, "wb") as out:
        out.write(program())
    os.chmod(path, 0o644)


if __name__ == "__main__":
    main()
