"""What a step of a recipe does with a tile, once it is prepared for one picture.

Whatever must see the whole picture is worked out here, from the canonical thumbnail, before the first tile.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from stylizer.models import Restorer, Stylist
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
REFERENCE = 512  # of a style picture: strokes have to show
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
    return bool(step.parameters.get("tone", False))


def takes_reference(network: torch.nn.Module) -> bool:
    """Whether the network reads its style off another picture."""
    return isinstance(network, Stylist) and network.encoder is not None


def colours_grey(network: torch.nn.Module) -> bool:
    """Whether what the network makes of a grey picture has colours."""
    return isinstance(network, Stylist) and not network.grey


def prepare(
    step: Step, network: torch.nn.Module, thumbnail: Tensor | None, reference: Tensor | None = None
) -> TileFunction:
    """A function for the tiles of one picture, from its thumbnail (1, 3, h, w) in 0…1 where one is needed.

    reference: the thumbnail (1, 3, h, w) of the style picture, for a network that takes one.
    """
    if isinstance(network, Stylist):
        return _stylise(network, reference)
    return _restore(step, cast(Restorer, network), thumbnail)


def _stylise(network: Stylist, reference: Tensor | None) -> TileFunction:
    code = network.code_of(reference) if reference is not None and takes_reference(network) else None

    def tile(x: Tensor, halo: int) -> Touched:
        made = network(x, code)
        inner = np.s_[:, :, halo : x.shape[2] - halo, halo : x.shape[3] - halo]
        made = made[inner].clamp(0, 1)
        # A style is asked for everywhere: nothing looks damaged, and nothing is in doubt.
        return Touched(made, torch.zeros_like(made[:, :1]), torch.ones_like(made[:, :1]))

    return tile


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
