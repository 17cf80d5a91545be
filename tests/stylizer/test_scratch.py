"""Whatever ends a run, nothing half made stays; of one that was killed only until the next."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import _scans
from stylizer.scratch import LOCK, scratch


def begun(scan: Path, out: Path) -> subprocess.Popen[bytes]:
    """A run of the command line, in the middle of its picture."""
    words = ["apply", str(scan), "--recipe", "restore", "--out", str(out), "--device", "cpu", "--tile", "256"]
    run = subprocess.Popen([sys.executable, "-m", "stylizer", *words], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(out.glob(f".scan.*/{LOCK}")):
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    assert run.poll() is None
    return run


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _scans.write(tmp_path_factory.mktemp("scans") / "scan.tif", 3000, 2000)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(scan: Path, tmp_path: Path, how: signal.Signals) -> None:
    run = begun(scan, tmp_path)
    run.send_signal(how)
    assert run.wait(30) == 130
    assert not list(tmp_path.iterdir())


def test_what_a_killed_run_left_goes_with_the_next(scan: Path, tmp_path: Path) -> None:
    run = begun(scan, tmp_path)
    run.kill()
    run.wait(30)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".scan.")
    with scratch(tmp_path, "scan") as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert not list(tmp_path.iterdir())


def test_a_folder_in_use_and_one_of_another_name_stay(tmp_path: Path) -> None:
    with (
        scratch(tmp_path, "a[1]*") as mine,
        scratch(tmp_path, "a[1]*") as second,
        scratch(tmp_path, "b") as other,
    ):
        assert {mine, second, other} == set(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())
