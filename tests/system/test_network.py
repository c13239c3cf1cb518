"""The network as people use it at the shell: BusyBox's own tools, unmodified, against servers on the host's
loopback (which the guest reaches as 10.0.2.2), and what they tell of interfaces, routes and sockets."""

import hashlib
import http.server
import re
import socket
import threading
import urllib.error
import urllib.request

import pytest

from ferry import Ferry, sums
from leaks import expect_holdings, settled_holdings

HOST = "10.0.2.2"

# A name server for the guest's loopback, since programs ask on port 53 alone, and that is nobody's on the
# host. It knows one name, which means the host.
NAME_SERVER = r"""
socket(S, 2, 2, 17); bind(S, pack("Sna4x8", 2, 53, "\x7f\0\0\1")) or die;
while (defined($from = recv(S, $q, 512, 0))) {
    $end = index($q, "\0", 12) + 5;
    $type = unpack("n", substr($q, $end - 4, 2));
    $known = index($q, "\6origin\4test\0") == 12;
    $a = substr($q, 0, 2) . pack("nnnnn", $known ? 0x8180 : 0x8183, 1, $known && $type == 1, 0, 0);
    $a .= substr($q, 12, $end - 12);
    $a .= pack("nnnNn", 0xc00c, 1, 1, 60, 4) . "\x0a\0\2\2" if $known && $type == 1;
    send(S, $a, 0, $from);
}
"""


@pytest.fixture(scope="module")
def ferry():
    with Ferry(shell=True, limit=240) as machine:
        yield machine


