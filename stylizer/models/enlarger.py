"""The enlarger: twice the width and height. What it draws is added to a plain enlargement by Lanczos' kernel.

The network works at the resolution of the source and ends in pixels out of channels; its reach is finite, so that tiles
are exactly the whole. Without it (strength 0) the picture is the plain enlargement.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylizer.models.receptive import reach

FACTOR = 2
LOBES = 3


def lanczos(distance: float, lobes: int = LOBES) -> float:
    """Lanczos' kernel: sinc times the middle of a wider sinc."""
    if distance == 0:
        return 1.0
    if abs(distance) >= lobes:
        return 0.0
    turn = math.pi * distance
    return lobes * math.sin(turn) * math.sin(turn / lobes) / turn**2


def taps() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Weights of the 2 · LOBES nearest pixels for the first and the second pixel that one becomes, each summing to 1.

    The first lies a quarter of a pixel before the old centre and sees LOBES pixels before it and LOBES − 1 after it
    beside the old one; the second is its mirror image.
    """
    found = [lanczos(at + 0.25) for at in range(-LOBES, LOBES)]
    first = tuple(value / sum(found) for value in found)
    return first, first[::-1]


class Plain(nn.Module):
    """x + conv(relu(conv(x))), without normalisation: how strong an edge is, is what has to be known."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.zeros_(self.first.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.second.weight, std=0.3 * (9 * channels) ** -0.5)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.second(F.relu(self.first(x), inplace=True))
        out += x
        return out


class Enlarger(nn.Module):
    """(B, 3, H, W) in 0…1 → what is to be added to the plain enlargement, (B, 3, 2 H, 2 W)."""

    stride = 4  # more than it needs: bands of the result then begin on the fidelity meter's blocks
    factor = FACTOR
    per_tile, per_band = 700, 170  # bytes a pixel, as `tiling` counts them: the result has four times as many

    def __init__(self, *, width: int = 32, blocks: int = 4) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*(Plain(width) for _ in range(blocks)))
        last = nn.Conv2d(width, 3 * FACTOR**2, 3, padding=1)
        nn.init.normal_(last.weight, std=0.1 * (9 * width) ** -0.5)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.head = nn.Sequential(last, nn.PixelShuffle(FACTOR))
        self.halo = -(-max(reach(self, factor=FACTOR).radius, LOBES) // self.stride) * self.stride

    def forward(self, x: Tensor) -> Tensor:
        inner = (x - 0.5).to(self.stem.weight.dtype)  # bf16 after `lowered`
        drawn: Tensor = self.head(self.body(self.stem(inner)))
        return drawn.float()


def enlarge(x: Tensor) -> Tensor:
    """(B, C, H, W) → (B, C, 2 H, 2 W) by Lanczos' kernel; beyond its edges the picture is mirrored."""
    for axis in (2, 3):
        count = x.shape[axis]
        places = torch.arange(-LOBES, count + LOBES) % max(2 * (count - 1), 1)
        places = torch.minimum(places, 2 * (count - 1) - places).clamp(min=0)
        x = stretched(x.index_select(axis, places.to(x.device)), axis)
    return x


def stretched(x: Tensor, axis: int) -> Tensor:
    """(B, C, …) with LOBES more on each side along `axis`, 2 or 3 → without them and twice as long."""
    count, channels = x.shape[axis] - 2 * LOBES, x.shape[1]
    shape = (2 * LOBES, 1) if axis == 2 else (1, 2 * LOBES)
    made = []
    for start, kernel in enumerate(taps()):
        weight = torch.tensor(kernel, dtype=x.dtype, device=x.device).reshape(1, 1, *shape)
        part = x.narrow(axis, start, count + 2 * LOBES - 1)
        made.append(F.conv2d(part, weight.repeat(channels, 1, 1, 1), groups=channels))
    return torch.stack(made, axis + 1).flatten(axis, axis + 1)
