"""A person at the serial line: the login shell that `make run` ends in, driven by keys.

    with Prompt() as at:
        at.run("ls /data | wc -l")              # types the line and Enter; what it printed
        at.start("sleep 100")                   # types it, and does not wait for the prompt
        at.key(CTRL_Z)
        at.expect("Stopped")
        at.prompt(status=None)                  # waits for the next prompt

The prompt is made to show the last exit status. The shell's line editor and full-screen programs write
escape sequences: they are taken out of what is compared.
"""

import re
import time
from contextlib import contextmanager

from ferry import Ferry

CTRL_C, CTRL_D, CTRL_U, CTRL_Z, ENTER, ESC, UP = "\x03", "\x04", "\x15", "\x1a", "\r", "\x1b", "\x1b[A"
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])")
PROMPT = r"@(\d+)@ \x1b\[6n"  # the question where the cursor is comes only with a new one


def plain(text):
    return ESCAPES.sub("", text).replace("\a", "").replace("\x08", "")


class Prompt:
    def __init__(self, append="", **machine):
        self.ferry = Ferry("ferry.window=40x200 " + append, **machine)

    def __enter__(self):
        self.ferry.__enter__()
        try:
            self.ferry.expect(r"^ferry:~# \x1b\[6n")
            self.run("PS1='@$?@ '")
        except BaseException:
            self.ferry.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *why):
        self.ferry.__exit__(*why)

    def key(self, *keys, pause=0.0):
        """Presses keys one after the other; with a pause before each where a program must have come so far."""
        for key in keys:
            time.sleep(pause)
            self.ferry.type(key)

    def start(self, line):
        """Types a line whose program gets the keys that follow: once the shell has left the terminal to it."""
        self.key(line + ENTER)
        time.sleep(0.2)

    def expect(self, pattern, seconds=20):
        return self.ferry.expect(pattern, seconds)

    def prompt(self, status=0, seconds=20):
        """Waits for the next prompt. What was on the screen before it."""
        start = self.ferry._seen
        match = self.expect(PROMPT, seconds)
        output = plain(self.ferry.text[start:match.start()])
        got = int(match.group(1))
        assert status is None or got == status, (
            f"expected status {status}, got {got}\n{output}\n{self.ferry.tail()}")
        return output

    def run(self, line, status=0, seconds=20):
        """What the command printed; fails unless it ends with that status (None: any)."""
        self.key(line + ENTER)
        return self.prompt(status, seconds).partition("\n")[2]

    def number(self, line, **options):
        """The command's output, which must be one number."""
        output = self.run(line, **options).strip()
        assert re.fullmatch(r"\d+", output), f"`{line}`: expected one number, got {output!r}\n{self.ferry.tail()}"
        return int(output)


class Prompts:
    """A machine for several tests, one after the other. The one after a test that failed gets another."""

    def __init__(self, append="", **machine):
        self.append, self.machine, self.shell = append, machine, None

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.shell:
            self.shell.__exit__(*why)

    @contextmanager
    def prompt(self):
        if not self.shell:
            self.shell = Prompt(self.append, **self.machine).__enter__()
        Ferry.machines.append(self.shell.ferry)
        start = len(self.shell.ferry.text)
        try:
            yield self.shell
            assert "panic:" not in self.shell.ferry.text[start:]
        except BaseException:
            shell, self.shell = self.shell, None
            shell.__exit__(None, None, None)
            raise
