"""At the prompt: what a person types at an interactive shell on the serial line, key by key."""

import re
import time

import pytest

from ferry import sums
from prompt import CTRL_C, CTRL_D, CTRL_U, CTRL_Z, ENTER, ESC, UP, Prompts


@pytest.fixture(scope="module")
def shells():
    """The machine of the tests; after one that failed, a fresh one."""
    with Prompts(limit=240) as prompts:
        yield prompts


@pytest.fixture
def at(shells):
    with shells.prompt() as shell:
        shell.run("cd /tmp")
        yield shell
        assert shell.run("jobs") == "", "the test left jobs behind"
        shell.run("rm -rf /tmp/*")


def test_pipelines_and_redirection(at):
    assert at.run("echo one two | tr ' ' '\\n' | sort -r | head -n 1") == "two\n"
    at.run("echo first > f; echo second >> f; ls nothing 2> e; echo third >> f", status=0)
    assert at.run("cat < f") == "first\nsecond\nthird\n"
    assert "nothing: No such file" in at.run("cat e")
    assert at.run("sed 's/i/I/' f 2>&1 | grep -c I") == "2\n"
    assert at.run("false | true; echo $?") == "0\n"
    at.run("cat nothing > /dev/null 2>&1", status=1)
    assert at.run("echo $(cat f | wc -l) `echo x`") == "3 x\n"
    assert at.run("yes | head -n 20000 | uniq -c | tr -s ' '") == " 20000 y\n"


def test_here_documents(at):
    at.start("cat <<END | tr a-z A-Z > f")
    at.key("here is $((6 * 7))" + ENTER, "and more" + ENTER)
    at.start("END")
    at.prompt()
    assert at.run("cat f") == "HERE IS 42\nAND MORE\n"


def test_line_editing(at):
    def says():
        return at.prompt().splitlines()[-1]

    at.key("echo wrnog\x7f\x7f\x7fong", ENTER)
    assert says() == "wrong"
    at.key(UP, ENTER)
    assert says() == "wrong"
    at.key("this is never run", CTRL_U, "echo yes", ENTER)
    assert says() == "yes"
    at.key("echo /data/SHA2\t", ENTER)
    assert says() == "/data/SHA256SUMS"
    at.key("echo given up", CTRL_C)
    at.prompt(status=None)


def test_ctrl_c_ends_what_is_in_the_foreground(at):
    for line in ("sleep 100", "cat", "sleep 100 | cat | cat", "while :; do sleep 1; done",
                 "find / | xargs -n 1 sleep 100", "yes > /dev/null"):
        at.start(line)
        at.key(CTRL_C, pause=0.4)
        at.prompt(status=130, seconds=5)
    assert at.run("ps | grep -c '[s]leep'", status=1) == "0\n"


def test_ctrl_d_ends_the_input(at):
    at.start("cat > f")
    at.key("a line" + ENTER, "half", CTRL_D, CTRL_D, pause=0.1)
    at.prompt()
    assert at.run("cat f; echo .") == "a line\nhalf.\n"


def test_ctrl_z_stops_and_fg_continues(at):
    at.start("cat")
    at.key("before" + ENTER)
    at.expect(r"before\nbefore\n")
    at.key(CTRL_Z)
    assert "Stopped" in at.prompt(status=None)
    assert re.search(r"\[1\]\+ +Stopped +cat", at.run("jobs"))
    at.start("fg")
    at.key("after" + ENTER, pause=0.3)
    at.expect(r"after\nafter\n")
    at.key(CTRL_D)
    at.prompt()


def test_jobs_in_the_background(at):
    at.run("sleep 100 &")
    at.run("(sleep 0.2; echo done > f) &")
    jobs = at.run("jobs")
    assert re.search(r"\[1\].*Running.*sleep 100", jobs) and re.search(r"\[2\].*Running", jobs)
    at.run("wait %2")
    assert at.run("cat f") == "done\n"
    at.start("fg %1")
    at.key(CTRL_Z, pause=0.3)
    at.prompt(status=None)
    assert "Stopped" in at.run("jobs")
    at.run("bg %1")
    assert "Running" in at.run("jobs")
    assert "Terminated" in at.run("kill %1; sleep 0.1") + at.run("true")

    # Who is in the background may not read the terminal.
    at.run("cat &")
    time.sleep(0.2)
    assert "Stopped" in at.run("jobs")
    at.run("kill -9 %1; wait", status=None)
    at.run("true")


def test_vi_writes_a_file(at):
    at.start("vi poem")
    at.expect(r"poem")
    at.key("i", "a first line" + ENTER, "a second lime", ESC, pause=0.1)
    at.key("h", "r", "n", "o", "third", ESC, "k", "d", "d", ":wq" + ENTER, pause=0.1)
    at.prompt()
    assert at.run("cat poem") == "a first line\nthird\n"


def test_top_ps_and_free(at):
    at.run("sleep 100 &")
    listed = at.run("ps")
    assert re.search(r"^ +1 +\S+ +.*init", listed, re.MULTILINE), listed
    assert "sleep 100" in listed and "[netd]" in listed, listed
    at.start("top -d 1")
    screen = at.expect(r"(?s)Mem: (\d+)K used, (\d+)K free.*Load average.*PID.*sleep 100")
    assert int(screen.group(1)) > 1000 and int(screen.group(2)) > 1000
    at.key("q")
    at.prompt()
    total, used, free = map(int, re.search(r"Mem: +(\d+) +(\d+) +(\d+)", at.run("free")).groups())
    assert total > 100000 and 0 < used < total and 0 < free < total
    at.run("kill %1; wait %1", status=None)
    at.run("true")


def test_find_sees_the_whole_tree(at):
    first = at.number("find / -xdev | wc -l")
    assert first > 300
    assert at.number("find / -xdev | wc -l") == first
    assert at.number("find / | wc -l", seconds=30) > first


def test_tar_and_gzip_give_back_what_they_got(at):
    at.run("mkdir t; cp /data/1m /data/SHA256SUMS t; ln -s 1m t/link")
    before = at.run("sha256sum t/*")
    at.run("tar cf - t | gzip > t.gz; rm -r t; ls t 2> /dev/null", status=1)
    at.run("gzip -dc t.gz | tar xf -")
    assert at.run("sha256sum t/*") == before
    assert at.run("readlink t/link") == "1m\n"


def test_sha256sum_is_the_hosts(at):
    assert at.run("sha256sum /data/1m").split()[0] == sums()["1m"]
    assert at.run("cd /data; sha256sum -c SHA256SUMS | grep -vc OK; cd /tmp", seconds=40) == "0\n"


def test_logger_reaches_syslogd(at):
    """Over /dev/log, an AF_UNIX datagram socket."""
    at.run("syslogd -O /tmp/messages; logger -t person hello there; sleep 0.3")
    assert "person: hello there" in at.run("cat /tmp/messages")
    at.run("killall syslogd")
