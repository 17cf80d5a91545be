"""Working through a queue: while the engine is at one picture, the next are fetched and the last are recorded.

Three threads pass items along: `Feeder` (claim, bring the source near) → the caller's own thread (the engine, which
serves one thread) → `Recorder` (files first, rows second). No row is written once a lease is lost.
"""

import logging
import queue
import time
import traceback
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from django.db import Error, connection

from archive.jobs import claims, endings
from archive.jobs.models import Worker
from archive.jobs.services import close_if_ended, stop_if_failing
from archive.preservation.fixity import note_damage
from archive.store import MissingObject, StoreError
from stylizer.engine import Engine, Progress, Result, Source
from stylizer.errors import Cancelled, SourceChanged, StylizerError
from stylizer.recipe import Recipe
from workers.engines import mask_of, reference_of
from workers.feeding import Feeder
from workers.hands import Hands, InHand
from workers.health import Health, Trouble, health
from workers.presence import Here, Presence
from workers.previewing import LooksAt, serve
from workers.proofing import prove
from workers.recording import Recorder

log = logging.getLogger(__name__)

UNEXPECTED = "unexpected"
AHEAD = 4.0  # seconds of work that are fetched in advance
MOST_AHEAD = 32  # items
LOOK_AROUND = 0.1  # seconds between two looks at the board of previews, at least


class AnyEngine(LooksAt, Protocol):
    """What a runner asks of an engine (tests bring a small one of their own)."""

    def apply(
        self,
        source: Source,
        recipe: Recipe,
        *,
        out: Path,
        name: str,
        mask: Path | None,
        reference: Source | None,
        on_tile: Progress,
        cancel: "Asked",
    ) -> Result: ...


class Asked(Protocol):
    def __call__(self) -> bool: ...


@dataclass
class Pace:
    """How long a picture takes here, lately; how many are fetched in advance follows from it."""

    seconds: float = 1.0
    alone: int = 0  # so many more pictures one at a time: memory was short

    def took(self, seconds: float) -> None:
        self.seconds += 0.3 * (seconds - self.seconds)
        self.alone = max(self.alone - 1, 0)

    @property
    def ahead(self) -> int:
        if self.alone:
            return 1
        return max(1, min(MOST_AHEAD, int(AHEAD / max(self.seconds, 1e-3))))


@dataclass
class Worked:
    """What one stretch of work came to."""

    items: int = 0
    busy: float = 0.0  # seconds the engine worked
    wall: float = 0.0
    more: bool = False  # there may be more to do


PACE = Pace()  # of this process, over all its stretches


def work_for(seconds: float, *, engine: "Engine | AnyEngine") -> bool:
    """Work through queued items for about so long; True if there may be more."""
    if Here.presence is None:
        Here.presence = Presence("gpu")
    return stretch(seconds, engine=engine, presence=Here.presence).more


def stretch(seconds: float, *, engine: "Engine | AnyEngine", presence: Presence) -> Worked:
    """As `work_for`, and says what it came to."""
    serve(engine)
    if why := health.resting(presence):
        log.info("Resting: %s", why)
        return Worked()
    began = time.monotonic()
    line = Line(engine, presence, until=began + seconds)
    try:
        line.run()
    finally:
        line.close()
    line.worked.wall = time.monotonic() - began
    line.worked.more = line.feeder.found_more and not health.is_resting
    return line.worked


