"""Wild programs at the prompt: they hit a limit or are killed with a message, and the shell survives.

And tame ones, a thousand of them: memory is where it was.
"""

import re
import time

import pytest

from prompt import CTRL_C, CTRL_D, ENTER, Prompt


def held(at):
    """What the machine holds, with an empty page cache: frames by holder, and the heap's objects."""
    at.run("rm -f ~/.ash_history; sync; echo 3 > /proc/sys/vm/drop_caches")  # the shell keeps what is typed
    lines = at.run("cat /proc/ferry/pages").splitlines()
    pages = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in lines if line}
    # Under pressure pages of files are taken from programs that run, and come back when they are used.
    pages["free or cache"] = pages.pop("free") + pages.pop("hold cache")
    return {name: count for name, count in pages.items() if name not in ("hold rx", "hold map")}


def settled(at, wanted=None):
    end = time.monotonic() + 5
    while True:
        before, now = wanted or held(at), held(at)
        if now == before or time.monotonic() > end:
            return now
        time.sleep(0.1)


@pytest.fixture(scope="module")
def at():
    with Prompt(limit=200, mem=64) as shell:
        shell.run("cd /tmp; sleep 0; seq 3 | wc -l > /dev/null")
        yield shell


def still_works(at):
    assert at.run("echo a b c | wc -w") == "3\n"
    assert "sh" in at.run("ps")


def test_a_thousand_runs_leave_memory_where_it_was(at):
    at.run("i=0; while [ $i -lt 20 ]; do /bin/busybox true; i=$((i+1)); done")
    before = settled(at)
    at.run("i=0; while [ $i -lt 1000 ]; do /bin/busybox true; i=$((i+1)); done", seconds=60)
    after = settled(at, before)
    assert after == before


@pytest.mark.parametrize("program", ["perl -e 'push @a, \"x\" x 1000 while 1'",
                                     "awk 'BEGIN { s = \"12345678\"; for (;;) s = s s }'",
                                     "perl -e 'fork if $i++ < 4; push @a, \"x\" x 1000 while 1'"],
                         ids=["leaks", "eats", "several"])
def test_a_program_that_takes_all_memory_is_killed_with_a_message(at, program):
    before = settled(at)
    output = at.run(program, status=None, seconds=60)
    name = program.split()[0]
    assert re.search(rf"^out of memory: {name}\[\d+\].* is killed$", output, re.MULTILINE), output
    at.run(f"while killall {name} 2> /dev/null; do sleep 0.1; done")
    still_works(at)
    assert settled(at, before) == before


def test_limits_of_the_shell_hold(at):
    assert "out of memory" in at.run("(ulimit -v 10000; awk 'BEGIN { for (;;) a[i++] = i \" is kept\" }')", status=1)
    at.run("(ulimit -t 1; yes > /dev/null)", status=137)
    at.run("(ulimit -f 10; dd if=/dev/zero of=big bs=1k count=100)", status=153)
    assert at.number("wc -c < big") == 5120
    assert "Too many open files" in at.run("(ulimit -n 8; perl -e 'open($f[$_], \"/dev/null\") or die $! for 1..9')",
                                           status=24)
    at.run("rm big")


def test_a_fork_bomb_meets_a_limit(at):
    before = settled(at)
    at.run("echo 'bomb() { bomb | bomb; }; bomb' > bomb")
    at.start("sh bomb")
    at.expect(r"can't fork: Resource temporarily unavailable", seconds=40)
    at.key(CTRL_C)
    at.prompt(status=130, seconds=40)
    still_works(at)
    at.run("rm bomb")
    assert settled(at, before) == before


def test_a_full_tmp_says_so(at):
    before = settled(at)
    output = at.run("dd if=/dev/zero of=full bs=64k", status=1, seconds=60)
    assert "No space left on device" in output
    still_works(at)
    at.run("rm full")
    assert settled(at, before) == before


FILL = r"""
use Fcntl; use Socket;
for (1..400) {
    socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die;
    fcntl($a, F_SETFL, O_NONBLOCK);
    1 while syswrite($a, "x" x 60000);
    push @sockets, $a, $b;
}
print scalar(@sockets), "\n";
open(F, "/proc/ferry/pages"); print grep(/sock|total/, <F>);
"""


def test_unread_bytes_in_sockets_take_a_part_of_the_memory(at):
    before = settled(at)
    at.key("cat > fill.pl" + ENTER, FILL, CTRL_D, pause=0.3)
    at.prompt()
    said = at.run("perl fill.pl").split()
    assert said[0] == "800"  # each pair still takes something
    total, held_by_sockets = int(said[2]), int(said[5])
    assert total / 5 < held_by_sockets < total / 3
    at.run("rm fill.pl")
    assert settled(at, before) == before
