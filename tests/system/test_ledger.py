"""The ledger says exactly what the design's table says, for each path, cold and warm, in fair weather and foul.

Everything is compared: an edge that is not in the table must not be in the ledger. What was sent twice, headers
and metadata are kept apart from payload, in every run.
"""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ferry import DATA, PATHS, digest, run, sums
from ledger import Ledger, clean, difference, plus, received, table, written

FILES = ["one", "4095", "4096", "4097", "1m", "16m", "fragmented", "sparse"]
CARDS = {"sg on": True, "tso off": True, "sg off": False}  # what was switched: whether the card gathers


@pytest.fixture(params=list(CARDS))
def card(request, web):
    """(the machine, whether its card gathers)"""
    web.sh("offload eth0 " + request.param)
    yield web, CARDS[request.param]
    web.sh("offload eth0 tx on sg on tso on")


def size_of(name):
    return os.path.getsize(DATA / name)


def cold(ferry):
    ferry.sh("echo 3 > /proc/sys/vm/drop_caches")


def transfer(client, path, name, *, sg=True, is_cold=False, body=None, method="GET", headers=None, reader=None):
    """Fetches a file and then, on the same connection, its ledger, and compares every edge. The ledger."""
    client.send(f"/{path}/{name}", method, headers)
    status, got_headers, head = client.read_head()
    length = 0 if method == "HEAD" else int(got_headers["content-length"])
    data = reader(client, length) if reader else client.read(length)
    if body is None:
        assert digest(data) == sums()[name], f"{name} by {path}: expected {sums()[name]}, got {digest(data)}"
        body = size_of(name)
    request = client.send("/ledger")
    bill = Ledger(client.answer().body.decode())
    told = bill.values["path"], int(bill.values["body"]), int(bill.values["response_header"])
    assert told == (path, body, head), f"expected {(path, body, head)}, got {told}"
    expected = plus(table(path, body, sg=sg, cold_file=name if is_cold else None), written(head), received(request))
    assert bill.edges == expected, (
        f"{name} by {path}, {'cold' if is_cold else 'warm'}, {'' if sg else 'no '}scatter-gather:\n"
        + difference(expected, bill.edges))
    return bill


@pytest.mark.parametrize("path", PATHS)
def test_ledger_equals_the_table_cold_and_warm(card, path):
    ferry, sg = card
    for name in FILES:
        cold(ferry)
        with ferry.client() as client:
            transfer(client, path, name, sg=sg, is_cold=True)
            bill = transfer(client, path, name, sg=sg)
            assert "retransmit" not in bill.apart, f"expected nothing sent twice, got {bill.apart}"


def test_sendfile_with_sg_copies_no_byte(web):
    """No byte of the file is moved or read by the CPU: of 64 MiB, the edges of the CPU show the answer's
    head and the requests alone."""
    cold(web)
    with web.client() as client:
        for is_cold in (True, False):
            bill = transfer(client, "sendfile", "64m", is_cold=is_cold)
            by_cpu = {edge: count for edge, count in bill.edges.items()
                      if edge[2] != "dma" and edge[0] in ("disk", "cache", "zero")}
            assert by_cpu == {}, f"expected no byte of the file by the CPU, got {by_cpu}"
            sent = bill.edges["cache", "nic", "dma"]
            assert sent == size_of("64m"), f"expected {size_of('64m')} bytes from cache to card, got {sent}"


@pytest.mark.parametrize("path", ["readwrite", "mmap"])
def test_64_mib_are_counted_to_the_byte(web, path):
    cold(web)
    with web.client() as client:
        transfer(client, path, "64m", is_cold=True)


@pytest.mark.parametrize("path", PATHS)
def test_without_checksums_by_the_card_the_cpu_reads_the_payload(web, path):
    """`tx off` takes scatter-gather along; the CPU's reading is shown as a touch, not as a copy."""
    web.sh("offload eth0 tx off")
    try:
        with web.client() as client:
            client.ask(f"/{path}/1m")
            client.send(f"/{path}/1m")
            _, _, head = client.read_head()
            client.read(size_of("1m"))
            request = client.send("/ledger")
            bill = Ledger(client.answer().body.decode())
    finally:
        web.sh("offload eth0 tx on sg on tso on")
    sent = size_of("1m") + head
    expected = plus(table(path, size_of("1m"), sg=False), written(head), received(request),
                    {("sock", "nic", "touch"): sent})
    assert bill.edges == expected, f"{path} without checksums by the card:\n" + difference(expected, bill.edges)


