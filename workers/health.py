"""A worker's circuit breaker: one that would fail everything takes nothing, instead of failing ten thousand items.

Before the first picture of a recipe, and after several failures in a row, the engine has to make a small test picture;
when the store does not answer, it has to take a few bytes. A worker that cannot rests, longer each time, and says why.
"""

import hashlib
import io
import logging
import os
import re
import shutil
import signal
import time
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from django.conf import settings

from archive.store import StoreError, StoreFull, StoreUnavailable, get_store
from stylizer.engine import Source
from stylizer.recipe import REFUSALS, Recipe
from workers.presence import Presence

log = logging.getLogger(__name__)

IN_A_ROW = 3  # failures after which the engine is tested
FIRST_REST, LONGEST_REST = 10.0, 300.0  # seconds
SIDE = 192  # pixels of the test picture
DEVICE = re.compile(r"CUDA (error|driver)|cuDNN|cublas|device-side assert|no CUDA-capable", re.IGNORECASE)


@dataclass(frozen=True)
class Trouble:
    """Why a worker rests: a stable code, and a sentence for the admin."""

    code: str
    sentence: str


@dataclass
class Health:
    """Of this process."""

    failures: int = 0
    rests: int = 0
    until: float = 0.0
    why: str = ""
    tested: set[str] = field(default_factory=set)
    barred: dict[str, float] = field(default_factory=dict)  # recipes whose test failed, until when

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self.until

    def resting(self, presence: Presence) -> str:
        """Why nothing may be claimed just now, or nothing."""
        if self.is_resting:
            return self.why
        if trouble := room():
            self.rest(presence, trouble)
            return self.why
        if self.why:
            if trouble := store_trouble():
                self.rest(presence, trouble)
                return self.why
            self.why = ""
            presence.rest(0, "")
        return ""

    def bars(self, recipe: str) -> bool:
        """Is a recipe left to others for now?"""
        return self.barred.get(recipe, 0.0) > time.monotonic()

    @property
    def avoided(self) -> list[str]:
        return [recipe for recipe in self.barred if self.bars(recipe)]

    def went_well(self) -> None:
        self.failures = self.rests = 0

    def before(self, recipe: Recipe, engine: Any, presence: Presence) -> None:
        """Test a recipe this process has not tried yet; raises what the engine raises."""
        if recipe.digest not in self.tested:
            test(recipe, engine)
            self.tested.add(recipe.digest)
            presence.networks(recipe)

    def went_wrong(self, error: Exception, recipe: Recipe, engine: Any, presence: Presence) -> Trouble | None:
        """What surrounds the picture is at fault, and the worker rests; or None: it is the picture's own."""
        trouble = None
        if isinstance(error, StoreFull | StoreUnavailable):
            trouble = room() or store_trouble()
        elif self.is_device_loss(error):
            trouble = Trouble("device-lost", "The GPU stopped answering; the worker starts again.")
            os.kill(os.getpid(), signal.SIGTERM)  # CUDA does not recover within a process
        else:
            self.failures += 1
            if self.failures >= IN_A_ROW or recipe.digest not in self.tested:
                trouble = self._test(recipe, engine)
                if trouble is not None:
                    self._bar(recipe, presence, trouble)
                return trouble
        if trouble is not None:
            self.rest(presence, trouble)
        return trouble

    def _bar(self, recipe: Recipe, presence: Presence, trouble: Trouble) -> None:
        """Other recipes may go well: only this one is left alone for a while."""
        seconds = min(FIRST_REST * 2**self.rests, LONGEST_REST)
        self.rests += 1
        self.barred[recipe.digest] = time.monotonic() + seconds
        log.error("Recipe %s is left alone for %.0f s: %s", recipe.digest[:12], seconds, trouble.sentence)
        presence.rest(seconds, f"{trouble.code}: {trouble.sentence}")

    def _test(self, recipe: Recipe, engine: Any) -> Trouble | None:
        self.failures = 0
        try:
            test(recipe, engine)
        except Exception as error:
            self.tested.discard(recipe.digest)
            code = getattr(error, "code", "unexpected")
            said = str(error) if hasattr(error, "code") else f"{type(error).__name__}: {error}"
            return Trouble(code, f"The worker's own test picture failed too: {said}"[:500])
        self.tested.add(recipe.digest)
        return None

    def rest(self, presence: Presence, trouble: Trouble) -> None:
        """Take nothing for a while, longer each time."""
        if self.is_resting:
            return
        seconds = min(FIRST_REST * 2**self.rests, LONGEST_REST)
        self.rests += 1
        self.until, self.why = time.monotonic() + seconds, f"{trouble.code}: {trouble.sentence}"
        log.error("This worker rests for %.0f s: %s", seconds, self.why)
        presence.rest(seconds, self.why)

    @staticmethod
    def is_device_loss(error: Exception) -> bool:
        return isinstance(error, RuntimeError) and DEVICE.search(str(error)) is not None


health = Health()


def room() -> Trouble | None:
    """Too little room in the store, where that is known."""
    try:
        free = get_store().free_bytes()
    except (StoreError, OSError) as error:
        return Trouble(getattr(error, "code", "store-unavailable"), str(error))
    if free is not None and free < settings.LEAST_FREE:
        return Trouble(
            "store-full",
            f"{free // 2**20} MiB are left in the store, less than the {settings.LEAST_FREE // 2**20} MiB that are "
            "kept free. Make room; jobs then go on by themselves.",
        )
    return None


def store_trouble() -> Trouble | None:
    """Can the store be written? Tried with a few bytes that nobody else has."""
    try:
        kept = get_store().put(io.BytesIO(uuid.uuid4().bytes))
        get_store().remove(kept.sha256)
    except (StoreError, OSError) as error:
        return Trouble(getattr(error, "code", "store-unavailable"), str(error))
    return None


def test(recipe: Recipe, engine: Any) -> None:
    """Make a small picture with the recipe and throw it away; raises what the engine raises."""
    folder = Path(settings.SCRATCH) / f"test-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        ramp = np.linspace(40, 215, SIDE)
        picture = np.stack([np.add.outer(ramp, ramp) / 2] * 3, axis=2).astype(np.uint8)
        tifffile.imwrite(folder / "test.tif", picture, photometric="rgb")
        reference = Source(folder / "test.tif") if recipe.reference else None
        style = hashlib.sha256((folder / "test.tif").read_bytes()).hexdigest() if reference else None
        plain = replace(
            recipe, mask=None, reference=style, accept=REFUSALS if recipe.schema > 1 else recipe.accept
        )
        engine.apply(
            Source(folder / "test.tif"), plain, out=folder, name="made", mask=None, reference=reference,
            on_tile=lambda _done, _total: None, cancel=lambda: False,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
