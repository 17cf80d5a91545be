"""The stylizer worker's module with a small engine in place of the network: everything around it is the real thing.

It inverts the picture in "tiles" of some milliseconds each; a picture whose first pixel is 13 cannot be done. With
`SMALL_BEFALLS` the GPU is lost, or memory runs out, at the second picture (not counting the worker's own test picture).
"""

import workers.setup  # noqa: F401  isort: skip  (Django first)

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stylizer import machine
from stylizer.engine import Result, Source
from stylizer.errors import BadTile, Cancelled, OutOfMemory
from stylizer.imageio import DerivativeWriter, open_picture
from stylizer.look import Look, Region
from stylizer.recipe import Recipe
from stylizer.report import Report
from workers import engines, health

PAUSE = float(os.environ.get("SMALL_PAUSE", "0.02"))
BEFALLS = os.environ.get("SMALL_BEFALLS", "")
TILES = 5


class SmallEngine:
    """As `stylizer.engine.Engine.apply`, without a network."""

    pictures = 0

    def apply(
        self,
        source: Source,
        recipe: Recipe,
        *,
        out: Path,
        name: str,
        mask: Path | None = None,
        reference: Source | None = None,
        on_tile: Callable[[int, int], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Result:
        out.mkdir(parents=True, exist_ok=True)
        with open_picture(source.path, page=source.page) as picture:
            facts, pixels = picture.facts, picture.read(0, picture.facts.height)
        if pixels[0, 0, 0] == 13:
            raise BadTile("The first pixel is 13, which this engine cannot do.")
        SmallEngine.pictures += facts.width != health.SIDE
        if BEFALLS and facts.width != health.SIDE and SmallEngine.pictures == 2:
            if BEFALLS == "device":
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            raise OutOfMemory("The tile does not fit into the memory of the GPU.")
        for tile in range(TILES):
            if cancel and cancel():
                raise Cancelled("Stopped, as asked.")
            time.sleep(PAUSE)
            if on_tile:
                on_tile(tile + 1, TILES)
        path = out / f"{name}.tif"
        with DerivativeWriter(
            path,
            width=facts.width,
            height=facts.height,
            bands=facts.bands,
            bits=facts.bits,
            colour=facts.colour,
        ) as writer:
            writer.write(np.iinfo(pixels.dtype).max - pixels)
        report = Report(
            source_sha256=source.sha256 or "", source_pixel_sha256="", output_sha256="", output_pixel_sha256="",
            recipe=recipe.digest, width=facts.width, height=facts.height, bands=facts.bands, bits=facts.bits,
            changed_share=1.0, psnr=5.0, ssim=0.1, damaged_share=0.0, trust={}, batch=1,
            precision=recipe.precision, arithmetic="fp32", tile=(256, 256), tiles=TILES, device="small",
            fingerprint="0" * 12, software=machine.software(), started="", ended="", seconds=0.1,
            reference_sha256=hashlib.sha256(reference.path.read_bytes()).hexdigest() if reference else None,
        )  # fmt: skip
        return Result(path, report)

    def look(
        self,
        source: Source,
        recipe: Recipe,
        region: Region,
        *,
        mask: Path | None = None,
        reference: Source | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Look:
        if cancel and cancel():
            raise Cancelled("Stopped, as asked.")
        time.sleep(PAUSE)
        with open_picture(source.path, page=source.page) as picture:
            facts = picture.facts
            at = region.within(facts.width, facts.height)
            before = picture.read(at.y, at.y + at.height)[:, at.x : at.x + at.width]
        if before[0, 0, 0] == 13:
            raise BadTile("The first pixel is 13, which this engine cannot do.")
        none = np.zeros(before.shape[:2], np.float32)
        return Look(at, facts, before, np.iinfo(before.dtype).max - before, none, none, exact=True)


engines.engine = SmallEngine  # type: ignore[assignment]

from workers.gpu import app as app  # noqa: E402  (the tasks take the engine from `engines` when they run)