class Web(http.server.BaseHTTPRequestHandler):
    body = bytes(i * 7 % 251 for i in range(300000))

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def web():
    """A web server on the host: its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


class Once:
    """A server on the host that takes one connection, says `text`, and keeps what it is told."""

    def __init__(self, text=b""):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(30)
        self.port = self.listener.getsockname()[1]
        self.text, self.got = text, b""
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with self.listener, self.listener.accept()[0] as peer:
            peer.settimeout(30)
            peer.sendall(self.text)
            if self.text:
                peer.shutdown(socket.SHUT_WR)
            while data := peer.recv(65536):
                self.got += data

    def end(self):
        self.thread.join(30)
        assert not self.thread.is_alive(), "expected the connection to end"
        return self.got


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# --- Programs that talk -----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.2.15", HOST])
def test_ping_gets_its_answers(ferry, address):
    said = ferry.sh(f"ping -c 2 {address}")
    assert "2 packets transmitted, 2 packets received, 0% packet loss" in said
    assert f"64 bytes from {address}: seq=1 ttl=" in said


def test_ping_of_nobody_says_so(ferry):
    assert "100% packet loss" in ferry.sh("ping -c 1 -W 1 10.0.2.99", status=1)


def test_a_ping_longer_than_a_packet_goes_in_fragments(ferry):
    assert f"5008 bytes from {HOST}: seq=0" in ferry.sh(f"ping -c 1 -s 5000 {HOST}")


def test_wget_fetches_from_a_server_on_the_host(ferry, web):
    said = ferry.sh(f"wget -q -O - http://{HOST}:{web}/x | sha256sum")
    assert said.split()[0] == sha256(Web.body)


def test_wget_of_a_port_without_server_is_refused(ferry):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "refused" in ferry.sh(f"wget -q -O - http://127.0.0.1:{port}/", status=1)


def test_nc_sends_a_file_to_the_host(ferry):
    server = Once()
    ferry.sh(f"nc {HOST} {server.port} </data/1m")
    assert sha256(server.end()) == sums()["1m"]


def test_nc_receives_from_the_host(ferry):
    server = Once(Web.body)
    said = ferry.sh(f"nc {HOST} {server.port} </dev/null | sha256sum")
    server.end()
    assert said.split()[0] == sha256(Web.body)


def test_nc_listens_and_the_host_calls(ferry):
    ferry.sh("nc -l -p 80 </data/4097 >/tmp/got & sleep 0.2")
    with socket.create_connection(("127.0.0.1", ferry.port), 30) as peer:
        peer.settimeout(30)
        peer.sendall(Web.body)
        peer.shutdown(socket.SHUT_WR)
        got = b""
        while data := peer.recv(65536):
            got += data
    ferry.sh("wait")
    assert sha256(got) == sums()["4097"]
    assert ferry.sh("sha256sum </tmp/got; rm /tmp/got").split()[0] == sha256(Web.body)


def test_telnet_reaches_a_server_on_the_host(ferry):
    server = Once(b"welcome from the host\r\n")
    said = ferry.sh(f"sleep 1 | telnet {HOST} {server.port}", status=None)
    server.end()
    assert "welcome from the host" in said


def test_httpd_serves_the_data_to_the_host(ferry):
    ferry.sh("httpd -f -p 80 -h /data & sleep 0.2")
    url = f"http://127.0.0.1:{ferry.port}/"
    try:
        for name in ("one", "4097", "1m"):
            with urllib.request.urlopen(url + name, timeout=30) as answer:
                assert sha256(answer.read()) == sums()[name]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url + "nothing", timeout=30)
    finally:
        ferry.sh("kill $!; wait", status=None)


def test_traceroute_finds_the_gateway(ferry):
    assert re.search(rf"^ 1  {re.escape(HOST)}  ", ferry.sh(f"traceroute -n -q 1 -m 1 {HOST}"), re.MULTILINE)


def test_names_resolve_by_the_name_server_that_ip_names(web):
    with Ferry("ip=10.0.2.15::10.0.2.2:255.255.255.0::::127.0.0.1", shell=True) as ferry:
        assert ferry.sh("cat /etc/resolv.conf") == "#MANUAL\nnameserver 127.0.0.1\n"
        ferry.sh(f"cat >/tmp/dns.pl <<'END'{NAME_SERVER}END\nperl /tmp/dns.pl & sleep 0.5")
        assert re.search(r"Name:\s+origin.test\nAddress: 10.0.2.2", ferry.sh("nslookup origin.test", status=None))
        said = ferry.sh(f"wget -q -O - http://origin.test:{web}/x | sha256sum")
        assert said.split()[0] == sha256(Web.body)
        assert "bad address" in ferry.sh(f"wget -q -O - http://unknown.test:{web}/", status=1)


# --- What is told of interfaces, routes and sockets -------------------------------------------------------


def test_dhcp_names_the_name_server(ferry):
    assert ferry.sh("cat /etc/resolv.conf") == "#DHCP\nnameserver 10.0.2.3\n"


def test_ifconfig_shows_the_card_and_the_loopback(ferry):
    said = ferry.sh("ifconfig")
    card, loopback = re.split(r"\n(?=lo)", said)
    assert "Link encap:Ethernet  HWaddr 52:54:00:12:34:56" in card
    assert "inet addr:10.0.2.15  Bcast:10.0.2.255  Mask:255.255.255.0" in card
    assert "UP BROADCAST RUNNING MULTICAST  MTU:1500" in card
    assert "inet addr:127.0.0.1  Mask:255.0.0.0" in loopback
    assert "UP LOOPBACK RUNNING  MTU:65536" in loopback


def test_the_loopback_counts_its_packets(ferry):
    def packets():
        return int(re.search(r"TX packets:(\d+)", ferry.sh("ifconfig lo"))[1])

    before = packets()
    ferry.sh("ping -c 1 127.0.0.1")
    assert packets() == before + 2


def test_an_interface_that_is_down_carries_nothing(ferry):
    ferry.sh("ifconfig lo down")
    assert "unreachable" in ferry.sh("ping -c 1 127.0.0.1", status=1)
    assert "UP" not in ferry.sh("ifconfig lo")
    ferry.sh("ifconfig lo up")
    ferry.sh("ping -c 1 127.0.0.1")


def test_routes_are_shown_added_and_deleted(ferry):
    def routes():
        return [line.split() for line in ferry.sh("route -n").splitlines()[2:]]

    default = ["0.0.0.0", HOST, "0.0.0.0", "UG", "0", "0", "0", "eth0"]
    own = ["10.0.2.0", "0.0.0.0", "255.255.255.0", "U", "0", "0", "0", "eth0"]
    assert routes() == [default, own]
    assert [line.split()[:4] for line in ferry.sh("netstat -rn").splitlines()[2:]] == [default[:4], own[:4]]
    ferry.sh(f"route add -net 192.0.2.0 netmask 255.255.255.0 gw {HOST}")
    added = ["192.0.2.0", HOST, "255.255.255.0", "UG", "0", "0", "0", "eth0"]
    assert routes() == [default, added, own]
    assert "File exists" in ferry.sh(f"route add -net 192.0.2.0 netmask 255.255.255.0 gw {HOST}", status=1)
    ferry.sh("route del -net 192.0.2.0 netmask 255.255.255.0")
    assert "No such process" in ferry.sh("route del -net 192.0.2.0 netmask 255.255.255.0", status=1)
    ferry.sh("route del default")
    assert routes() == [own]
    assert "unreachable" in ferry.sh("ping -c 1 192.0.2.1", status=1)
    ferry.sh(f"route add default gw {HOST}")
    assert routes() == [default, own]


def test_arp_shows_adds_and_deletes_neighbours(ferry):
    ferry.sh(f"ping -c 1 {HOST}")
    assert f"? ({HOST}) at 52:55:0a:00:02:02 [ether]  on eth0" in ferry.sh("arp -n")
    ferry.sh("arp -s 10.0.2.77 52:54:00:00:00:77")
    assert "? (10.0.2.77) at 52:54:00:00:00:77 [ether]" in ferry.sh("arp -n")
    ferry.sh("arp -d 10.0.2.77")
    assert "10.0.2.77" not in ferry.sh("arp -n")


def test_another_address_works_as_well():
    with Ferry(shell=True) as ferry:
        ferry.sh("ifconfig eth0 10.0.2.16 netmask 255.255.255.0")
        assert "inet addr:10.0.2.16  Bcast:10.0.2.255" in ferry.sh("ifconfig eth0")
        ferry.sh(f"ping -c 1 {HOST}")
        ferry.sh("ping -c 1 10.0.2.16")
        assert "0.0.0.0" not in [line.split()[0] for line in ferry.sh("route -n").splitlines()[2:]]


def test_netstat_lists_listeners_and_connections(ferry):
    ferry.sh("sleep 3 | nc -l -p 7001 >/dev/null & sleep 0.2")
    said = ferry.sh("netstat -tln 2>/dev/null", status=None)
    assert re.search(r"^tcp +0 +\d+ 0\.0\.0\.0:7001 +0\.0\.0\.0:\* +LISTEN", said, re.MULTILINE)
    ferry.sh("sleep 2 | nc 127.0.0.1 7001 >/dev/null & sleep 0.2")
    said = ferry.sh("netstat -tn 2>/dev/null", status=None)
    assert re.search(r"^tcp +0 +0 127\.0\.0\.1:7001 +127\.0\.0\.1:\d+ +ESTABLISHED", said, re.MULTILINE)
    ferry.sh("wait", seconds=20)


@pytest.mark.parametrize("test", ["inet", "udp", "icmp", "sockets", "unixsockets"])
def test_sockets_leave_nothing_behind(ferry, test):
    ferry.sh(f"/tests/{test} >/dev/null", seconds=60)
    before = settled_holdings(ferry)
    ferry.sh(f"/tests/{test} >/dev/null", seconds=60)
    expect_holdings(ferry, before)
