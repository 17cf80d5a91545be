"""The translator: one kind of picture into another, learnt from pairs that lie exactly over each other.

A U-Net at 1/1, 1/2, 1/4 and 1/8 of the resolution, normalised per pixel, so that a tile is exactly a part of the whole.
What comes out is the picture itself, not a change of it: the two kinds may have nothing in common but their places.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stylizer.models.blocks import Residual, Up
from stylizer.models.receptive import reach


class Translator(nn.Module):
    """(B, 3, H, W) in 0…1 → (B, 3, H, W). Sides of the input must be multiples of `stride`.

    widths: channels at 1/2, 1/4 and 1/8 of the resolution; middle: blocks at 1/8; grey: what comes out has no colour.
    """

    stride = 8

    def __init__(
        self, *, widths: tuple[int, int, int] = (24, 48, 96), middle: int = 3, grey: bool = False
    ) -> None:
        super().__init__()
        self.grey = grey
        fine, half, deep = widths
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, fine, 3, padding=1))
        self.encode = nn.ModuleList((Residual(fine), Residual(half)))
        self.down = nn.ModuleList((nn.Conv2d(fine, half, 2, 2), nn.Conv2d(half, deep, 2, 2)))
        self.middle = nn.Sequential(*(Residual(deep) for _ in range(middle)))
        self.up = nn.ModuleList((Up(deep, half), Up(half, fine)))
        self.decode = nn.ModuleList((Residual(half), Residual(fine)))
        self.head = nn.Sequential(nn.Conv2d(fine, 12, 3, padding=1), nn.PixelShuffle(2))
        self.halo = reach(self).halo

    def forward(self, x: Tensor) -> Tensor:
        """The result may leave 0…1 a little."""
        if x.shape[2] % self.stride or x.shape[3] % self.stride:
            raise ValueError(f"sides must be multiples of {self.stride}: got {tuple(x.shape[2:])}")
        out = self.stem((x - 0.5).to(self.get_parameter("stem.1.weight").dtype))
        kept = []
        for encode, down in zip(self.encode, self.down, strict=True):
            out = encode(out)
            kept.append(out)
            out = down(out)
        out = self.middle(out)
        for up, decode in zip(self.up, self.decode, strict=True):
            out = decode(up(out) + kept.pop())
        made: Tensor = self.head(out).float() + 0.5
        return torch.cat([made.mean(1, keepdim=True)] * 3, 1) if self.grey else made