@dataclass
class Line:
    """One stretch of work, from the first claim to the last record."""

    engine: "Engine | AnyEngine"
    presence: Presence
    until: float
    worked: Worked = field(default_factory=Worked)
    looked: float = 0.0  # when it was last asked whether anybody waits for a preview

    def __post_init__(self) -> None:
        self.hands = Hands()
        self.presence.on_beat = self.hands.renew
        self.recorder = Recorder(self.hands, self.presence, on_trouble=self.surroundings_failed)
        self.feeder = Feeder(self.hands, self.presence, ahead=lambda: PACE.ahead, until=self.until)

    def run(self) -> None:
        while not Here.closing:
            try:
                held = self.feeder.ready.get(timeout=0.2)
            except queue.Empty:
                continue
            if held is None:
                return
            self._look_around()
            self._one(held)
            if health.is_resting:
                return

    def _look_around(self) -> None:
        """Somebody looks at a page; a job of fifty thousand can wait a second for that. Small pictures go by in less
        time than it takes to ask Redis, so it is asked by the clock."""
        if time.monotonic() - self.looked > LOOK_AROUND:
            serve(self.engine)
            prove(self.engine, most=1)
            self.looked = time.monotonic()

    def close(self) -> None:
        """Give back what was not begun, and wait for what is made to be recorded."""
        self.feeder.stop()
        self.hands.give_back_the_rest()
        self.recorder.finish()
        self.presence.on_beat = None
        try:
            Worker.objects.filter(pk=self.presence.row.pk).update(current_item=None)
        except Error as error:
            log.warning("The database is away: %s", error)
            connection.close()

    def _one(self, held: InHand) -> None:
        """One item through the engine. Whatever happens, it does not stay "running" with nobody at it."""
        try:
            barred = health.bars(held.claim.item.job.recipe_id)
            if held.lost or barred or not claims.begin(held.claim, worker=self.presence.row):
                # Its job was paused or stopped meanwhile, or it may no longer be made.
                self.hands.let_go(held)
                close_if_ended(held.claim.item.job_id)
                return
        except Error as error:
            log.warning("The database is away: %s", error)
            connection.close()
            self.hands.forget(held)  # the lease will tell
            time.sleep(1)
            return
        held.begun, started = True, time.monotonic()
        try:
            if held.problem is not None:
                raise held.problem
            with held.noting():
                result = self._apply(held)
        except Cancelled:
            self._end(held, lambda: endings.give_back(held.claim))
        except Exception as error:
            self._failed(held, error, time.monotonic() - started)
        else:
            spent = time.monotonic() - started
            PACE.took(spent)
            health.went_well()
            self.worked.items += 1
            self.worked.busy += spent
            held.note(f"the engine took {spent:.2f} s on {result.report.device}")
            self.recorder.take(held, result, spent)

    def _apply(self, held: InHand) -> Result:
        source = held.claim.item.source
        recipe = _recipe(held)
        assert held.path is not None  # noqa: S101  (else there is a problem, raised before)
        health.before(recipe, self.engine, self.presence)
        with mask_of(recipe) as mask, reference_of(recipe) as reference:
            return self.engine.apply(
                Source(held.path, page=source.page, sha256=source.file_id),
                recipe,
                out=held.scratch,
                name="derivative",
                mask=mask,
                reference=reference,
                on_tile=held.on_tile,
                cancel=held.is_lost,
            )

    def _failed(self, held: InHand, error: Exception, spent: float) -> None:
        """The picture's own fault fails it; that of what surrounds it sends the worker to rest."""
        code, sentence, transient = judged(error)
        if isinstance(error, SourceChanged):
            note_damage(held.claim.item.source.file, found=sentence)
        if code == UNEXPECTED:
            log.error("Item %s failed in a way nobody foresaw.", held.claim.item.pk, exc_info=error)
            held.note("".join(traceback.format_exception(error)))
        if code == "engine-out-of-memory":
            PACE.alone = 20
        self.presence.error(f"{code}: {sentence}")
        trouble = health.went_wrong(error, _recipe(held), self.engine, self.presence)
        if trouble is not None:
            self.surroundings_failed(held, trouble)
            return
        done = self._end(
            held,
            lambda: endings.fail(
                held.claim, code=code, sentence=sentence, transient=transient, seconds=spent, log=held.story
            ),
        )
        if done:
            stop_if_failing(held.claim.item.job_id)

    def surroundings_failed(self, held: InHand, trouble: Trouble) -> None:
        """Back into the queue with it, uncounted; the circuit is open until a test goes well."""
        self._end(
            held,
            lambda: endings.give_back(
                held.claim, code=trouble.code, sentence=trouble.sentence, wait=endings.back_off(1)
            ),
        )

    def _end(self, held: InHand, act: "Act") -> bool:
        """Write an item's end down; a database that is away leaves it to the lease."""
        try:
            if not act():
                log.warning("Item %s is no longer held by this worker.", held.claim.item.pk)
            close_if_ended(held.claim.item.job_id)
        except Error as error:
            log.warning("The database is away: %s", error)
            connection.close()
            return False
        finally:
            self.hands.forget(held)
        return True


def _recipe(held: InHand) -> Recipe:
    return _read(held.claim.item.job.recipe.canonical)


@lru_cache(maxsize=64)
def _read(canonical: str) -> Recipe:
    """A job's recipe is checked once, not for each of its pictures."""
    return Recipe.from_json(canonical)


class Act(Protocol):
    def __call__(self) -> object: ...


def judged(error: Exception) -> tuple[str, str, bool]:
    """A failure as a stable code, a sentence, and whether trying again may help."""
    if isinstance(error, StylizerError | StoreError):
        return error.code, str(error), error.transient and not isinstance(error, MissingObject)
    if Health.is_device_loss(error):
        return "device-lost", "The GPU stopped answering; the worker starts again.", True
    return UNEXPECTED, f"{type(error).__name__}: {error}"[:500], False
