"""Real Celery workers in processes of their own, with an engine small enough to understand."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from archive.accounts.models import Role, User
from archive.catalogue.models import Collection
from archive.catalogue.services import register_file, register_release
from archive.store import get_store
from stylizer.cards import Card
from tests.archive import factories

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., subprocess.Popen[bytes]]


def wait_until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait for something that another process brings about."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def home(tmp_path: Path, settings: object) -> dict[str, str]:
    """One store for this process and the workers', and the test's own database and queue for both."""
    database = connection.settings_dict
    url = f"postgresql:///{database['NAME']}?user={database['USER']}&host={database['HOST']}"
    store, renditions = str(tmp_path / "store"), str(tmp_path / "renditions")
    settings.STORE, settings.RENDITIONS = store, renditions  # type: ignore[attr-defined]
    return dict(os.environ) | {
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,  # type: ignore[attr-defined]
        "PALIMPSEST_STORE": store,
        "PALIMPSEST_RENDITIONS": renditions,
        "PALIMPSEST_LEASE_SECONDS": "3",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }


@pytest.fixture
def worker(home: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start a Celery worker with the small engine; all of them are ended with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**more: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"worker{len(started)}.log").open("wb")
        arguments = [sys.executable, "-m", "celery", "-A", "tests.workers.small:app", "worker", "-Q", "gpu"]
        process = subprocess.Popen(
            [*arguments, "--pool", "solo", "-n", f"w{len(started)}@{tmp_path.name}", "--loglevel", "WARNING"],
            cwd=ROOT, env=home | more, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def odo(transactional_db: None) -> User:
    return factories.user("odo", Role.ADMIN)


@pytest.fixture
def portraits(transactional_db: None) -> Collection:
    return factories.collection("portraits")


@pytest.fixture
def release(home: dict[str, str]) -> Card:
    """A registered model release, whose weights the small engine does not look at."""
    kept = get_store().put_path(_weights(Path(str(settings.STORE))))
    card = Card(
        name="restore", version="9.9.9", operation="restore", architecture="small", weights=kept.sha256
    )
    register_release(card, register_file(kept.sha256, size=kept.size, media_type="application/octet-stream"))
    return card


def _weights(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "weights"
    path.write_bytes(b"weights of the small engine")
    return path
