"""The feeder: claims items in batches and brings their sources near, while the engine is at others."""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.db import Error, connection

from archive.jobs import claims
from archive.store import StoreError, get_store
from workers.hands import Hands, InHand
from workers.health import health
from workers.presence import Presence

log = logging.getLogger(__name__)


class Feeder:
    """A thread that keeps `ready` filled with `ahead()` items, and puts None there when there is nothing more."""

    def __init__(self, hands: Hands, presence: Presence, *, ahead: Callable[[], int], until: float) -> None:
        self.hands, self.presence, self.ahead, self.until = hands, presence, ahead, until
        self.ready: queue.Queue[InHand | None] = queue.Queue()
        self.found_more = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and time.monotonic() < self.until:
                wanted = self.ahead() - self.ready.qsize()
                if wanted <= self.ahead() // 2:
                    self._stop.wait(0.01)
                    continue
                claimed = claims.claim(self.presence.row, limit=wanted, avoid=health.avoided)
                if not claimed:
                    break
                for claim in claimed:
                    self._bring(InHand(claim))
            else:
                self.found_more = True
        except Error as error:
            log.warning("The database is away: %s", error)
        finally:
            connection.close()
            self.ready.put(None)

    def _bring(self, held: InHand) -> None:
        """A local file with the source, read ahead into the system's memory; a problem is kept for the item's turn."""
        self.hands.take(held)
        source = held.claim.item.source
        try:
            held.path = held.near.enter_context(get_store().local_path(source.file_id))
            _read_ahead(held.path)
            held.note(f"claimed; the source of {source.file.size} bytes is near")
        except (StoreError, OSError) as problem:
            held.problem = problem
        self.ready.put(held)


def _read_ahead(path: Path) -> None:
    """Ask the system to read the file before it is needed."""
    if hasattr(os, "posix_fadvise"):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
        finally:
            os.close(handle)