@pytest.mark.parametrize("path", PATHS)
def test_a_range_is_counted_alone(web, path):
    with web.client() as client:
        client.ask(f"/{path}/1m")
        for first, last in [(0, 0), (1, 4096), (4095, 70000), (1048570, 1048575)]:
            transfer(client, path, "1m", body=last - first + 1, headers={"Range": f"bytes={first}-{last}"})


@pytest.mark.parametrize("path", PATHS)
def test_head_moves_no_payload(web, path):
    cold(web)
    with web.client() as client:
        transfer(client, path, "16m", body=0, method="HEAD")


@pytest.mark.parametrize("path", PATHS)
def test_system_calls_are_those_of_the_path(web, path):
    """Two a chunk of 64 KiB for read+write; one for mmap+write, and mmap and munmap; one for sendfile."""
    with web.client() as client:
        counts = []
        for name in ("one", "16m"):
            client.ask(f"/{path}/{name}")
            counts.append(transfer(client, path, name).entries["syscall"])
    chunks = size_of("16m") // 65536
    expected = (chunks - 1) * (2 if path == "readwrite" else 1)
    assert counts[1] - counts[0] == expected, f"{path}: expected {expected} more calls, got {counts[1] - counts[0]}"


# --- In foul weather ----------------------------------------------------------------------------------


@pytest.fixture(params=["sg on", "sg off"])
def lossy(request, web):
    web.sh("offload eth0 " + request.param)
    web.sh("echo 13 > /proc/sys/ferry/drop_nth")
    yield web, request.param == "sg on"
    web.sh("echo 0 > /proc/sys/ferry/drop_nth")
    web.sh("offload eth0 tx on sg on tso on")


@pytest.mark.parametrize("path", PATHS)
def test_what_is_sent_again_is_kept_apart(lossy, path):
    ferry, sg = lossy
    cold(ferry)
    with ferry.client() as client:
        bill = transfer(client, path, "fragmented" if sg else "1m", sg=sg, is_cold=True)
        assert bill.apart.get("retransmit", 0) > 0, f"expected retransmissions, got {bill.apart}"
        transfer(client, path, "4097", sg=sg, is_cold=True)
        transfer(client, path, "4097", sg=sg)


def slowly(client, length):
    time.sleep(0.5)
    parts = []
    while length:
        parts.append(client.read(min(length, 400_000)))
        length -= len(parts[-1])
        if len(parts) < 10:
            time.sleep(0.05)
    return b"".join(parts)


@pytest.mark.parametrize("path", PATHS)
def test_a_slow_reader_changes_no_figure(card, path):
    ferry, sg = card
    cold(ferry)
    with ferry.client(receive_buffer=4096) as client:
        bill = transfer(client, path, "fragmented", sg=sg, is_cold=True, reader=slowly)
        assert bill.switches.get("voluntary", 0) > 0, "expected the server to sleep, it did not"


@pytest.mark.parametrize("path", PATHS)
def test_eight_clients_at_once_each_have_their_own_exact_bill(card, path):
    ferry, sg = card
    ferry.get(f"/{path}/fragmented")

    def one(_):
        with ferry.client() as client:
            transfer(client, path, "fragmented", sg=sg)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))


def machine_edges(ferry):
    """Of the whole machine, with everything that programs read of the disk."""
    return Ledger(ferry.sh("cat /proc/ferry/ledger")).edges


@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_client_that_leaves_makes_nobody_copy(web, end):
    """With scatter-gather: however it ends, no byte of the file is touched by the CPU, and none comes
    from the disk twice."""
    web.get("/sendfile/64m")
    machine_edges(web)
    before = machine_edges(web)
    requests = heads = 0
    for _ in range(5):
        client = web.client(receive_buffer=65536)
        requests += client.send("/sendfile/64m")
        heads += client.read_head()[2]
        client.read(300_000)
        getattr(client, end)()
    time.sleep(0.5)
    after = machine_edges(web)
    moved = clean({edge: after[edge] - before.get(edge, 0) for edge in after})
    sent = moved.pop(("cache", "nic", "dma"))
    assert 5 * 300_000 <= sent <= 5 * size_of("64m"), f"expected what was read, and not more than all, got {sent}"
    # Each process of the server, and `cat`, gets a few pages of its own: its data, its stack.
    moved.pop(("user", "user", "cpu"), None)
    moved.pop(("zero", "user", "cpu"), None)
    private = moved.pop(("cache", "user", "cpu"), 0)
    assert private <= 6 * 4 * 4096, f"expected a few pages of programs' data, got {private} bytes"
    expected = plus(written(heads), received(requests))
    assert moved == expected, "expected the heads and the requests alone:\n" + difference(expected, moved)


