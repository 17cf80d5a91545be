"""A worker's row and its heartbeat: a thread of its own, so that a long tile does not look like a dead worker."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from django.db import Error, connection
from django.db.models.functions import Now

from archive.jobs.models import Worker

log = logging.getLogger(__name__)

BEAT = 2.0  # seconds


class Presence:
    """This process as others see it. `on_beat` are called with every heartbeat (leases are renewed there)."""

    def __init__(self, kind: str, device: str = "") -> None:
        self.row = Worker.objects.create(
            name=f"{socket.gethostname()}:{os.getpid()}", kind=kind, device=device, last_seen=Now()
        )
        self.on_beat: Callable[[], None] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="presence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
        Worker.objects.filter(pk=self.row.pk).update(stopped=Now(), current_item=None)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT):
            try:
                Worker.objects.filter(pk=self.row.pk).update(last_seen=Now(), stopped=None)
                if self.on_beat:
                    self.on_beat()
            except Error as error:  # the database is away for a moment; the lease decides what that means
                log.warning("No heartbeat: %s", error)
                connection.close()
        connection.close()


class Here:
    """The process's presence, once it has one."""

    presence: Presence | None = None


def announce(kind: str, device: Callable[[], str]) -> None:
    """Keep a heartbeat from when the Celery worker is ready until it shuts down."""

    def ready(**_more: Any) -> None:
        Here.presence = Presence(kind, device())

    def shutting_down(**_more: Any) -> None:
        if Here.presence:
            Here.presence.stop()

    worker_ready.connect(ready, weak=False)
    worker_shutting_down.connect(shutting_down, weak=False)
