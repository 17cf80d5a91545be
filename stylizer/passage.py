"""One run of a recipe over one picture, in bands: the engine's inner loop.

Three things happen at once: the rows of the next band are read and decoded, the network works on this one, and the last
one is compared, hashed, compressed and written. At most one band waits on either side, whatever the picture's size.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from stylizer import machine
from stylizer.errors import BadTile, Cancelled, MaskMismatch, OutsideTraining, UnsupportedImage
from stylizer.fidelity import Fidelity, FidelityMeter
from stylizer.imageio import DerivativeWriter, Facts, Picture, open_picture, thumbnail
from stylizer.imageio.rows import room
from stylizer.imageio.thumbnail import cell
from stylizer.operations import (
    THUMBNAIL,
    TiledNetwork,
    TileFunction,
    Touched,
    lays,
    needs_thumbnail,
    prepare,
    takes_reference,
)
from stylizer.pixels import Laid, colours, to_tensor, unit
from stylizer.reading import CHUNK, Band, Batch, Reading
from stylizer.recipe import Recipe
from stylizer.sidecars import MapWriter
from stylizer.stages import Stage as Stage
from stylizer.stages import admit, forms_of, plan
from stylizer.tiling import Tile
from stylizer.trust import Trust

MOST_HELD = 1_100_000_000  # bytes of memory between two tiles


@dataclass(frozen=True)
class Made:
    """Files in the scratch folder, and what was learnt while making them."""

    output: Path
    facts: Facts
    source_pixels: str
    output_pixels: str
    fidelity: Fidelity
    trust: Trust
    sidecars: dict[str, Path]
    enlarged: int = 1  # how many times as wide as the source


@dataclass
class Passage:
    """Steps one after the other; between two, a TIFF of the source's own depth in the scratch folder."""

    scratch: Path
    recipe: Recipe
    device: torch.device
    mask: Path | None = None
    reference: torch.Tensor | None = None  # the style picture's thumbnail (1, 3, h, w) in 0…1
    batch: int = 1
    on_tile: Callable[[int, int], None] | None = None
    cancel: Callable[[], bool] | None = None
    tile: tuple[int, int] = (0, 0)  # rows and columns of the first step's tiles, halo included
    done: int = 0
    total: int = 0
    size: tuple[int, int] = (0, 0)  # width and height of what the last step makes
    damage: MapWriter = field(init=False)
    change: MapWriter = field(init=False)

    def run(self, path: Path, page: int | None, stages: Sequence[Stage], *, xmp: bytes) -> Made:
        """Apply every step; the first reads the source, the last writes the output."""
        with open_picture(path, page=page) as source:
            facts = source.facts
        admit(facts, stages, self.recipe)
        forms = forms_of(facts, stages)
        plans = [
            plan(form, stage.network, core=self.recipe.tile)
            for form, stage in zip((facts, *forms[:-1]), stages, strict=True)
        ]
        first = plans[0][0]
        self.tile = (first.bottom - first.top, first.right - first.left)
        self.total = sum(map(len, plans))
        self.size = (forms[-1].width, forms[-1].height)
        self.damage, self.change = (MapWriter(*self.size) for _ in range(2))
        at, at_page, source_pixels, meter = path, page, "", FidelityMeter()
        for number, (stage, tiles) in enumerate(zip(stages, plans, strict=True)):
            target, last = self.scratch / f"step{number}.tif", number == len(stages) - 1
            with ExitStack() as open_files:
                picture = open_files.enter_context(open_picture(at, page=at_page, once=True))
                original = None
                if last and number:
                    original = open_files.enter_context(open_picture(path, page=page, once=True))
                writer = open_files.enter_context(self._writer(target, forms[number], xmp))
                function = self._prepare(stage, at, at_page, picture.facts)
                mask = self._open_mask(facts, open_files)
                reading = Reading(picture, original, mask, tiles, forms[number])
                trust = Trust(columns=sum(tile.y0 == 0 for tile in tiles))
                self._flow(reading, stage, function, writer, trust, meter if last else None)
            self._trained_for(stage, trust)
            source_pixels = source_pixels or reading.digest()
            at, at_page = target, 0
        return Made(
            at, forms[-1], source_pixels, writer.pixel_digest, meter.result(), trust, self._save(),
            enlarged=forms[-1].width // facts.width,
        )  # fmt: skip

    # ---- before the first tile

    def _prepare(self, stage: Stage, path: Path, page: int | None, facts: Facts) -> TileFunction:
        small = canonical_thumbnail(path, page, self.device) if needs_thumbnail(stage.step) else None
        return prepare(
            stage.step, stage.network, small, self.reference if takes_reference(stage.network) else None,
            cell=cell(facts.width, facts.height, THUMBNAIL),
        )  # fmt: skip

    def _writer(self, path: Path, facts: Facts, xmp: bytes) -> DerivativeWriter:
        return DerivativeWriter(
            path, width=facts.width, height=facts.height, bands=facts.bands, bits=facts.bits, colour=facts.colour,
            alpha=facts.alpha, icc=facts.icc, ppi=facts.ppi, xmp=xmp,
        )  # fmt: skip

    def _open_mask(self, facts: Facts, open_files: ExitStack) -> Picture | None:
        if self.mask is None:
            return None
        mask = open_files.enter_context(open_picture(self.mask, once=True))
        if (mask.facts.width, mask.facts.height, mask.facts.bands) != (facts.width, facts.height, 1):
            raise MaskMismatch(
                f"The mask is {mask.facts.width} × {mask.facts.height} px in {mask.facts.bands} bands; expected one "
                f"grey band of {facts.width} × {facts.height} px, as the upright scan."
            )
        return mask

    def allowed(self, facts: Facts, rows: slice, columns: slice) -> NDArray[np.float32] | None:
        """What the mask allows of a part of the picture, (H, W, 1) in 0…1; None without a mask."""
        with ExitStack() as open_files:
            mask = self._open_mask(facts, open_files)
            if mask is None:
                return None
            kept = []
            for y in range(0, rows.stop, CHUNK):
                lines = mask.read(y, min(y + CHUNK, rows.stop))
                kept.append(lines[max(0, rows.start - y) :, columns])
            return unit(np.concatenate(kept), mask.facts)

    # ---- the flow

    def _flow(
        self,
        reading: Reading,
        stage: Stage,
        function: TileFunction,
        writer: DerivativeWriter,
        trust: Trust,
        meter: FidelityMeter | None,
    ) -> None:
        """Read ahead, work, settle behind. An error of either thread is raised here, and nothing more is started."""
        halo, strength = cast(TiledNetwork, stage.network).halo, np.float32(stage.step.strength)
        laid = lays(stage.network)
        with ThreadPoolExecutor(1) as ahead, ThreadPoolExecutor(1) as behind:
            coming: Future[Batch | None] = ahead.submit(reading.next, self.batch)
            going: Future[None] | None = None
            while (batch := coming.result()) is not None:
                coming = ahead.submit(reading.next, self.batch)
                self.stop_if_cancelled()
                if self.done:
                    # Tiles leave the heap in pieces, and the next may not fit where the last lay: a picture of many
                    # tiles could take ever more.
                    machine.release(above=MOST_HELD)
                x = self._onto_device(batch.seen).permute(0, 3, 1, 2)  # channels last in memory
                touched = values_of(function(x, halo, batch.tiles))
                if going is not None:
                    going.result()
                going = behind.submit(
                    self._settle, batch, touched, strength, laid, reading, writer, trust, meter
                )
                self.done += len(batch.tiles)
                if self.on_tile:
                    self.on_tile(self.done, self.total)
            if going is not None:
                going.result()

    def _onto_device(self, seen: NDArray[np.float32]) -> torch.Tensor:
        """To a GPU through pinned memory: the copy then needs no staging of the driver's own."""
        x = torch.from_numpy(seen)
        return x.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else x

    def _settle(
        self,
        batch: Batch,
        touched: tuple[NDArray[np.float32], ...],
        strength: np.float32,
        laid: Laid,
        reading: Reading,
        writer: DerivativeWriter,
        trust: Trust,
        meter: FidelityMeter | None,
    ) -> None:
        """Put a batch's tiles where they belong; once its band is whole, compare it and write it."""
        band, facts, by = batch.band, reading.made, reading.factor
        for number, tile in enumerate(batch.tiles):
            tall, wide = by * (tile.y1 - tile.y0), by * (tile.x1 - tile.x0)
            across = np.s_[by * tile.x0 : by * tile.x0 + wide]
            # A few rows at a time: what is only needed on the way then stays in the cache, and small.
            for y in range(0, tall, CHUNK):
                rows = slice(y, min(y + CHUNK, tall))
                change, damage, sure = (part[number][rows, :wide] for part in touched)
                expect_numbers(tile, change, damage, sure)
                trust.add(change, sure[..., 0], damage[..., 0])
                if strength != 1:
                    change *= strength
                if band.allowed is not None:
                    change *= band.allowed[rows, across, None]
                place = np.s_[rows, across, : facts.bands - facts.alpha]
                band.derived[place] = laid(band.derived[place], change, facts)
                self._mark(facts, by * tile.y0 + y, by * tile.x0, damage[..., 0] * strength)
            trust.close()
        if batch.tiles[-1] is band.row[-1]:
            self._finish(band, facts, writer, meter, by)

    def _mark(self, facts: Facts, y: int, x: int, damage: NDArray[np.float32]) -> None:
        """Damage as a step saw it, on the map of what the last step makes, which may be larger."""
        times = self.size[0] // facts.width
        if times > 1:
            damage = damage.repeat(times, 0).repeat(times, 1)
        self.damage.add(times * y, damage, times * x)

    def _finish(
        self, band: Band, facts: Facts, writer: DerivativeWriter, meter: FidelityMeter | None, by: int
    ) -> None:
        writer.write(band.derived)
        if meter is None:
            return
        for at in range(0, len(band.derived), CHUNK):
            part = np.s_[at : at + CHUNK]
            difference = meter.add(unit(band.original[part], facts), unit(band.derived[part], facts))
            self.change.add(by * band.row[0].y0 + at, difference)

    def stop_if_cancelled(self) -> None:
        """Raise Cancelled if somebody asked for it."""
        if self.cancel and self.cancel():
            raise Cancelled(f"Stopped after {self.done} of {self.total} tiles, as asked. Nothing was stored.")

    # ---- after the last

    def _trained_for(self, stage: Stage, trust: Trust) -> None:
        most = stage.limits.get("most_damage", 1)
        if trust.damaged > most and "damage" not in self.recipe.accept:
            raise OutsideTraining(
                f"{trust.damaged:.0%} of the picture looks damaged to {stage.step.model} {stage.step.version}, which "
                f"was trained for up to {most:.0%}: the result would be guesswork. To have it all the same, accept "
                "“damage”."
            )

    def _save(self) -> dict[str, Path]:
        maps = {"change_map": self.change, "damage_mask": self.damage}
        for kind, values in maps.items():
            values.save(self.scratch / f"{kind}.png")
        return {kind: self.scratch / f"{kind}.png" for kind in maps}


