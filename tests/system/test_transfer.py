"""Files of every kind arrive as they are, along every path, whatever the client and the wire do."""

import hashlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Gone
from ferry import DATA, PATHS, Ferry, digest, sums
from images import Image, contents, failing
from leaks import expect_holdings, settled_holdings

FILES = ["zero", "one", "4095", "4096", "4097", "1m", "16m", "64m", "fragmented", "sparse"]
CLIENTS = 8


def fetch(ferry, target, method="GET", headers=None):
    with ferry.client() as client:
        return client.ask(target, method, headers)


def expect_file(answer, name, what):
    assert answer.status == 200, f"{what}: expected status 200, got {answer.status}"
    got = digest(answer.body)
    assert got == sums()[name], (
        f"{what}: expected {sums()[name]}, got {got} ({len(answer.body)} bytes)")


@pytest.fixture(params=["sg on", "sg off"])
def card(request, web):
    """The machine with scatter-gather on, and off; afterwards everything is on again."""
    web.sh("offload eth0 " + request.param)
    yield web
    web.sh("offload eth0 tx on sg on tso on")


@pytest.fixture
def lossy(web):
    """Every 13th frame is lost, in both directions."""
    web.sh("echo 13 > /proc/sys/ferry/drop_nth")
    yield web
    web.sh("echo 0 > /proc/sys/ferry/drop_nth")


@pytest.mark.parametrize("path", PATHS)
def test_files_of_every_size_arrive_as_they_are(card, path):
    with card.client() as client:
        for name in FILES:
            expect_file(client.ask(f"/{path}/{name}"), name, f"{name} by {path}")


@pytest.mark.parametrize("path", PATHS)
def test_a_file_larger_than_half_the_memory_arrives_from_a_cold_cache(web, path):
    web.sh("echo 3 > /proc/sys/vm/drop_caches")
    expect_file(web.get(f"/{path}/64m"), "64m", f"64m by {path}")


@pytest.mark.parametrize("path", PATHS)
def test_eight_clients_at_once_each_get_their_file(card, path):
    names = ["1m", "4097", "fragmented", "16m", "one", "sparse", "1m", "zero"]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for name, answer in zip(names, pool.map(lambda name: fetch(card, f"/{path}/{name}"), names)):
            expect_file(answer, name, f"{name} by {path}")


