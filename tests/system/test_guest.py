"""The guest tests: each runs in ring 3 of Ferry and, the same file, on the Linux beneath us."""

import difflib
import errno
import re
import subprocess

import pytest

from ferry import BUILD, DATA, ROOT, run

PROGRAMS = sorted(source.stem for source in (ROOT / "tests" / "guest").glob("*.c"))
ARGUMENTS = {"files": [DATA], "elfs": [BUILD / "root" / "tests" / "badelf"]}  # on Linux: where /data lies here
# Linux keeps no ledger, and a 64-bit one gives an i386 program the fourth GiB, too.
ONLY_HERE = {"the ledger counts interrupts and lost turns", "mmap in the kernel's part: ENOMEM"}


def passed(name, where, output):
    """The sentences of the checks that passed; fails when one did not."""
    output = output.replace("\r", "")
    bad = re.findall(r"^not ok - .*$", output, re.MULTILINE)
    last = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
    assert last, f"{name} on {where}: expected `N passed, N failed`, got\n{output[-2000:]}"
    assert (last.group(2), bad) == ("0", []), f"{name} on {where}: expected 0 failed, got " + "\n".join(
        [last.group(2), *bad])
    sentences = re.findall(r"^ok - (.*)$", output, re.MULTILINE)
    assert len(sentences) == int(last.group(1)), (
        f"{name} on {where}: expected {last.group(1)} lines that say ok, got {len(sentences)}")
    return sentences


def natively(name, folder, attempts=3):
    """The same on Linux. There it competes with whatever else runs, and may have to be asked again."""
    for attempt in range(1, attempts + 1):
        native = subprocess.run([BUILD / "guest" / name, *ARGUMENTS.get(name, [])], cwd=folder, timeout=60,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if native.returncode == 0 or attempt == attempts:
            return passed(name, "Linux", native.stdout.decode(errors="replace"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_guest_program_passes_on_ferry_and_on_linux(name, tmp_path):
    status, output = run(f"/tests/{name}")
    on_ferry = passed(name, "Ferry", output)
    assert status == 0, f"{name} on Ferry: expected status 0, got {status}"
    try:
        on_linux = natively(name, tmp_path)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        pytest.skip("this machine cannot execute i386 programs; the checks passed on Ferry")
    # Here the disk cannot be written: what is done to a new file is checked there alone.
    if "nothing can be removed: EROFS" in on_ferry:
        cut = on_ferry.index("a file can be created, or EROFS")
        on_ferry, on_linux = on_ferry[:cut], on_linux[:cut]
    shared = [sentence for sentence in on_ferry if sentence not in ONLY_HERE]
    assert shared == on_linux, f"{name}: expected the same checks in both places, got\n" + "\n".join(
        difflib.unified_diff(on_linux, shared, "Linux", "Ferry", lineterm="", n=1))
