"""What every system test has in common: see ferry.py. Run by `make test`, or alone:

    /usr/bin/python3 -m pytest tests/system -k sendfile
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ferry as ferry_module
from disks import root_for_writing
from ferry import DISK, KERNEL, PATHS, ROOT, Ferry
from images import root_folder
from leaks import expect_holdings, settled_holdings


def pytest_sessionstart(session):
    missing = [str(path) for path in (KERNEL, DISK) if not path.exists()]
    if missing:
        pytest.exit(f"{' and '.join(missing)} not built: run `make` first", returncode=2)
    if not hasattr(session.config, "workerinput"):  # the process that starts the others
        shutil.rmtree(ferry_module.LOGS, ignore_errors=True)


def pytest_collection_finish(session):
    """Tests that wait for a minute do so in the background from now on."""
    if not session.config.option.collectonly:
        for module in {item.module for item in session.items}:
            if hasattr(module, "start"):
                module.start()


def pytest_runtest_setup(item):
    Ferry.test = item.name
    Ferry.machines.clear()


def pytest_runtest_teardown(item):
    """pytest keeps the folders of three sessions: without the images they are small."""
    for image in getattr(item, "funcargs", {}).get("tmp_path", Path("/nowhere")).glob("*.img"):
        image.unlink()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of what each machine said that the test had to do with."""
    report = (yield).get_result()
    if report.failed:
        for machine in Ferry.machines:
            report.sections.append((f"serial line, {machine.log}", machine.tail()))


@pytest.fixture(scope="session")
def make_disk(tmp_path_factory):
    """A function that makes disk images with tools/mkdisk: make_disk(options..., root) -> path."""
    folder = tmp_path_factory.mktemp("disks")
    made = {}

    def make(*arguments):
        key = tuple(map(str, arguments))
        if key not in made:
            image = folder / f"{len(made)}.img"
            subprocess.run([sys.executable, str(ROOT / "tools" / "mkdisk"), *key[:-1], str(image), key[-1]],
                           check=True)
            made[key] = image
        return made[key]

    yield make
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def small_disk(make_disk, tmp_path_factory):
    """A function that makes a small sound image, by block size: see images.py."""
    root = root_folder(tmp_path_factory.mktemp("root"))
    return lambda block_size=1024: make_disk("--block-size", block_size, "--size", 8, root)


@pytest.fixture
def writable_disk(make_disk, tmp_path_factory, tmp_path):
    """A function that makes an image for a test to write on, by block size and MiB: see disks.py."""
    def make(block_size=4096, mib=32):
        folder = tmp_path_factory.getbasetemp() / "writable-root"
        if not folder.exists():
            folder.mkdir()
            root_for_writing(root_folder(folder))
        image = tmp_path / f"{block_size}.img"
        shutil.copy(make_disk("--block-size", block_size, "--size", mib, folder), image)
        return image

    return make


@pytest.fixture(scope="module")
def web_machine(request):
    """A machine with shell and web server, for all tests of a module; MACHINE in it has more options."""
    with Ferry(shell=True, web=True, **{"limit": 900, **getattr(request.module, "MACHINE", {})}) as ferry:
        for path in PATHS:  # so that what is needed once is there
            ferry.get(f"/{path}/1m")
        ferry.sh("offload eth0")
        ferry.at_rest = None
        yield ferry


@pytest.fixture
def web(web_machine):
    """The module's machine for one test, after which it must hold no more than before."""
    Ferry.machines.append(web_machine)
    before = web_machine.at_rest or settled_holdings(web_machine)
    web_machine.at_rest = None
    yield web_machine
    expect_holdings(web_machine, before)
    web_machine.at_rest = before  # of the next test, too
