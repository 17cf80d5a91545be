"""How far a pixel of the output can see: the radius that a tile's halo must cover."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from torch import nn


class _UNet(Protocol):
    stem: nn.Sequential
    encode_fine: nn.Sequential
    down_fine: nn.Conv2d
    encode_half: nn.Sequential
    down_half: nn.Conv2d
    middle: nn.Sequential
    decode_half: nn.Sequential
    decode_fine: nn.Sequential
    head: nn.Sequential


def receptive_radius(network: _UNet) -> int:
    """An upper bound in input pixels for the deepest path through a three-level U-Net.

    Walks the convolutions level by level; one of k taps at 1/s of the resolution adds (k // 2) * s, and going down,
    up, or in and out of channels (pixel shuffle) may add all of a coarse pixel but one.
    """
    levels = (
        (2, (network.stem, network.encode_fine, network.decode_fine, network.head)),
        (4, (network.encode_half, network.decode_half)),
        (8, (network.middle,)),
    )
    reach = sum(scale * _taps(parts) for scale, parts in levels)
    return reach + 8 - 1


def _taps(parts: Iterable[nn.Module]) -> int:
    """The summed half-widths of the stride-1 convolutions in these parts (all of them lie on one path)."""
    convolutions = (m for part in parts for m in part.modules() if isinstance(m, nn.Conv2d))
    return sum(int(conv.kernel_size[0]) // 2 for conv in convolutions)
