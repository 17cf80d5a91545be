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

from stylizer.enlarging import around, enlarged
from stylizer.errors import EngineError
from stylizer.imageio import Facts, Picture, open_picture
from stylizer.imageio.picture import Pixels
from stylizer.imageio.thumbnail import cell
from stylizer.models.enlarger import LOBES
from stylizer.operations import (
    THUMBNAIL,
    TiledNetwork,
    TileFunction,
    factor_of,
    lays,
    needs_thumbnail,
    prepare,
)
from stylizer.passage import Passage, Stage, expect_numbers, values_of
from stylizer.pixels import colours, raised, unit
from stylizer.stages import admit, forms_of
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

    def scaled(self, by: int) -> "Region":
        """The same part of a picture that is so many times as large."""
        return Region(by * self.x, by * self.y, by * self.width, by * self.height)

    def covered(self, by: int) -> "Region":
        """The part that becomes at least this, of a picture so many times as small."""
        x, y = self.x // by, self.y // by
        return Region(x, y, -(-(self.x + self.width) // by) - x, -(-(self.y + self.height) // by) - y)


@dataclass(frozen=True)
class Look:
    """Pixels (H, W, bands) as stored, before (of `facts`) and after (of `form`); damage (H, W) and how sure the network
    was, both 0…1. Where the recipe enlarges all of them are of the larger size, and `before` is plainly enlarged;
    `region` is in the source's pixels."""

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
        admit(facts, stages, passage.recipe)
        forms = forms_of(facts, stages)
        asked = region.within(facts.width, facts.height)
        times = forms[-1].width // facts.width
        areas = _areas(asked, (facts, *forms[:-1]), stages)
        halo = cast(TiledNetwork, stages[0].network).halo
        # What it is compared with needs more around it than a network without a halo does.
        held = source = _Part.read(picture, areas[0], max(halo, LOBES))
    cells = cell(facts.width, facts.height, THUMBNAIL)
    final = asked.scaled(times)
    damage = sure = np.zeros((final.height, final.width), np.float32)
    for stage, area, form in zip(stages, areas, forms, strict=True):
        small = thumbnail() if needs_thumbnail(stage.step) else None
        seen_as = cells * (held.facts.width // facts.width)
        function = prepare(stage.step, stage.network, small, passage.reference, cell=seen_as)
        passage.stop_if_cancelled()
        made, marks, certain = _make(function, held, area, form, stage, passage)
        held = _Part(form, area.scaled(factor_of(stage.network)), made)
        damage = np.maximum(damage, _shown(marks, held, final, forms[-1]))
        sure = np.maximum(sure, _shown(certain, held, final, forms[-1]))
    exact = not any(needs_thumbnail(stage.step) for stage in stages[1:])
    before = source.cut(asked) if times == 1 else source.enlarged(asked)
    return Look(asked, facts, before, held.cut(final), damage, sure, exact, made=held.facts)


def _make(
    function: TileFunction, held: "_Part", area: Region, form: Facts, stage: Stage, passage: Passage
) -> tuple[Pixels, NDArray[np.float32], NDArray[np.float32]]:
    """One step over an area: stored pixels, damage as far as it is acted on, and how sure the network was."""
    tile, seen = held.tile(area, stage)
    x = torch.from_numpy(seen[None]).to(passage.device).permute(0, 3, 1, 2)
    by, strength = factor_of(stage.network), np.float32(stage.step.strength)
    touched = values_of(function(x, cast(TiledNetwork, stage.network).halo, [tile]))
    inner = np.s_[: by * area.height, : by * area.width]
    change, marks, certain = (part[0][inner] for part in touched)
    expect_numbers(tile, change, marks, certain)
    change *= strength
    rows, columns = (slice(at, at + side) for at, side in ((area.y, area.height), (area.x, area.width)))
    allowed = passage.allowed(held.facts, rows, columns)
    if allowed is not None:
        change *= allowed
    made = raised(held.cut(area) if by == 1 else held.enlarged(area), held.facts, form).copy()
    stored = np.s_[..., : form.bands - form.alpha]
    made[stored] = lays(stage.network)(made[stored], change, form)
    return made, marks[..., 0] * strength, certain[..., 0]


def _shown(values: NDArray[np.float32], part: "_Part", final: Region, form: Facts) -> NDArray[np.float32]:
    """Values (H, W) of a part, of the pixels that are looked at, in the size of what the last step makes."""
    times = form.width // part.facts.width
    large = values if times == 1 else values.repeat(times, 0).repeat(times, 1)
    y, x = final.y - times * part.area.y, final.x - times * part.area.x
    return large[y : y + final.height, x : x + final.width]


def _areas(asked: Region, forms: Sequence[Facts], stages: Sequence[Stage]) -> list[Region]:
    """What each step has to make for the last to make what is asked, in pixels of what it is given (`forms`): more by
    the halos of the later ones."""
    areas, area = [], asked.scaled(forms[-1].width // forms[0].width)
    for number in range(len(stages) - 1, -1, -1):
        network, form = cast(TiledNetwork, stages[number].network), forms[number]
        last = number + 1 == len(stages)
        by = 0 if last else max(cast(TiledNetwork, stages[number + 1].network).halo, LOBES)
        if not last:
            area = area.covered(factor_of(stages[number].network))
        area = area.grown(
            -(-by // factor_of(stages[number].network)) if not last else 0,
            network.stride, form.width, form.height,
        )  # fmt: skip
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

    def enlarged(self, region: Region) -> Pixels:
        """The region plainly enlarged; the kernel sees beyond it, and the picture is mirrored at its edges."""
        rows, columns = (
            around(at, at + side, whole) - start
            for at, side, whole, start in (
                (region.y, region.height, self.facts.height, self.area.y),
                (region.x, region.width, self.facts.width, self.area.x),
            )
        )
        return enlarged(self.pixels, rows, columns, self.facts)

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
