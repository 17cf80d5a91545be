"""What a step of a recipe does with a tile, once it is prepared for one picture.

Whatever must see the whole picture is worked out here, from the canonical thumbnail, before the first tile.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias, cast

import torch
from torch import Tensor

from stylizer.models import Restorer
from stylizer.recipe import Step
from stylizer.trust import cut


class Touched(NamedTuple):
    """The inner part of tiles after a step: the picture (B, 3, H, W) in 0…1, how damaged each pixel looked and how sure
    the network was that it needed changing, both (B, 1, H, W) in 0…1."""

    picture: Tensor
    damage: Tensor
    sure: Tensor


TileFunction: TypeAlias = Callable[
    [Tensor, int], Touched
]  # of (B, 3, H, W) in 0…1 and the halo on each side of it

THUMBNAIL = 256
STRIP = 32  # rows


class TiledNetwork(Protocol):
    """A network the tiler can cut pictures for: `halo` covers its receptive radius; both are in pixels."""

    stride: int
    halo: int


def by_strips(function: Callable[[Tensor], Tensor], picture: Tensor) -> Tensor:
    """What looks at each pixel by itself, a few rows at a time: its intermediate values then stay in the cache."""
    out = torch.empty_like(picture)
    for strip, place in zip(picture.split(STRIP, 2), out.split(STRIP, 2), strict=True):
        place.copy_(function(strip))
    return out


def needs_thumbnail(step: Step) -> bool:
    """Whether the step must see the whole picture before its first tile."""
    return bool(step.parameters["tone"])


def prepare(step: Step, network: torch.nn.Module, thumbnail: Tensor | None) -> TileFunction:
    """A function for the tiles of one picture, from its thumbnail (1, 3, h, w) in 0…1 where one is needed."""
    return _restore(step, cast(Restorer, network), thumbnail)


def _restore(step: Step, network: Restorer, thumbnail: Tensor | None) -> TileFunction:
    detail, only_damage = bool(step.parameters["detail"]), bool(step.parameters.get("only_damage", False))
    curves = network.tone(thumbnail) if thumbnail is not None else None

    def tile(x: Tensor, halo: int) -> Touched:
        found = network(x)
        x, residual, damage, gate = (
            part[:, :, halo : part.shape[2] - halo, halo : part.shape[3] - halo]
            for part in (x, found.residual, found.damage, found.gate)
        )
        out = x + residual if detail else x
        # Not a number has no place on a curve; on a GPU it would stop the process. The engine finds it right after.
        if curves is not None and bool(torch.isfinite(out.sum())):
            out = by_strips(lambda strip: network.apply_tone(strip, curves), out)
        if only_damage:
            out = x + (out - x) * cut(damage)  # x + 0 is x: outside the damage not one bit changes
        return Touched(out, damage, gate)

    return tile
