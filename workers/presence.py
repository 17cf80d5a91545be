"""A worker's row and its heartbeat: a thread of its own, so that a long tile does not look like a dead worker."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.db import Error, connection
from django.db.models.functions import Now

from archive.jobs.models import Worker
from stylizer.recipe import Recipe

log = logging.getLogger(__name__)

BEAT = 2.0  # seconds


class Presence:
    """This process as others see it. `on_beat` are called with every heartbeat (leases are renewed there)."""

    def __init__(self, kind: str, device: str = "") -> None:
        self.row = Worker.objects.create(
            name=f"{socket.gethostname()}:{os.getpid()}", kind=kind, device=device, last_seen=Now()
        )
        self.on_beat: Callable[[], None] | None = None
        self._warm: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="presence", daemon=True)
        self._thread.start()

    def rest(self, seconds: float, why: str) -> None:
        """Say that nothing is taken for so long, and why; 0 seconds: that it is over."""
        until = Now() + timedelta(seconds=seconds) if seconds else None
        self._say(resting_until=until, resting_why=why[:2000])

    def error(self, sentence: str) -> None:
        self._say(last_error=sentence[:2000])

    def networks(self, recipe: Recipe) -> None:
        """Say which networks are warm."""
        self._warm |= {f"{step.model} {step.version}" for step in recipe.steps}
        self._say(networks=", ".join(sorted(self._warm))[:300])

    def _say(self, **more: Any) -> None:
        try:
            Worker.objects.filter(pk=self.row.pk).update(**more)
        except Error as error:
            log.warning("The database is away: %s", error)
            connection.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
        self._say(stopped=Now(), current_item=None)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT):
            try:
                Worker.objects.filter(pk=self.row.pk).update(
                    last_seen=Now(), stopped=None, memory=held_memory()
                )
                if self.on_beat:
                    self.on_beat()
            except Error as error:  # the database is away for a moment; the lease decides what that means
                log.warning("No heartbeat: %s", error)
                connection.close()
        connection.close()


class Here:
    """The process's presence, once it has one."""

    presence: Presence | None = None
    closing = False  # the process was asked to end: begin nothing more


def announce(kind: str, device: Callable[[], str]) -> None:
    """Keep a heartbeat from when the Celery worker is ready until it shuts down."""

    def ready(**_more: Any) -> None:
        Here.presence = Presence(kind, device())

    def shutting_down(**_more: Any) -> None:
        Here.closing = True

    def shut_down(**_more: Any) -> None:
        if Here.presence:
            Here.presence.stop()

    worker_ready.connect(ready, weak=False)
    worker_shutting_down.connect(shutting_down, weak=False)
    worker_shutdown.connect(shut_down, weak=False)


def held_memory() -> int:
    """Bytes of memory this process holds, where the system says so."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
