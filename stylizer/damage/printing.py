"""What the print itself brings: its process (colour, grey, toned), silver grain, a halftone screen."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stylizer.damage.draw import Draw, blur, grid, per_picture
from stylizer.damage.ranges import Ranges

LUMA = torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)


def process(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """Some originals are grey and some toned brown: that is their own colour, never damage."""
    count = picture.shape[0]
    kind = draw.uniform(0, 1, count)
    grey = (picture * LUMA).sum(1, keepdim=True).expand_as(picture)
    power = torch.stack(
        [draw.uniform(0.75, 1.0, count), torch.ones(count), draw.uniform(1.05, 1.6, count)], 1
    )
    toned = grey.clamp(min=1e-4) ** per_picture(power)
    out = torch.where(per_picture(kind < ranges.grey), grey, picture)
    return torch.where(per_picture(kind > 1 - ranges.toned), toned, out)


def grain(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """Band-limited grain, strongest in the middle tones; mostly the same in every channel."""
    count, _, height, width = picture.shape
    plane = draw.normal(count, 1, height, width)
    if draw.yes(0.15):
        plane = plane * 0.6 + 0.8 * draw.normal(count, 3, height, width)
    plane = blur(plane, draw.uniform(*ranges.grain_sigma, count))
    plane = plane / plane.std(dim=(1, 2, 3), keepdim=True)
    middle = (picture * (1 - picture)).clamp(min=0.02).sqrt() * 2
    return picture + plane * middle * per_picture(draw.uniform(*ranges.grain_amount, count))


def halftone(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """A screen of dots (one ink, or one angle an ink), softened by press and scanner."""
    count, _, height, width = picture.shape
    y, x = grid(height, width)
    pitch = per_picture(draw.uniform(*ranges.halftone_pitch, count))
    base = per_picture(draw.uniform(0, math.pi, count))
    inks = draw.yes(0.35)
    planes = []
    for angle in (0.0, 0.52, 1.31) if inks else (0.0,):
        turn = base + angle
        u = (x * turn.cos() + y * turn.sin()) * (2 * math.pi / pitch)
        v = (y * turn.cos() - x * turn.sin()) * (2 * math.pi / pitch)
        planes.append(0.5 + 0.25 * (u.cos() + v.cos()) if draw.yes(0.8) else 0.5 + 0.5 * u.cos() * v.cos())
    screen = torch.cat(planes, 1)
    hard = per_picture(draw.uniform(3.0, 14.0, count))
    dots = blur(((picture - screen) * hard).sigmoid(), draw.uniform(0.4, 1.0, count))
    mix = per_picture(draw.uniform(0.4, 1.0, count))
    return dots * mix + picture * (1 - mix)
