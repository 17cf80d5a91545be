"""Luma and chroma of encoded RGB, by the weights of Rec. 601, and what keeps a colour within the gamut at its luma.

Pictures (B, 3, H, W) in 0…1; luma (B, 1, H, W); chroma (B, 2, H, W) is blue − luma and red − luma: any chroma put on a
luma gives back that luma, whatever the chroma.
"""

from __future__ import annotations

import torch
from torch import Tensor

RED, GREEN, BLUE = 0.299, 0.587, 0.114


def luma(picture: Tensor) -> Tensor:
    """0.299 R + 0.587 G + 0.114 B of the values as they are stored."""
    red, green, blue = picture.split(1, 1)
    light: Tensor = RED * red + GREEN * green + BLUE * blue
    return light


def chroma(picture: Tensor) -> Tensor:
    light = luma(picture)
    return torch.cat([picture[:, 2:] - light, picture[:, :1] - light], 1)


def join(light: Tensor, colour: Tensor) -> Tensor:
    """The picture of this luma and chroma; it may lie outside 0…1."""
    blue, red = colour.split(1, 1)
    green = -(RED * red + BLUE * blue) / GREEN
    return light + torch.cat([red, green, blue], 1)


def within_gamut(light: Tensor, colour: Tensor) -> Tensor:
    """The picture of this luma with as much of the chroma as fits into 0…1: paler, never of another hue."""
    apart = join(torch.zeros_like(light), colour)
    room = torch.where(apart > 0, 1 - light, light) / apart.abs().clamp(min=1e-6)
    share = room.amin(1, keepdim=True).clamp(0, 1)
    return light + share * apart