def test_bytes_of_a_reset_connection_are_counted_once(web):
    """read+write: what a program wrote was copied, though the peer did not want it."""
    machine_edges(web)
    before = machine_edges(web)
    client = web.client(receive_buffer=65536)
    client.send("/readwrite/16m")
    client.read_head()
    client.read(300_000)
    client.reset()
    time.sleep(0.5)
    after = machine_edges(web)
    copied = after["user", "sock", "cpu"] - before.get(("user", "sock", "cpu"), 0)
    carried = after["sock", "nic", "dma"] - before.get(("sock", "nic", "dma"), 0)
    assert 300_000 <= carried <= copied <= size_of("16m") + 300, (
        f"expected 300000 <= carried <= copied, got {carried} and {copied}")


# --- copypath and samepage ----------------------------------------------------------------------------

COPYPATH_FILES = ["one", "4095", "4096", "4097", "1m", "16m", "64m", "fragmented"]


def machine_lines(output):
    for line in re.findall(r"^path=.*$", output, re.MULTILINE):
        yield dict(word.split("=", 1) for word in line.split())


def judge_copypath(output, files, paths=(*PATHS, "sendfile-sg-off"), states=("cold", "warm")):
    """Every path in every state of the cache, of each file: the verdict, and the figures by our own table."""
    seen = set()
    for values in machine_lines(output):
        name, path, state = os.path.basename(values["file"]), values["path"], values["state"]
        seen.add((name, path, state))
        got = {tuple(key.split(".")[1:]): int(value) for key, value in values.items() if key.startswith("edge.")}
        expected = table("sendfile" if path.startswith("sendfile") else path, size_of(name),
                         sg=path != "sendfile-sg-off", cold_file=name if state == "cold" else None)
        expected.pop(("zero", "cache", "cpu"), None)
        assert clean(got) == expected, f"{name} by {path}, {state}:\n" + difference(expected, clean(got))
        assert values["verdict"] == "ok", f"{name} by {path}, {state}: expected verdict ok, got {values}"
        calls = int(values["chunks"]) * (2 if path == "readwrite" else 1) + (2 if path == "mmap" else 0)
        assert int(values["calls"]) == calls, f"{name} by {path}: expected {calls} calls, got {values['calls']}"
    expected = {(name, path, state) for name in files for path in paths for state in states}
    assert seen == expected, f"expected a line for each of {expected - seen}, got none"


def test_copypath_measures_what_the_table_says():
    arguments = [word for name in COPYPATH_FILES for word in ("-f", f"/data/{name}")]
    status, output = run("/bin/copypath", "--machine", *arguments, limit=120)
    assert status == 0, f"expected status 0, got {status}\n{output[-3000:]}"
    judge_copypath(output, COPYPATH_FILES)


def test_copypath_measures_the_same_though_frames_are_lost():
    arguments = [word for path in PATHS for word in ("-p", path)]  # the fourth takes a minute
    status, output = run("/bin/copypath", "--machine", "-f", "/data/1m", *arguments, append="ferry.drop=13",
                         limit=120)
    assert status == 0, f"expected status 0, got {status}\n{output[-3000:]}"
    judge_copypath(output, ["1m"], PATHS)
    again = sum(int(values.get("apart.retransmit", 0)) for values in machine_lines(output))
    assert again > 0, "expected retransmissions, got none"


def test_copypath_measures_the_same_under_icount():
    status, output = run("/bin/copypath", "--machine", "-f", "/data/1m", append="ferry.icount", icount=True)
    assert status == 0, f"expected status 0, got {status}\n{output[-3000:]}"
    judge_copypath(output, ["1m"])


@pytest.mark.parametrize("name", ["one", "4097", "1m", "fragmented"])
def test_cache_page_table_and_card_name_the_same_page(name):
    status, output = run("/bin/samepage", f"/data/{name}")
    assert status == 0, f"expected the same pages, got status {status}\n{output[-3000:]}"
    pages = min(-(-size_of(name) // 4096), 256)
    assert f"{pages} of {pages} pages are one and the same" in output, f"expected {pages} pages, got\n{output[-500:]}"
