"""What a worker has in its hands: items whose leases the heartbeat prolongs, from the claim to the record."""

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import Error, connection

from archive.jobs import claims
from archive.jobs.claims import Claim

log = logging.getLogger(__name__)

LINES = 200  # of a log that are kept for one item


@dataclass(eq=False)
class InHand:
    """One item on its way through a worker. `problem` is why its source could not be brought near."""

    claim: Claim
    near: ExitStack = field(default_factory=ExitStack)
    path: Path | None = None
    problem: Exception | None = None
    lost: bool = False
    begun: bool = False
    done: int = 0
    total: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def scratch(self) -> Path:
        return Path(settings.SCRATCH) / str(self.claim.token)

    @property
    def story(self) -> str:
        return "\n".join(self.lines[-LINES:])

    def on_tile(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def is_lost(self) -> bool:
        return self.lost

    def note(self, line: str) -> None:
        self.lines.append(f"{time.strftime('%H:%M:%S')} {line}")

    @contextlib.contextmanager
    def noting(self) -> Iterator[None]:
        """What this thread logs meanwhile belongs to this item's story."""
        handler = Notes(self, threading.get_ident())
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)


class Notes(logging.Handler):
    """A log handler that tells one thread's lines to an item."""

    def __init__(self, held: InHand, thread: int) -> None:
        super().__init__(logging.INFO)
        self.held, self.thread = held, thread

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.held.note(f"{record.levelname} {record.name}: {record.getMessage()}")


class Hands:
    """All items in hand. Used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[UUID, InHand] = {}

    def take(self, held: InHand) -> None:
        with self._lock:
            self._held[held.claim.token] = held

    def renew(self) -> None:
        """Prolong every lease, and mark what is lost: the engine stops at its next tile. Called with each heartbeat."""
        with self._lock:
            held = list(self._held.values())
        kept = claims.renew([(one.claim, (one.done, one.total)) for one in held])
        for one in held:
            one.lost = one.lost or one.claim.token not in kept

    def forget(self, held: InHand) -> None:
        """It is at its end (or left to its lease): nothing of it stays on this machine."""
        with self._lock:
            self._held.pop(held.claim.token, None)
        held.near.close()
        shutil.rmtree(held.scratch, ignore_errors=True)

    def let_go(self, *held: InHand) -> None:
        """Back into the queue, as if never claimed."""
        try:
            claims.release([one.claim for one in held])
        except Error as error:
            log.warning("The database is away (%s): what was claimed goes back when its lease ends.", error)
            connection.close()
        for one in held:
            self.forget(one)

    def give_back_the_rest(self) -> None:
        """Let go of everything that was claimed and not begun. Nobody takes anything in hand any more."""
        with self._lock:
            rest = [one for one in self._held.values() if not one.begun]
        self.let_go(*rest)