def test_eight_clients_on_all_paths_at_once_each_get_the_same_file(web):
    web.sh("echo 3 > /proc/sys/vm/drop_caches")
    targets = [f"/{PATHS[i % len(PATHS)]}/fragmented" for i in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for target, answer in zip(targets, pool.map(lambda target: fetch(web, target), targets)):
            expect_file(answer, "fragmented", target)


@pytest.mark.parametrize("path", PATHS)
def test_a_file_arrives_though_every_13th_frame_is_lost(lossy, path):
    for name in ("4097", "1m", "fragmented"):
        expect_file(lossy.get(f"/{path}/{name}"), name, f"{name} by {path}")


def test_eight_clients_get_their_files_though_frames_are_lost(lossy):
    targets = [f"/{PATHS[i % len(PATHS)]}/1m" for i in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for target, answer in zip(targets, pool.map(lambda target: fetch(lossy, target), targets)):
            expect_file(answer, "1m", target)


@pytest.mark.parametrize("path", PATHS)
def test_a_client_that_reads_slowly_gets_all_of_it(card, path):
    """The window is small and closes again and again; the server sleeps and is woken."""
    with card.client(receive_buffer=4096) as client:
        client.send(f"/{path}/fragmented")
        _, headers, _ = client.read_head()
        left, sha = int(headers["content-length"]), hashlib.sha256()
        time.sleep(0.7)  # by now everything in between is full, and the window is closed
        pauses = 0
        while left:
            part = client.read(min(left, 200_000))
            left -= len(part)
            sha.update(part)
            if pauses < 10:
                time.sleep(0.1)
                pauses += 1
    assert sha.hexdigest() == sums()["fragmented"], f"{path}: expected {sums()['fragmented']}, got {sha.hexdigest()}"


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("path", PATHS)
def test_a_client_that_leaves_half_way_costs_nothing(card, path, end):
    """What its connection held comes back (the fixture), and others are served."""
    for _ in range(3):
        client = card.client(receive_buffer=65536)
        client.send(f"/{path}/64m")
        client.read_head()
        client.read(300_000)
        getattr(client, end)()
    client = card.client()
    client.send(f"/{path}/64m")
    getattr(client, end)()  # before the first byte
    expect_file(card.get(f"/{path}/1m"), "1m", f"1m by {path} afterwards")


def test_a_client_that_says_nothing_keeps_nobody_waiting(web):
    with web.client(), web.client() as silent:
        silent.send_bytes(b"GET /sendfile/1m HT")
        expect_file(web.get("/sendfile/1m"), "1m", "another client's file")


def test_clients_that_reset_at_random_moments_cost_nothing(web):
    def rude(number):
        with web.client() as client:
            client.send(f"/{PATHS[number % 3]}/16m")
            try:
                client.read_head()
                client.read(number * 37_000)
            except (Gone, OSError):
                pass
            client.reset()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(rude, range(40)))
    expect_file(web.get("/sendfile/1m"), "1m", "a file afterwards")


# --- Memory that is too small, and a failing disk beneath a server ------------------------------------


def test_a_file_larger_than_the_memory_arrives():
    """The cache is reclaimed behind the reader. Pages that are mapped stay: along mmap a program may get no
    more memory and be ended, but nobody else."""
    with Ferry(shell=True, web=True, mem=32) as ferry:
        for path in PATHS:
            ferry.get(f"/{path}/1m")
        before = settled_holdings(ferry)
        for _ in range(2):
            expect_file(ferry.get("/readwrite/64m"), "64m", "64m by readwrite")
            expect_file(ferry.get("/sendfile/64m"), "64m", "64m by sendfile")
            with ferry.client() as client:
                client.send("/mmap/64m")
                client.read_head()
                client.input.read(64 << 20)
            expect_file(ferry.get("/mmap/16m"), "16m", "16m by mmap")
        with ThreadPoolExecutor(CLIENTS) as pool:
            targets = [f"/{PATHS[i % 2 * 2]}/16m" for i in range(CLIENTS)]
            for target, answer in zip(targets, pool.map(lambda target: fetch(ferry, target), targets)):
                expect_file(answer, "16m", target)
        expect_holdings(ferry, before)


@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_cannot_be_read_ends_its_answer_early(path, small_disk, tmp_path):
    """With mmap it is the page fault of a copy that fails: an error for the program, not its end."""
    image = Image(shutil.copy(small_disk(4096), tmp_path / "disk.img"))
    bad = image.sector_of("/data/large", 60)
    with Ferry(shell=True, web=True, disk=None, extra=failing(image.path, [bad])) as ferry:
        ferry.get(f"/{path}/small")
        before = settled_holdings(ferry)
        for _ in range(3):
            with ferry.client() as client:
                client.send(f"/{path}/large")
                status, headers, _ = client.read_head()
                length = int(headers["content-length"])
                body = client.input.read(length)
                assert status == 200 and 0 < len(body) < length, f"expected a part of {length} bytes, got {len(body)}"
                assert body == contents("large")[:len(body)], "expected the file's first bytes, got others"
            assert ferry.get(f"/{path}/other").body == contents("other"), "expected another file to arrive"
        expect_holdings(ferry, before)


# --- HTTP ---------------------------------------------------------------------------------------------


def test_a_connection_stays_open_for_many_requests(web):
    with web.client() as client:
        for i in range(30):
            name = ["one", "4097", "4095"][i % 3]
            expect_file(client.ask(f"/{PATHS[i % 3]}/{name}"), name, f"request {i}")


def test_requests_sent_ahead_are_answered_in_order(web):
    with web.client() as client:
        for name in ("4097", "one", "4096"):
            client.send(f"/sendfile/{name}")
        for name in ("4097", "one", "4096"):
            expect_file(client.answer(), name, name)


def test_a_request_in_many_pieces_is_understood(web):
    with web.client() as client:
        for byte in b"GET /mmap/4097 HTTP/1.1\r\nHost: ferry\r\n\r\n":
            client.send_bytes(bytes([byte]))
        expect_file(client.answer(), "4097", "the file")


def test_connection_close_is_obeyed(web):
    with web.client() as client:
        expect_file(client.ask("/sendfile/one", headers={"Connection": "close"}), "one", "the file")
        assert client.at_end(), "expected the server to end the connection, it did not"


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_without_a_body(web, path):
    with web.client() as client:
        answer = client.ask(f"/{path}/1m", "HEAD")
        got = answer.status, answer.headers["content-length"]
        assert got == (200, "1048576"), f"expected (200, 1048576), got {got}"
        expect_file(client.ask(f"/{path}/one"), "one", "the next file on the connection")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("asked, first, last", [
    ("0-0", 0, 0), ("1-4096", 1, 4096), ("4095-4097", 4095, 4097), ("65535-131072", 65535, 131072),
    ("1048575-", 1048575, 1048575), ("-5000", 1043576, 1048575), ("500000-9999999", 500000, 1048575),
])
def test_a_range_is_exactly_those_bytes(web, path, asked, first, last):
    answer = web.get(f"/{path}/1m", headers={"Range": f"bytes={asked}"})
    expected = 206, f"bytes {first}-{last}/1048576"
    got = answer.status, answer.headers.get("content-range")
    assert got == expected, f"expected {expected}, got {got}"
    assert answer.body == (DATA / "1m").read_bytes()[first:last + 1], "expected the bytes of the file, got others"


def test_a_range_behind_the_end_is_416(web):
    answer = web.get("/sendfile/4097", headers={"Range": "bytes=4097-"})
    got = answer.status, answer.headers.get("content-range")
    assert got == (416, "bytes */4097"), f"expected (416, 'bytes */4097'), got {got}"


@pytest.mark.parametrize("target", ["/sendfile/nothing", "/nothing/1m", "/sendfile/", "/sendfile", "/sendfile/many",
                                    "/sendfile/" + "x" * 300, "/ledger"])
def test_what_is_not_there_is_404(web, target):
    answer = web.get(target)
    assert answer.status == 404, f"{target}: expected 404, got {answer.status}"


@pytest.mark.parametrize("request_text, status", [
    (b"nonsense\r\n\r\n", 400), (b"GET\r\n\r\n", 400), (b"GET /one HTTP/1.1\r\n\r\n", 400),
    (b"GET one HTTP/1.1\r\nHost: x\r\n\r\n", 400), (b"\x00\x01\x02\xff\r\n\r\n", 400),
    (b"GET /sendfile/%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400), (b"GET /one HTTP/1.1\r\nHost x\r\n\r\n", 400),
    (b"GET /sendfile/../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"POST /sendfile/one HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"DELETE /sendfile/one HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"GET /one HTTP/2.0\r\nHost: x\r\n\r\n", 505), (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
])
def test_nonsense_gets_a_clear_error_and_an_end(web, request_text, status):
    with web.client() as client:
        client.send_bytes(request_text)
        got = client.answer().status
        assert got == status, f"{request_text[:40]}: expected {status}, got {got}"
        assert client.at_end(), "expected the connection to end"
    expect_file(web.get("/sendfile/one"), "one", "a file afterwards")


def test_405_says_what_is_allowed(web):
    answer = web.get("/sendfile/one", "PUT")
    got = answer.status, answer.headers.get("allow")
    assert got == (405, "GET, HEAD"), f"expected (405, 'GET, HEAD'), got {got}"


def test_the_first_page_lists_every_file_and_path(web):
    page = web.get("/").body.decode()
    missing = [f"/{path}/{name}" for path in PATHS for name in FILES if f"/{path}/{name}" not in page]
    assert not missing, f"expected links to all files, missing {missing}"
