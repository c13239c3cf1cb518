"""Terminals as a person uses them: the VGA screen with its keyboard, and a shell on the serial line."""

from ferry import Ferry, digest
from screen import Screen

SCREEN_SHELL = "setsid sh -c 'exec sh -i </dev/tty1 >/dev/tty1 2>&1' &"
RED_ON_BLUE = 0x14


def test_a_shell_on_screen_and_keyboard(tmp_path):
    """Typed, edited with the arrow keys, repeated from the history; beside the one on the serial line."""
    with Ferry(shell=True, **Screen.options(tmp_path)) as ferry, Screen(tmp_path) as screen:
        ferry.sh("PS1='vt> ' TERM=linux " + SCREEN_SHELL)
        screen.expect(r"vt>$")
        screen.type("echo Hello, \"World\" | tr a-z A-Z\n")
        screen.expect(r"^HELLO, WORLD$")
        screen.type("echo acd")
        screen.press("left", "left")
        screen.type("b")
        screen.press("home", "delete", "delete", "delete", "delete", "delete")
        screen.type("echo =")
        screen.press("end")
        screen.type("e=\n")
        screen.expect(r"^=abcde=$")
        screen.press("up", "up", "ret")
        row, _ = screen.expect(r"^HELLO, WORLD$")
        assert row > 5, f"expected the command from the history to run again, got row {row}\n{screen.lines()}"
        screen.type("printf '\\033[2J\\033[8;5H\\033[31;44mCOLOUR\\033[m\\n'\n")
        row, match = screen.expect(r"COLOUR$")
        assert (row, match.start()) == (7, 4), f"expected it in row 7, column 4, got {row}, {match.start()}"
        assert screen.attribute(7, 4) == RED_ON_BLUE, (
            f"expected attribute {RED_ON_BLUE:#x}, got {screen.attribute(7, 4):#x}")
        assert ferry.sh("echo serial line") == "serial line\n"
        got = ferry.sh("chvt 1 && stty size </dev/tty1; chvt 2", status=1)
        assert got.startswith("25 80\n"), f"expected terminal 1 alone, of 25 x 80, got {got!r}"
        screen.type("exit\n")


def test_vi_on_the_screen(tmp_path):
    """The whole screen: cursor keys, insertion, deletion, the last line; and the file is then what it showed."""
    with Ferry(shell=True, **Screen.options(tmp_path)) as ferry, Screen(tmp_path) as screen:
        ferry.sh("seq 1 100 >/tmp/numbers; TERM=linux setsid sh -c "
                 "'exec vi /tmp/numbers </dev/tty1 >/dev/tty1 2>&1' &")
        screen.expect(r"^23$")
        assert screen.lines()[0] == "1" and screen.lines()[23] == "24", (
            f"expected the first 24 lines, got\n{screen.lines()}")
        screen.press("down", "down", "right")
        screen.type("ix")
        screen.press("esc")
        screen.expect(r"^- /tmp/numbers")  # what follows an ESC at once would be part of a key
        screen.press("pgdn")
        screen.expect(r"^46$")
        screen.type("Gdd")
        screen.expect(r"^99$")
        screen.press("pgup")
        screen.type(":wq\n")
        ferry.sh("wait")
        got = ferry.sh("head -n 3 /tmp/numbers | tr '\\n' ' '; tail -n 1 /tmp/numbers")
        assert got == "1 2 x3 99\n", f"expected 1 2 x3 99, got {got!r}"


def test_the_console_is_where_the_command_line_says(tmp_path):
    """console=tty0: the kernel and the shell speak on the screen, not on the serial line."""
    with Ferry("console=tty0", run=["/bin/sh", "/dev/console"], **Screen.options(tmp_path)) as ferry:
        with Screen(tmp_path) as screen:
            screen.expect(r"^ferry ")
            screen.expect(r"^eth0: \d")
            screen.type("stty size; tty; exit 7\n")
            status, text = ferry.finish()
    assert status == 0 and "ferry" not in text, f"expected status 0 and silence, got {status}\n{text}"


PROMPT = r"@> "  # when it is there, the shell's editor has the terminal


def at_prompt(ferry, typed, *answers):
    """Types a line at the prompt, and waits for the answers."""
    ferry.expect(PROMPT)
    ferry.type(typed)
    for answer in answers:
        ferry.expect(answer)


def test_a_shell_on_the_serial_line_as_typed_by_a_person():
    with Ferry(shell=True) as ferry:
        ferry.type("stty echo; PS1='@> ' sh -i </dev/ttyS0 >/dev/ttyS0 2>&1; echo left $?\n")
        # The shell's own editor.
        at_prompt(ferry, "echo abx\x7fc | tr a-z A-Z\r", r"^ABC$")
        at_prompt(ferry, "garbage\x15echo kil\x7f\x7f\x7fok\r", r"^ok$")
        # And the terminal's, which is in charge while a program runs.
        at_prompt(ferry, "sh -c 'echo now; exec cat'\r", r"^now$")
        ferry.type("wrong\x15on wor\x17word\x7f\r")
        ferry.expect(r"^on wor$")
        ferry.type("partly\x04")
        ferry.expect(r"^partlypartly")
        ferry.type("\r\x04")
        # Jobs.
        at_prompt(ferry, "sh -c 'echo now; exec sleep 1000'\r", r"^now$")
        ferry.type("\x03")
        at_prompt(ferry, "echo $?\r", r"^130$")
        at_prompt(ferry, "sh -c 'echo now; exec sleep 1000'\r", r"^now$")
        ferry.type("\x1a")
        ferry.expect(r"\^Z\[1\]\+  Stopped ")
        at_prompt(ferry, "echo back\r", r"^back$")
        at_prompt(ferry, "kill %1; fg\r", r"exec sleep 1000.*\n")
        at_prompt(ferry, "cat & sleep 0.5\r", r"Stopped \(tty input\)")
        at_prompt(ferry, "kill %1; kill -CONT %1; sleep 0.1\r", r"Terminated")
        at_prompt(ferry, "\x04", r"^left ")


def test_what_is_pasted_into_the_serial_line_arrives_whole():
    """More than all buffers on the way hold, while nobody reads: the sender is held back."""
    text = "".join(f"{i:05} {'x' * 60}\n" for i in range(1000))
    with Ferry(shell=True) as ferry:
        ferry.type("sleep 2; stty -echo; sha256sum\n" + text + "\x04")
        ferry.expect(rf"^{digest(text.encode())} ", seconds=60)


def test_what_is_printed_on_the_serial_line_arrives_whole():
    """More than the driver's buffer holds: the writer waits."""
    with Ferry(shell=True) as ferry:
        expected = "".join(f"{i}\n" for i in range(1, 20001))
        got = ferry.sh("seq 1 20000")
        assert got == expected, f"expected the numbers to 20000, got {len(got)} characters, ending {got[-40:]!r}"


def test_a_second_serial_line(tmp_path):
    """/dev/ttyS1 where the machine has one; where not, it says so."""
    with Ferry(shell=True, extra=["-serial", f"file:{tmp_path}/second"]) as ferry:
        ferry.sh("echo second line >/dev/ttyS1; stty -F /dev/ttyS1 | grep 115200")
        said = (tmp_path / "second").read_bytes()
    assert said == b"second line\r\n", f"expected a line on ttyS1, got {said!r}"
    with Ferry(shell=True) as ferry:
        said = ferry.sh("echo x >/dev/ttyS1", status=1)
    assert "No such device or address" in said, f"expected that there is no ttyS1, got {said!r}"
