"""The supervisor starts again what died, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys
from archive.system.supervisor import Program, Supervisor
marks = sys.argv[1]
supervisor = Supervisor(on_started=lambda: None)
supervisor.add(Program("lasting", f"echo x >> {marks}/starts; exec sleep 1000"))
supervisor.add(Program("once", f"echo x >> {marks}/once", once=True))
supervisor.loop()
"""


def supervisor(marks: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(marks)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    wait_for(lambda: (marks / "starts").exists() and (marks / "once").exists())
    return process


def wait_for(condition: object, *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def asleep(one: psutil.Process) -> bool:
    try:
        return one.cmdline()[:1] == ["sleep"]
    except psutil.Error:  # it ended between the two questions
        return False


def sleeper(process: "subprocess.Popen[bytes]") -> psutil.Process:
    def found() -> list[psutil.Process]:
        below = psutil.Process(process.pid).children(recursive=True)
        return [one for one in below if asleep(one)]

    wait_for(found)
    return found()[0]


def test_what_dies_is_started_again_and_what_may_end_is_not(tmp_path: Path) -> None:
    process = supervisor(tmp_path)
    os.kill(sleeper(process).pid, signal.SIGKILL)
    wait_for(lambda: (tmp_path / "starts").read_text().count("x") == 2)
    assert process.poll() is None
    assert (tmp_path / "once").read_text().count("x") == 1
    process.send_signal(signal.SIGINT)
    assert process.wait(15) is not None


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_it_ends(tmp_path: Path, end: signal.Signals) -> None:
    process = supervisor(tmp_path)
    left = [sleeper(process), *psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(end)
    process.wait(15)
    wait_for(lambda: not any(one.is_running() and one.status() != "zombie" for one in left))
