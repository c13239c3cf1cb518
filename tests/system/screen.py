"""The VGA screen and the keyboard of a machine, as a person has them: through QEMU's monitor.

    with Ferry(shell=True, **Screen.options(tmp_path)) as ferry, Screen(tmp_path) as screen:
        screen.type("echo hello\\n")
        screen.expect("^hello$")
        screen.press("up", "ret")
"""

import re
import socket
import time

COLUMNS, ROWS = 80, 25
TEXT = 0xB8000

KEYS = {" ": "spc", "\n": "ret", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right",
        ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot",
        "/": "slash", "\t": "tab", "\b": "backspace"}
SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))


def keys_of(character):
    """What to press for it, as sendkey wants it."""
    if character.isupper():
        return "shift-" + character.lower()
    if character in SHIFTED:
        return "shift-" + keys_of(SHIFTED[character])
    return KEYS.get(character, character)


class Screen:
    @staticmethod
    def options(folder):
        """For the machine: a monitor that this talks to."""
        return {"monitor": f"unix:{folder}/monitor,server=on,wait=off"}

    def __init__(self, folder):
        self.path, self.dump = f"{folder}/monitor", f"{folder}/screen"

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        for _ in range(200):  # until QEMU has made it
            try:
                self.socket.connect(self.path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        self._answer()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _answer(self):
        text = b""
        while not text.endswith(b"(qemu) "):
            data = self.socket.recv(4096)
            assert data, "expected an answer of QEMU's monitor, it is gone"
            text += data

    def command(self, line):
        self.socket.sendall(line.encode() + b"\n")
        self._answer()

    def press(self, *keys):
        for key in keys:
            self.command(f"sendkey {key} 1")
            time.sleep(0.02)  # QEMU queues 16 codes of the keyboard

    def type(self, text):
        self.press(*map(keys_of, text))

    def _cells(self):
        self.command(f'pmemsave {TEXT:#x} {COLUMNS * ROWS * 2} "{self.dump}"')
        with open(self.dump, "rb") as file:
            return file.read()

    def lines(self):
        """The rows without trailing blanks."""
        text = self._cells()[::2].decode("cp437")
        return [text[i:i + COLUMNS].rstrip() for i in range(0, COLUMNS * ROWS, COLUMNS)]

    def attribute(self, row, column):
        return self._cells()[(row * COLUMNS + column) * 2 + 1]

    def expect(self, pattern, seconds=20):
        """Waits until a row matches: (number of the last that does, the match)."""
        end = time.monotonic() + seconds
        while True:
            lines = self.lines()
            for row in reversed(range(ROWS)):
                match = re.search(pattern, lines[row])
                if match:
                    return row, match
            assert time.monotonic() < end, (
                f"expected {pattern!r} on the screen, got\n" + "\n".join(lines).rstrip())
            time.sleep(0.05)
