"""The recorder: what the engine made goes into the store and then into rows, several pictures at a time."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from django.db import Error, connection
from django.db.models import F

from archive.catalogue import services as catalogue
from archive.catalogue.models import StoredFile
from archive.jobs import endings
from archive.jobs.models import Worker
from archive.jobs.services import close_if_ended
from archive.store import StoreError, get_store
from archive.store.port import Stored
from stylizer.engine import Result
from stylizer.imageio import facts
from workers.hands import Hands, InHand
from workers.health import Trouble, health
from workers.presence import Presence

log = logging.getLogger(__name__)

BATCH = 32
WAITING = 64  # results that may wait to be recorded before the engine does
STORING = 4  # at a time: each waits for the disk
PATIENCE = 40.0  # seconds for a database that is away; the leases are not prolonged meanwhile


@dataclass(frozen=True)
class Finished:
    """What came out of the engine, still in scratch."""

    held: InHand
    result: Result
    seconds: float


class Recorder:
    """A thread with a queue. `on_trouble` is told of items whose files could not be stored."""

    def __init__(
        self, hands: Hands, presence: Presence, *, on_trouble: Callable[[InHand, Trouble], None]
    ) -> None:
        self.hands, self.presence, self.on_trouble = hands, presence, on_trouble
        self._queue: queue.Queue[Finished | None] = queue.Queue(WAITING)
        self._pool = ThreadPoolExecutor(STORING, "store")
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def take(self, held: InHand, result: Result, seconds: float) -> None:
        """The source is not needed any more; what was made is."""
        held.near.close()
        self._queue.put(Finished(held, result, seconds))

    def finish(self) -> None:
        """Wait until everything is recorded."""
        self._queue.put(None)
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        going = True
        while going:
            batch = [self._queue.get()]
            while len(batch) < BATCH and batch[-1] is not None:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            going = batch[-1] is not None
            finished = [one for one in batch if one is not None]
            try:
                if finished:
                    self._record(finished)
            except Exception:
                log.exception("What was made could not be recorded; it goes again when its lease ends.")
                for one in finished:
                    self.hands.forget(one.held)
        connection.close()

    def _record(self, finished: list[Finished]) -> None:
        stored = []
        for one, files in zip(finished, self._pool.map(_store, finished), strict=True):
            if isinstance(files, dict):
                stored.append((one, files))
            else:
                self._not_stored(one, files)
        if not stored:
            return
        ended = _patiently(lambda: self._write(stored))
        for one, _files in stored:
            if one.held.claim.token not in ended:
                log.warning("Item %s is no longer held by this worker.", one.held.claim.item.pk)
            self.hands.forget(one.held)

    def _write(self, stored: "list[tuple[Finished, dict[str, Stored]]]") -> dict[UUID, UUID | None]:
        kept = [(kind, file) for _one, kinds in stored for kind, file in kinds.items()]
        files = catalogue.register_files(
            ((file.sha256, file.size, "image/png" if kind else "image/tiff") for kind, file in kept),
            old=[file.sha256 for _kind, file in kept if not file.new],
        )
        made = [
            endings.Made(
                held=one.held.claim,
                derivative=_derivative(one, {kind: files[file.sha256] for kind, file in kinds.items()}),
                agents=dict(one.result.report.software),
                seconds=one.seconds,
                log=one.held.story,
            )
            for one, kinds in stored
        ]
        ended = endings.finish(made)
        for job in {one.held.claim.item.job_id for one, _kinds in stored}:
            close_if_ended(job)
        Worker.objects.filter(pk=self.presence.row.pk).update(made=F("made") + len(ended))
        return ended

    def _not_stored(self, one: Finished, problem: Exception) -> None:
        """Nothing half-written is left; the item goes again once the store takes bytes."""
        if not isinstance(problem, StoreError):
            log.error("Item %s could not be stored.", one.held.claim.item.pk, exc_info=problem)
        code = getattr(problem, "code", "unexpected")
        self.presence.error(f"{code}: {problem}")
        health.rest(self.presence, trouble := Trouble(code, str(problem)))
        self.on_trouble(one.held, trouble)


def _store(one: Finished) -> dict[str, Stored] | Exception:
    """Files by kind ("" is the picture itself), or what was in the way."""
    try:
        store = get_store()
        paths = {"": one.result.output, **one.result.sidecars}
        return {kind: store.put_path(path, given=True) for kind, path in paths.items()}
    except Exception as problem:
        return problem


def _derivative(one: Finished, files: dict[str, StoredFile]) -> catalogue.NewDerivative:
    made = facts(one.result.output)
    return catalogue.NewDerivative(
        file=files.pop(""),
        width=made.width,
        height=made.height,
        bands=made.bands,
        bits=made.bits,
        report=one.result.report.to_dict(),
        technical=catalogue.technical(made),
        sidecars=files,
    )


def _patiently(act: Callable[[], dict[UUID, UUID | None]]) -> dict[UUID, UUID | None]:
    """A database that is away for a moment: try again, since the tokens guard every write."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except Error as error:
            connection.close()
            if time.monotonic() > until:
                raise
            log.warning("The database is away, recording waits: %s", error)
            time.sleep(1)
