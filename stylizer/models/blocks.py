"""Building blocks with a finite receptive field, so that a tile with its halo is exactly a part of the whole."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class PixelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel: it never looks at a neighbour, so tiles stay exact."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x.permute(0, 2, 3, 1)).permute(
            0, 3, 1, 2
        )  # (B, C, H, W), channels_last in memory
        return out


class Residual(nn.Module):
    """x + conv(relu(conv(norm(x)))), starting near the identity.

    slope: what of a negative value the ReLU lets through. Without any, channels of it may die and never learn again.
    """

    def __init__(self, channels: int, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        self.norm = PixelNorm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.zeros_(self.first.bias)  # type: ignore[arg-type]
        # Not zero: a tail that starts at zero gives the layers before it no gradient, and a ReLU may die unseen.
        nn.init.normal_(self.second.weight, std=0.3 * (9 * channels) ** -0.5)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        inside: Tensor = self.first(self.norm(x))
        # Not leaky_relu with a slope of nought: what older releases computed, they compute to the last bit.
        inside = (
            F.leaky_relu(inside, self.slope, inplace=True) if self.slope else F.relu(inside, inplace=True)
        )
        out: Tensor = self.second(inside)
        del inside
        out += x
        return out


class Up(nn.Module):
    """Twice the size: a 1x1 convolution, then pixels out of channels."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4 * out, 1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shuffle(self.conv(x))
        return out


def stage(channels: int, blocks: int, slope: float = 0.0) -> nn.Sequential:
    return nn.Sequential(*(Residual(channels, slope) for _ in range(blocks)))
