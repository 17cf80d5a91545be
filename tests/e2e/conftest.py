"""A whole archive as `manage.py up` runs it, with workers, database and queue of its own; and a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a password for tests"
PATIENCE = 90.0
PEOPLE = """
from archive.accounts.models import User
from archive.catalogue.services import create_collection
from archive.demo.seed import people
ada = people({password!r})["ada"]
create_collection("portraits", title="Portraits", by=ada, access="public")
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker("e2e")


@dataclass(frozen=True)
class Running:
    """Where the archive is, and how to run its commands."""

    url: str
    home: Path
    environment: dict[str, str]

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The archive, up for all browser tests, gone with them."""
    home = tmp_path_factory.mktemp("archive")
    (home / "demonstration-seeded").touch()  # an empty archive: what is in it is what the tests put there
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PALIMPSEST_", "DJANGO_"))
    }
    environment = kept | {
        "PALIMPSEST_HOME": str(home),
        "PALIMPSEST_STATIC": str(home / "static"),
        "PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    running = Running(f"http://localhost:{port}", home, environment)
    collected = running.manage("collectstatic", "--noinput", "--verbosity", "0")
    assert collected.returncode == 0, collected.stderr
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(running, process)
            made = running.manage("shell", "-v0", "-c", PEOPLE.format(password=PASSWORD))
            assert made.returncode == 0, made.stderr
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait(running: Running, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{running.url}/health/ready", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError((running.home / "up.log").read_text(errors="replace")[-4000:])


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium, quiet and without a network of its own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "No Chromium was found: install the system's package for the browser tests."
    flags = [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ]  # fmt: skip
    return browser_type_launch_args | {"executable_path": program, "args": flags}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any], running: Running) -> dict[str, Any]:
    return browser_context_args | {"base_url": running.url, "viewport": {"width": 1280, "height": 900}}
