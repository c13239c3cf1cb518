"""Booting: again and again, with different memory, processors and devices, and what a panic says."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from ferry import Ferry, run


def test_thirty_boots_in_a_row_succeed():
    def boot(number):
        return number, *run("/bin/cat", "/proc/version", limit=30)

    with ThreadPoolExecutor(3) as pool:  # a boot mostly waits for an address
        for number, status, text in pool.map(boot, range(1, 31)):
            assert (status, "Linux version" in text and "Ferry" in text) == (0, True), (
                f"boot {number}: expected 0, got {status}\n{text}")


@pytest.mark.parametrize("mem", [32, 64, 128, 1024])
def test_a_machine_uses_the_memory_it_has(mem):
    status, text = run("/bin/cat", "/proc/meminfo", mem=mem)
    total = int(re.search(r"^MemTotal: +(\d+) kB$", text, re.MULTILINE).group(1)) / 1024
    usable = min(mem, 768)  # what the kernel maps, docs/architecture.md
    assert status == 0
    assert usable - 8 <= total <= usable, f"expected nearly {usable} MiB of RAM, got {total}"


def test_mem_option_limits_the_memory():
    _, text = run("/bin/cat", "/proc/meminfo", mem=128, append="mem=64M")
    total = int(re.search(r"^MemTotal: +(\d+) kB$", text, re.MULTILINE).group(1))
    assert 56 << 10 <= total <= 64 << 10, f"expected nearly 65536 kB, got {total}"


@pytest.mark.parametrize("cpu", ["qemu32,+nx,+smep,+smap", "max", "pentium3"])
def test_programs_run_on_other_processors(cpu):
    status, text = run("/tests/process", cpu=cpu)
    assert status == 0, f"expected every check to pass on {cpu}, got\n{text}"


def test_user_memory_stays_reachable_with_smap():
    """Each system call that copies from or to a program has to lift SMAP for just that long."""
    status, text = run("/tests/files", cpu="qemu32,+smep,+smap")
    assert status == 0, f"expected every check to pass, got\n{text}"


@pytest.mark.parametrize("machine, rows", [
    ({"cpu": "qemu32,+nx,+smep,+smap"}, 8), ({"cpu": "max"}, 8), ({"mem": 1024}, 8), ({"mem": 24}, 4)], ids=str)
def test_files_cross_other_machines_as_the_table_says(machine, rows):
    """With SMAP each copy to or from a program has to open the gate; with 1 GiB, addresses are high; with
    24 MiB, the file takes nearly all of the memory, and the cache is never warm."""
    status, text = run("/bin/copypath", "-f", "/data/16m", "-C" if rows == 4 else "-q", limit=120, **machine)
    good = len(re.findall(r"( |=|\x1b\[32m)ok(\x1b\[0m)?$", text, re.MULTILINE))
    assert (status, good) == (0, rows), f"expected {rows} lines that say ok, got {good}, status {status}\n{text}"


def test_copypath_without_a_network_card_says_so():
    status, text = run("/bin/copypath", net=False)
    assert status == 2 and re.search(r"^copypath: ", text, re.MULTILINE), f"expected an error, got {status}\n{text}"


def test_a_machine_without_network_card_runs_programs():
    status, text = run("/bin/sha256", "/data/one", net=False)
    assert status == 0, f"expected the program to run, got status {status}\n{text}"


def test_an_unknown_network_card_is_no_obstacle():
    status, text = run("/bin/sha256", "/data/one", nic="rtl8139")
    assert status == 0, f"expected the program to run, got status {status}\n{text}"


def test_qemu_sees_no_wrong_use_of_a_device():
    with Ferry(run=["/bin/sha256", "/data/1m", "/data/fragmented"]) as ferry:
        ferry.finish()
        assert ferry.guest_errors() == [], f"expected none, got {ferry.guest_errors()}"


def test_init_option_starts_that_program_with_its_arguments():
    with Ferry("init=/bin/busybox -- echo one two") as ferry:
        status, text = ferry.finish()
    assert status == 0 and "one two\n" in text, f"expected `one two`, got status {status}\n{text}"


def test_a_missing_init_is_said_in_one_line():
    with Ferry("init=/bin/nothing") as ferry:
        status, text = ferry.finish()
    assert status != 0 and "cannot start /bin/nothing" in text, f"expected a refusal, got {status}\n{text}"


def test_exit_status_of_the_program_is_printed():
    status, _ = run("/bin/sh", "-c", "exit$IFS\"42\"")
    assert status == 42, f"expected 42, got {status}"


# --- A panic explains itself --------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["assert", "fault", "text", "stack"])
def panicked(request):
    with Ferry(f"ferry.panic={request.param}", may_panic=True) as ferry:
        status, text = ferry.finish()
        return request.param, status, text


def test_a_panic_ends_qemu_with_a_failing_status(panicked):
    kind, status, text = panicked
    assert status not in (0, 4), f"{kind}: expected a failing status, got {status}\n{text}"


def test_a_panic_says_why(panicked):
    kind, _, text = panicked
    reason = {"assert": r"panic: \S+\.c:\d+: assertion failed: .*asked for", "stack": r"panic: double fault",
              "fault": r"page fault at 00000010", "text": r"page fault at c0[0-9a-f]{6} \(error 3\)"}[kind]
    assert re.search(reason, text), f"expected {reason!r}, got\n{text}"


def test_a_panic_names_the_functions_on_the_stack(panicked):
    kind, _, text = panicked
    trace = text.split("backtrace:", 1)[1]
    names = re.findall(r"^  [0-9a-f]{8}  ([\w.]+)\+0x[0-9a-f]+$", trace, re.MULTILINE)
    culprit = "overflow_stack" if kind == "stack" else "panic_on_request"
    assert any(culprit in name for name in names), f"expected {culprit} among the names, got {names}"


def test_a_panic_shows_registers_and_task(panicked):
    kind, _, text = panicked
    assert re.search(r"^task 1 \(init\)$", text, re.MULTILINE), f"{kind}: expected the task, got\n{text}"
    for register in ("eax", "esi", "esp", "eip", "eflags", "cr2"):
        assert re.search(rf"\b{register} [0-9a-f]{{8}}", text), f"{kind}: expected {register}, got\n{text}"
