"""A look at one region of a picture as a recipe would make it, without making the rest.

Since tiles are exactly parts of the whole, what is seen here is what the derivative will hold, to a rounding step. One
case is different and says so: a chain whose later step must see the whole of what the earlier ones made; it is shown
the source instead, and `exact` is False.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylizer.errors import EngineError
from stylizer.imageio import Facts, Picture, open_picture
from stylizer.imageio.picture import Pixels
from stylizer.operations import TiledNetwork, needs_thumbnail, prepare
from stylizer.passage import Passage, Stage, expect_numbers, values_of
from stylizer.pixels import changed, colours, raised, unit
from stylizer.tiling import Tile, mirrored

MOST = 1024  # pixels of a side; a look is one tile


@dataclass(frozen=True)
class Region:
    """Upright pixels: columns x to x + width - 1, rows y to y + height - 1."""

    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> "Region":
        """The part that lies in a picture of this size, moved inside where that is possible.

        Raises:
            EngineError: an empty region, or one larger than a look may be.
        """
        if not (1 <= self.width <= MOST and 1 <= self.height <= MOST):
            raise EngineError(
                f"region: expected 1 to {MOST} px a side, got {self.width} × {self.height}. Choose a smaller part."
            )
        across, down = min(self.width, width), min(self.height, height)
        x, y = (max(0, min(at, most)) for at, most in ((self.x, width - across), (self.y, height - down)))
        return Region(x, y, across, down)

    def grown(self, by: int, stride: int, width: int, height: int) -> "Region":
        """With `by` more pixels on every side, but not beyond the picture, and begun on the stride."""
        x, y = (max(0, at - by) // stride * stride for at in (self.x, self.y))
        right, bottom = min(width, self.x + self.width + by), min(height, self.y + self.height + by)
        return Region(x, y, right - x, bottom - y)


@dataclass(frozen=True)
class Look:
    """Pixels (H, W, bands) as stored, before (of `facts`) and after (of `form`); damage (H, W) and how sure the network
    was, both 0…1."""

    region: Region
    facts: Facts
    before: Pixels
    after: Pixels
    damage: NDArray[np.float32]
    sure: NDArray[np.float32]
    exact: bool
    made: Facts | None = None  # what it becomes, where that is another form than `facts`: colour out of grey

    @property
    def form(self) -> Facts:
        """What `after` is."""
        return self.made or self.facts

    @property
    def changed_share(self) -> float:
        """The share of pixels of which any band changed by more than 2/255."""
        before = raised(self.before, self.facts, self.form)
        apart = np.abs(unit(self.after, self.form) - unit(before, self.form)).max(axis=2)
        return float((apart > 2 / 255).mean())


def look(
    passage: Passage,
    path: Path,
    page: int | None,
    region: Region,
    stages: Sequence[Stage],
    *,
    thumbnail: Callable[[], Tensor],
) -> Look:
    """Make one region. `thumbnail` gives the picture's canonical thumbnail (1, 3, h, w), if it is needed at all.

    Raises:
        As Engine.apply; nothing is written anywhere.
    """
    with open_picture(path, page=page, once=True) as picture:
        facts = picture.facts
        passage.admit(facts, stages)
        asked = region.within(facts.width, facts.height)
        areas = _areas(asked, facts, stages)
        halo = cast(TiledNetwork, stages[0].network).halo
        held = _Part.read(picture, areas[0], halo)
    original = held.cut(asked)
    damage = sure = np.zeros((asked.height, asked.width), np.float32)
    for stage, area, form in zip(stages, areas, passage.forms(facts, stages), strict=True):
        small = thumbnail() if needs_thumbnail(stage.step) else None
        function = prepare(stage.step, stage.network, small, passage.reference)
        tile, seen = held.tile(area, stage)
        passage.stop_if_cancelled()
        x = torch.from_numpy(seen[None]).to(passage.device).permute(0, 3, 1, 2)
        halo = cast(TiledNetwork, stage.network).halo
        touched = values_of(function(x, halo))
        inner = np.s_[: area.height, : area.width]
        after, marks, certain = (part[0][inner] for part in touched)
        change = after - seen[halo:, halo:][inner]
        expect_numbers(tile, change, marks, certain)
        change *= np.float32(stage.step.strength)
        rows, columns = (slice(at, at + side) for at, side in ((area.y, area.height), (area.x, area.width)))
        allowed = passage.allowed(facts, rows, columns)
        if allowed is not None:
            change *= allowed
        before = raised(held.cut(area), held.facts, form)
        derived = before.copy()
        stored = np.s_[..., : form.bands - form.alpha]
        derived[stored] = changed(before[stored], change, form)
        held = _Part(form, area, derived)
        place = np.s_[asked.y - area.y :, asked.x - area.x :]
        here = np.s_[: asked.height, : asked.width]
        damage = np.maximum(damage, marks[..., 0][place][here] * np.float32(stage.step.strength))
        sure = np.maximum(sure, certain[..., 0][place][here])
    exact = not any(needs_thumbnail(stage.step) for stage in stages[1:])
    return Look(asked, facts, original, held.cut(asked), damage, sure, exact, made=held.facts)


def _areas(asked: Region, facts: Facts, stages: Sequence[Stage]) -> list[Region]:
    """What each step has to make for the last to make what is asked: more by the halos of the later ones."""
    areas, area = [], asked
    for number in range(len(stages) - 1, -1, -1):
        network = cast(TiledNetwork, stages[number].network)
        by = cast(TiledNetwork, stages[number + 1].network).halo if number + 1 < len(stages) else 0
        area = area.grown(by, network.stride, facts.width, facts.height)
        areas.append(area)
    return areas[::-1]


@dataclass(frozen=True)
class _Part:
    """Pixels of the picture where `area` lies in it."""

    facts: Facts
    area: Region
    pixels: Pixels

    @classmethod
    def read(cls, picture: Picture, area: Region, halo: int) -> "_Part":
        """The area with the halo around it, as far as the picture goes; where the halo is mirrored, as far as that
        reaches. Rows are read from the top down, none of them twice."""
        facts = picture.facts
        rows = mirrored(area.y - halo, area.y + area.height + halo, facts.height)
        columns = mirrored(area.x - halo, area.x + area.width + halo, facts.width)
        top, bottom = int(rows.min()), int(rows.max()) + 1
        left, right = int(columns.min()), int(columns.max()) + 1
        kept: list[Any] = []
        for y in range(0, bottom, 128):
            lines = picture.read(y, min(y + 128, bottom))
            if y + len(lines) > top:
                kept.append(lines[max(0, top - y) :, left:right])
        return cls(facts, Region(left, top, right - left, bottom - top), np.concatenate(kept))

    def cut(self, region: Region) -> Pixels:
        y, x = region.y - self.area.y, region.x - self.area.x
        return self.pixels[y : y + region.height, x : x + region.width]

    def tile(self, area: Region, stage: Stage) -> tuple[Tile, NDArray[np.float32]]:
        """The area as the network sees it: halo all round, mirrored at the picture's edges, on the stride; 0…1."""
        network = cast(TiledNetwork, stage.network)
        down, across = (-(-side // network.stride) * network.stride for side in (area.height, area.width))
        tile = Tile(
            y0=area.y, y1=area.y + area.height, x0=area.x, x1=area.x + area.width,
            top=area.y - network.halo, bottom=area.y + down + network.halo,
            left=area.x - network.halo, right=area.x + across + network.halo,
        )  # fmt: skip
        rows = mirrored(tile.top, tile.bottom, self.facts.height) - self.area.y
        columns = mirrored(tile.left, tile.right, self.facts.width) - self.area.x
        # What lies beyond what was read only fills the tile up to the stride, farther than any pixel asked for sees.
        rows, columns = (
            np.clip(at, 0, most - 1) for at, most in zip((rows, columns), self.pixels.shape[:2], strict=True)
        )
        return tile, unit(colours(self.pixels[rows][:, columns], self.facts), self.facts)
