"""`manage.py up` as a person meets it: one command, an address, Ctrl-C, and nothing left."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from archive.embedded import Addresses

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60  # seconds from the command to readiness, as promised


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-up-"))
    (folder / "demonstration-seeded").touch()  # the demonstration has tests of its own
    yield folder
    shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def readiness(port: int) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
        found: dict[str, object] = json.load(answer)
        return found


@pytest.mark.slow
def test_one_command_brings_everything_up_and_ctrl_c_takes_it_all_down(home: Path) -> None:
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment = kept | {"PALIMPSEST_HOME": str(home), "PORT": str(port)}
    with (home / "output").open("wb") as output:
        command = [sys.executable, "manage.py", "up"]
        archive = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            found = wait_until_ready(port, archive)
            assert [found[part]["state"] for part in ("database", "queue", "storage")] == ["ready"] * 3  # type: ignore[index]
            time.sleep(2)
            started = psutil.Process(archive.pid).children(recursive=True)
            assert len(started) >= 6
        finally:
            archive.send_signal(signal.SIGINT)
            archive.wait(40)
    assert archive.returncode == 0, (home / "output").read_text()[-2000:]
    assert f"http://localhost:{port}/" in (home / "output").read_text()
    assert [process for process in started if process.is_running() and process.status() != "zombie"] == []
    assert not Addresses.of(home).sockets.exists()


def wait_until_ready(port: int, archive: "subprocess.Popen[bytes]") -> dict[str, object]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and archive.poll() is None:
        try:
            return readiness(port)
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError("It did not get ready in time.")
