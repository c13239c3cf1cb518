"""At the prompt, with the network: wget, nc, httpd, telnetd, between the guest and this host's loopback."""

import re
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from ferry import DATA, digest, sums
from machine import free_port
from prompt import Prompt

TELNET, HTTP = free_port(23023), free_port(28080)


@pytest.fixture(scope="module")
def at():
    with Prompt(limit=120, forward=[(TELNET, 23), (HTTP, 8080)]) as shell:
        shell.run("cd /tmp")
        yield shell


@pytest.fixture
def host_web():
    """A web server of this host that serves /data: the port."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=DATA)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_wget_fetches_from_the_host(at, host_web):
    at.run(f"wget -q http://10.0.2.2:{host_web}/1m")
    assert at.run("sha256sum 1m").split()[0] == sums()["1m"]
    at.run("rm 1m")
    assert "404" in at.run(f"wget http://10.0.2.2:{host_web}/nothing", status=1)


def test_nc_talks_to_the_host(at):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        at.start(f"sha256sum /data/1m | nc 10.0.2.2 {server.getsockname()[1]}")
        connection, _ = server.accept()
        with connection:
            connection.settimeout(20)
            line = connection.makefile().readline()
            assert line.split()[0] == sums()["1m"]
            connection.sendall(b"thank you\n")
            connection.shutdown(socket.SHUT_WR)
        assert "thank you" in at.prompt()


def test_httpd_serves_the_host(at):
    at.run("mkdir -p www; cp /data/1m www; httpd -p 8080 -h /tmp/www")
    with urlopen(f"http://127.0.0.1:{HTTP}/1m", timeout=20) as answer:
        assert digest(answer.read()) == sums()["1m"]
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"http://127.0.0.1:{HTTP}/nothing", timeout=20)
    at.run("killall httpd; rm -r www")


class Telnet:
    """As much of a telnet client as telnetd needs: what it says about options is passed over."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.text = b""

    def expect(self, pattern):
        while not (match := re.search(pattern, self.text)):
            data = self.socket.recv(4096)
            assert data, f"expected {pattern!r}, got the end after {self.text[-500:]!r}"
            self.text += re.sub(rb"\xff[\xfb-\xfe].|\xff\xfa.*?\xff\xf0", b"", data, flags=re.DOTALL)
        self.text = self.text[match.end():]
        return match

    def type(self, line):
        self.socket.sendall(line.encode() + b"\r\0")

    def log_in(self):
        self.expect(rb"login: ")
        self.type("root")
        self.expect(rb"# ")


def test_telnetd_gives_a_second_shell(at):
    at.run("telnetd")
    there = Telnet(TELNET)
    there.log_in()
    there.type("tty; echo $((40 + 2))")
    assert there.expect(rb"(/dev/pts/\d+)\r\n42\r\n").group(1) == b"/dev/pts/0"
    there.type("sleep 100")
    at.run("until ps | grep -q '[s]leep 100'; do sleep 0.1; done")
    there.socket.sendall(b"\x03")
    there.type("echo 'back 'again $?")
    there.expect(rb"back again 130\r\n")
    there.type("exit")
    while there.socket.recv(4096):
        pass
    there.socket.close()

    # Who just hangs up takes his programs with him.
    there = Telnet(TELNET)
    there.log_in()
    there.type("sleep 200")
    at.run("until ps | grep -q '[s]leep 200'; do sleep 0.1; done")
    there.socket.close()
    at.run("while ps | grep -q '[s]leep 200'; do sleep 0.1; done")
    at.run("killall telnetd; while ls /dev/pts | grep -q '[0-9]'; do sleep 0.1; done")


def test_ping_and_the_name_server(at):
    assert "2 packets received" in at.run("ping -c 2 10.0.2.2")
    assert "nameserver 10.0.2.3" in at.run("cat /etc/resolv.conf")
