"""The life of one item in a worker: claim, verify, stylise, store, record; or a failure with a code and a sentence.

Files first, rows second; and no row at all once the lease is lost.
"""

import logging
import shutil
import time
from pathlib import Path
from typing import Protocol

from django.conf import settings

from archive.catalogue import services as catalogue
from archive.iiif.services import want
from archive.jobs import claims
from archive.jobs.claims import Claim, LeaseLost
from archive.jobs.models import Worker
from archive.jobs.services import close_if_ended
from archive.preservation.fixity import note_damage
from archive.store import StoreError, get_store
from stylizer.engine import Engine, Progress, Result, Source
from stylizer.errors import Cancelled, SourceChanged, StylizerError
from stylizer.imageio import facts
from stylizer.recipe import Recipe
from workers.engines import mask_of
from workers.presence import Here, Presence
from workers.previewing import LooksAt, serve

log = logging.getLogger(__name__)

UNEXPECTED = "unexpected"


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
        on_tile: Progress,
        cancel: "Asked",
    ) -> Result: ...


class Asked(Protocol):
    def __call__(self) -> bool: ...


class Holding:
    """The lease of the item at hand: renewed by the heartbeat, lost for good once a renewal fails."""

    def __init__(self, held: Claim) -> None:
        self.held, self.lost = held, False
        self.done = self.total = 0

    def on_tile(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def renew(self) -> None:
        self.lost = self.lost or not claims.renew(self.held, done=self.done, total=self.total)

    def is_lost(self) -> bool:
        return self.lost


def work_for(seconds: float, *, engine: "Engine | AnyEngine") -> bool:
    """Work through queued items for about so long; True if there may be more."""
    presence = Here.presence
    if presence is None:
        presence = Here.presence = Presence("gpu")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        serve(engine)  # somebody looks at a page; a job of fifty thousand can wait a second for that
        held = claims.claim(presence.row, limit=1)
        if not held:
            return False
        run(held[0], engine=engine, presence=presence)
    return True


def run(held: Claim, *, engine: "Engine | AnyEngine", presence: Presence) -> None:
    """One item, from claim to record. Whatever happens, the item does not stay "running" with nobody at it."""
    holding = Holding(held)
    Worker.objects.filter(pk=presence.row.pk).update(current_item=held.item)
    presence.on_beat = holding.renew
    scratch = Path(settings.SCRATCH) / str(held.token)
    try:
        result = _stylise(held, engine, scratch, holding)
        _record(held, result)
    except LeaseLost as lost:
        log.warning("%s", lost)
    except Cancelled:
        _quietly(claims.cancelled, held)
    except (StylizerError, StoreError) as error:
        if isinstance(error, SourceChanged):
            note_damage(held.item.source.file, found=str(error))
        _fail(held, presence, code=error.code, sentence=str(error), transient=error.transient)
    except Exception as error:
        log.exception("Item %s failed in a way nobody foresaw.", held.item.pk)
        _fail(
            held,
            presence,
            code=UNEXPECTED,
            sentence=f"{type(error).__name__}: {error}"[:500],
            transient=False,
        )
    finally:
        presence.on_beat = None
        shutil.rmtree(scratch, ignore_errors=True)
        Worker.objects.filter(pk=presence.row.pk).update(current_item=None)
        close_if_ended(held.item.job_id)


def _stylise(held: Claim, engine: "Engine | AnyEngine", scratch: Path, holding: Holding) -> Result:
    source, recipe = held.item.source, Recipe.from_json(held.item.job.recipe.canonical)
    with get_store().local_path(source.file_id) as path, mask_of(recipe) as mask:
        return engine.apply(
            Source(path, page=source.page, sha256=source.file_id),
            recipe,
            out=scratch,
            name="derivative",
            mask=mask,
            on_tile=holding.on_tile,
            cancel=holding.is_lost,
        )


def _record(held: Claim, result: Result) -> None:
    """Files into the store, then one transaction for the version and the item's end."""
    store = get_store()
    files = {}
    for kind, path in {"": result.output, **result.sidecars}.items():
        stored = store.put_path(path, given=True)
        media = "image/png" if kind else "image/tiff"
        files[kind] = catalogue.register_file(stored.sha256, size=stored.size, media_type=media)
    made = facts(result.output)
    derivative = catalogue.NewDerivative(
        file=files.pop(""),
        width=made.width,
        height=made.height,
        bands=made.bands,
        bits=made.bits,
        report=result.report.to_dict(),
        technical=catalogue.technical(made),
        sidecars=files,
    )
    version = claims.finish(held, derivative, agents=dict(result.report.software))
    if version is not None:
        want([version.pk])


def _fail(held: Claim, presence: Presence, *, code: str, sentence: str, transient: bool) -> None:
    Worker.objects.filter(pk=presence.row.pk).update(last_error=f"{code}: {sentence}"[:2000])
    try:
        claims.fail(held, code=code, sentence=sentence, transient=transient)
    except LeaseLost as lost:
        log.warning("%s", lost)


def _quietly(act: "Act", held: Claim) -> None:
    try:
        act(held)
    except LeaseLost as lost:
        log.warning("%s", lost)


class Act(Protocol):
    def __call__(self, held: Claim) -> None: ...