def canonical_thumbnail(
    path: Path, page: int | None, device: torch.device, *, side: int = THUMBNAIL
) -> torch.Tensor:
    """(1, 3, h, w) in 0…1, the long side at most `side`: what a step sees of the whole picture.

    Raises:
        UnsupportedImage: a picture in CMYK.
    """
    with open_picture(path, page=page, once=True) as picture:
        if picture.facts.colour == "cmyk":
            raise UnsupportedImage(
                "The picture is in CMYK, a space for printing. Give an RGB or grey version."
            )
        return to_tensor(colours(thumbnail(picture, side), picture.facts), device)


def values_of(touched: Touched) -> tuple[NDArray[np.float32], ...]:
    """Change, damage and how sure, each (B, H, W, bands); in pages of their own, for they outlive the network's values
    and would leave the heap in pieces."""
    return tuple(_kept(part.float().permute(0, 2, 3, 1).cpu().numpy()) for part in touched)


def _kept(values: NDArray[np.float32]) -> NDArray[np.float32]:
    place = room(values.shape, values.dtype)
    place[:] = values
    return place


def expect_numbers(tile: Tile, *parts: NDArray[np.float32]) -> None:
    # A sum is a number only if all of its parts are, and costs a fraction of asking each.
    if not all(np.isfinite(part.sum()) for part in parts):
        raise BadTile(
            f"The network gave no picture at rows {tile.y0}–{tile.y1}, columns {tile.x0}–{tile.x1} "
            "(not a number). Nothing was stored; try the archival precision."
        )
