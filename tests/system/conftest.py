"""What every system test has in common: see ferry.py. Run by `make test`, or alone:

    /usr/bin/python3 -m pytest tests/system -k sendfile
"""

import shutil
import subprocess
import sys

import pytest

import ferry as ferry_module
from ferry import DISK, KERNEL, ROOT, Ferry


def pytest_sessionstart(session):
    missing = [str(path) for path in (KERNEL, DISK) if not path.exists()]
    if missing:
        pytest.exit(f"{' and '.join(missing)} not built: run `make` first", returncode=2)
    shutil.rmtree(ferry_module.LOGS, ignore_errors=True)


def pytest_runtest_setup(item):
    Ferry.test = item.name
    Ferry.machines[:] = [machine for machine in Ferry.machines if machine.alive]


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

    return make
