"""One run of a recipe over one picture, in bands: the engine's inner loop."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylizer.errors import BadTile, Cancelled, UnsupportedImage
from stylizer.fidelity import Fidelity, FidelityMeter
from stylizer.imageio import DerivativeWriter, Facts, Picture, open_picture, thumbnail
from stylizer.imageio.picture import Pixels
from stylizer.operations import THUMBNAIL, TiledNetwork, TileFunction, prepare
from stylizer.recipe import Recipe, Step
from stylizer.sidecars import MapWriter
from stylizer.tiling import Tile, core_side, mirrored, plan_tiles, rows_of


@dataclass(frozen=True)
class Made:
    """Files in the scratch folder, and what was learnt while making them."""

    output: Path
    facts: Facts
    source_pixels: str
    output_pixels: str
    fidelity: Fidelity
    sidecars: dict[str, Path]


@dataclass
class Passage:
    """Steps one after the other; between two, a TIFF of the source's own depth in the scratch folder."""

    scratch: Path
    recipe: Recipe
    device: torch.device
    on_tile: Callable[[int, int], None] | None = None
    cancel: Callable[[], bool] | None = None
    tile: int = 0
    done: int = 0
    total: int = 0
    damage: MapWriter = field(init=False)

    def run(self, path: Path, page: int | None, networks: Sequence[torch.nn.Module], *, xmp: bytes) -> Made:
        """Apply every step; the first reads the source, the last writes the output."""
        with open_picture(path, page=page) as source:
            facts = source.facts
            if facts.colour == "cmyk":
                raise UnsupportedImage(
                    "The scan is in CMYK, a space for printing. Restore an RGB or grey version of it."
                )
            self.tile = core_side(facts.width, facts.height, asked=self.recipe.tile)
            plans = [self._plan(facts, network) for network in networks]
            self.total = sum(map(len, plans))
            self.damage = MapWriter(facts.width, facts.height)
            made = facts if facts.bits > 1 else replace(facts, bits=8)
            at, pixels = path, ""
            for number, (step, network, plan) in enumerate(
                zip(self.recipe.steps, networks, plans, strict=True)
            ):
                target = self.scratch / f"step{number}.tif"
                with (
                    open_picture(at, page=page if number == 0 else 0) as picture,
                    self._writer(target, made, xmp) as writer,
                ):
                    for band in self._bands(picture, step, network, plan):
                        writer.write(band)
                at, pixels = target, writer.pixel_digest
            fidelity, change = self._compare(source, at)
            return Made(at, made, source.pixel_digest(), pixels, fidelity, self._save(change))

    def _plan(self, facts: Facts, network: torch.nn.Module) -> list[Tile]:
        shape = cast(TiledNetwork, network)
        return plan_tiles(facts.width, facts.height, core=self.tile, halo=shape.halo, stride=shape.stride)

    def _writer(self, path: Path, facts: Facts, xmp: bytes) -> DerivativeWriter:
        return DerivativeWriter(
            path, width=facts.width, height=facts.height, bands=facts.bands, bits=facts.bits, colour=facts.colour,
            alpha=facts.alpha, icc=facts.icc, ppi=facts.ppi, xmp=xmp,
        )  # fmt: skip

    def _bands(
        self, picture: Picture, step: Step, network: torch.nn.Module, plan: list[Tile]
    ) -> Iterator[Pixels]:
        facts = picture.facts
        strength = float(step.strength)
        function = prepare(
            step, network, _to_tensor(_colours(thumbnail(picture, THUMBNAIL), facts), self.device)
        )
        for row in rows_of(plan):
            lines = mirrored(row[0].top, row[0].bottom, facts.height)
            low = int(lines.min())
            read = picture.read(low, int(lines.max()) + 1)
            above = row[0].y0 - low
            band = read[above : above + row[0].y1 - row[0].y0].copy()
            for tile in row:
                self._step_cancelled()
                columns = mirrored(tile.left, tile.right, facts.width)
                x = _unit(_colours(read[lines - low][:, columns], facts), facts)
                after, marks = self._run(function, _to_tensor(x, self.device), tile)
                core = x[tile.core]
                place = np.s_[:, tile.x0 : tile.x1, : facts.bands - facts.alpha]
                band[place] = _changed(band[place], (after - core) * strength, facts)
                self.damage.add(tile.y0, marks * strength, tile.x0)
                self.done += 1
                if self.on_tile:
                    self.on_tile(self.done, self.total)
            yield band

    def _run(
        self, function: TileFunction, x: Tensor, tile: Tile
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with self._numbers():
            after, marks = function(x)
        rows, columns = tile.core
        both = torch.cat([after.float(), marks.float()], 1)  # (1, 4, H, W)
        cut = both[0, :, rows, columns]
        if not bool(torch.isfinite(both).all()):
            raise BadTile(
                f"The network gave no picture at rows {tile.y0}–{tile.y1}, columns {tile.x0}–{tile.x1} "
                "(not a number). Nothing was stored; try the archival precision."
            )
        values = cut.permute(1, 2, 0).cpu().numpy()
        return values[..., :3], values[..., 3]

    def _numbers(self) -> AbstractContextManager[Any]:
        if self.recipe.precision == "fast":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()

    def _step_cancelled(self) -> None:
        if self.cancel and self.cancel():
            raise Cancelled(f"Stopped after {self.done} of {self.total} tiles, as asked. Nothing was stored.")

    def _compare(self, source: Picture, output: Path) -> tuple[Fidelity, MapWriter]:
        meter, change = FidelityMeter(), MapWriter(source.facts.width, source.facts.height)
        with open_picture(output) as made:
            for y, before in source.bands():
                after = made.read(y, y + len(before))
                change.add(y, meter.add(_unit(before, source.facts), _unit(after, made.facts)))
        return meter.result(), change

    def _save(self, change: MapWriter) -> dict[str, Path]:
        maps = {"change_map": change, "damage_mask": self.damage}
        for kind, values in maps.items():
            values.save(self.scratch / f"{kind}.png")
        return {kind: self.scratch / f"{kind}.png" for kind in maps}


def _unit(pixels: Pixels, facts: Facts) -> NDArray[np.float32]:
    """Stored values as 0…1 in single precision."""
    return pixels.astype(np.float32) / np.float32(np.iinfo(facts.dtype).max)


def _colours(pixels: NDArray[Any], facts: Facts) -> NDArray[Any]:
    """Three bands without alpha: a grey picture thrice."""
    colours = pixels[..., : facts.bands - facts.alpha]
    return np.repeat(colours, 3, axis=2) if facts.colour == "grey" else colours


def _to_tensor(pixels: NDArray[Any], device: torch.device) -> Tensor:
    """(H, W, 3) → (1, 3, H, W), channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels, np.float32)).to(device).permute(2, 0, 1)[None]


def _changed(stored: Pixels, change: NDArray[np.float32], facts: Facts) -> Pixels:
    """Add a change (H, W, 3) of 0…1 to stored values, in their encoding; where it rounds to 0, bit for bit."""
    if facts.colour == "grey":
        change = change.mean(axis=2, keepdims=True)
    top = int(np.iinfo(facts.dtype).max)
    steps = np.rint(change * np.float32(top)).astype(np.int32)
    added: Pixels = np.clip(stored.astype(np.int32) + steps, 0, top).astype(facts.dtype)
    return added
