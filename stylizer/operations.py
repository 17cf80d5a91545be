"""What a step of a recipe does with a tile, once it is prepared for one picture.

Whatever must see the whole picture is worked out here, from the canonical thumbnail, before the first tile.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

import torch
from torch import Tensor

from stylizer.models import Restorer
from stylizer.recipe import Step

# (B, 3, H, W) in 0…1 → the picture after the step, and how damaged each pixel looked (B, 1, H, W)
TileFunction: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]

THUMBNAIL = 256


class TiledNetwork(Protocol):
    """A network the tiler can cut pictures for: `halo` covers its receptive radius; both are in pixels."""

    stride: int
    halo: int


def prepare(step: Step, network: torch.nn.Module, thumbnail: Tensor) -> TileFunction:
    """A function for the tiles of one picture, from its thumbnail (1, 3, h, w) in 0…1."""
    return _restore(step, cast(Restorer, network), thumbnail)


def _restore(step: Step, network: Restorer, thumbnail: Tensor) -> TileFunction:
    tone, detail = bool(step.parameters["tone"]), bool(step.parameters["detail"])
    curves = network.tone(thumbnail) if tone else None

    def tile(x: Tensor) -> tuple[Tensor, Tensor]:
        found = network(x)
        out = x + found.residual if detail else x
        if curves is None or not bool(torch.isfinite(out).all()):
            return (
                out,
                found.damage,
            )  # not a number has no place on a curve; on a GPU it would stop the process
        return network.apply_tone(out, curves), found.damage

    return tile
