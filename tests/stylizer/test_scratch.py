"""Whatever ends a run, nothing half made stays; of one that was killed only until the next."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import _scans
from stylizer.scratch import LOCK, scratch


@contextmanager
def begun(scan: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run of the command line, in the middle of its picture."""
    words = ["apply", str(scan), "--recipe", "restore", "--out", str(out), "--device", "cpu", "--tile", "256"]
    # Tests that run in the background have SIGINT ignored, and what they start would inherit that.
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    run = subprocess.Popen(
        [sys.executable, "-m", "stylizer", *words], stderr=subprocess.DEVNULL, preexec_fn=heed
    )
    try:
        deadline = time.monotonic() + 60
        while not list(out.glob(f".scan.*/{LOCK}")):
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        assert run.poll() is None
        yield run
    finally:
        run.kill()
        run.wait(30)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _scans.write(tmp_path_factory.mktemp("scans") / "scan.tif", 3000, 2000)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(scan: Path, tmp_path: Path, how: signal.Signals) -> None:
    with begun(scan, tmp_path) as run:
        run.send_signal(how)
        assert run.wait(30) == 130
    assert not list(tmp_path.iterdir())


def test_what_a_killed_run_left_goes_with_the_next(scan: Path, tmp_path: Path) -> None:
    with begun(scan, tmp_path) as run:
        run.kill()
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
