"""Can the archive work? One answer each for the database, the queue and the storage; and who works."""

import os
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from archive.catalogue.models import StoredFile
from archive.jobs.models import Worker
from archive.store import StoreError, get_store

SAMPLE = 3  # stored files looked up to see whether the right place is mounted
ALIVE = timedelta(seconds=60)  # a worker that was not seen for longer is not counted
LEAST_FREE = 2 * 2**30  # bytes; below that the archive still works, and says so


@dataclass(frozen=True)
class Part:
    """One thing the archive cannot work without. `detail` is a sentence for the operator."""

    name: str
    ready: bool
    detail: str


@dataclass(frozen=True)
class WorkerState:
    """A worker as its heartbeat row tells."""

    name: str
    kind: str
    device: str
    alive: bool
    last_seen: str


def parts() -> list[Part]:
    return [database(), queue(), storage()]


def database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError as error:
        return Part("database", False, f"The database does not answer: {_first_line(error)}")
    return Part("database", True, "answers")


def queue() -> Part:
    # One try and two seconds: whoever asks for readiness wants to know now.
    line = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )
    try:
        line.ping()
    except redis.RedisError as error:
        return Part("queue", False, f"Redis does not answer: {_first_line(error)}")
    finally:
        line.close()
    return Part("queue", True, "answers")


def storage() -> Part:
    """Ready if it can be written, and holds what the database says it holds.

    An empty mount point answers like an empty store. Without the look at known files the archive would go on, and
    scatter new masters over the wrong disk.
    """
    try:
        known = list(
            StoredFile.objects.filter(condition=StoredFile.Condition.INTACT)
            .order_by("pk")
            .values_list("pk", flat=True)[:SAMPLE]
        )
        store = get_store()
        if known and not any(store.exists(sha256) for sha256 in known):
            return Part(
                "storage",
                False,
                f"{settings.STORE} holds none of the files the database knows. Is the right volume mounted?",
            )
        free = store.free_bytes()
    except DatabaseError as error:
        return Part("storage", False, f"Not known while the database does not answer: {_first_line(error)}")
    except (StoreError, OSError) as error:
        return Part("storage", False, f"{settings.STORE} cannot be reached: {_first_line(error)}")
    if not settings.STORE.startswith("s3://") and not _writable(Path(settings.STORE)):
        return Part("storage", False, f"{settings.STORE} cannot be written by user {os.geteuid()}.")
    if free is not None and free < LEAST_FREE:
        return Part("storage", True, f"only {_size(free)} free")
    return Part("storage", True, "answers" if free is None else f"{_size(free)} free")


def _size(count: int) -> str:
    """As pages write sizes, but for programs to read, too: a plain space before the unit."""
    return filesizeformat(count).replace("\xa0", " ")


def workers() -> list[WorkerState]:
    """Those that did not say goodbye, latest first. That none is there is news, but no reason to stop serving."""
    try:
        rows = list(Worker.objects.filter(stopped=None).order_by("-last_seen")[:50])
    except DatabaseError:
        return []
    now = timezone.now()
    return [
        WorkerState(row.name, row.kind, row.device, now - row.last_seen < ALIVE, row.last_seen.isoformat())
        for row in rows
    ]


def free_home() -> int:
    """Bytes free where incoming files and logs go."""
    return shutil.disk_usage(settings.HOME).free


def _writable(folder: Path) -> bool:
    while not folder.exists():  # a store is made with its first file
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
