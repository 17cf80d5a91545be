"""Random numbers and the few raster tools that the stages share. All tensors float32; pictures (B, C, H, W) in 0…1."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


class Draw:
    """A seeded source of per-picture parameters: the same seed gives the same damage."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=self._generator)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator)

    def chance(self, probability: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self._generator) < probability

    def one(self, low: float, high: float) -> float:
        return float(self.uniform(low, high, 1))

    def integer(self, low: float, high: float) -> int:
        """Between low and high, both included."""
        return int(torch.randint(int(low), int(high) + 1, (1,), generator=self._generator))

    def yes(self, probability: float) -> bool:
        return bool(self.chance(probability, 1))

    def field(self, count: int, height: int, width: int, *, scale: float) -> Tensor:
        """Smooth noise of about unit variance with blobs of `scale` pixels; (count, 1, height, width)."""
        rows, columns = max(2, math.ceil(height / scale) + 2), max(2, math.ceil(width / scale) + 2)
        coarse = self.normal(count, 1, rows, columns)
        fine = F.interpolate(coarse, scale_factor=scale, mode="bicubic", align_corners=False)
        top, left = (fine.shape[2] - height) // 2, (fine.shape[3] - width) // 2
        fine = fine[:, :, top : top + height, left : left + width]
        return fine / fine.std(dim=(1, 2, 3), keepdim=True).clamp(min=1e-3)

    def cloud(self, count: int, height: int, width: int, *, scale: float) -> Tensor:
        """Three octaves of `field`: fractal noise with rough edges."""
        octaves = [self.field(count, height, width, scale=max(2.0, scale / 2**k)) * 0.5**k for k in range(3)]
        return torch.stack(octaves).sum(0)


def per_picture(values: Tensor) -> Tensor:
    """(B,) or (B, C) parameters as (B, 1 or C, 1, 1)."""
    return values.reshape(values.shape[0], -1, 1, 1)


def grid(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Rows and columns of every pixel, (1, 1, height, width) each."""
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    return y[None, None], x[None, None]


def gaussian_kernels(sigmas: Tensor, *, radius: int) -> Tensor:
    """One normalised row (2 radius + 1) per sigma."""
    offsets = torch.arange(-radius, radius + 1).float()
    rows = torch.exp(-0.5 * (offsets / sigmas[:, None].clamp(min=0.05)) ** 2)
    return rows / rows.sum(1, keepdim=True)


def blur(picture: Tensor, sigma_y: Tensor, sigma_x: Tensor | None = None) -> Tensor:
    """Gaussian blur with a sigma per picture, mirrored at the borders."""
    count, channels, height, width = picture.shape
    sigma_x = sigma_y if sigma_x is None else sigma_x
    radius = min(max(1, math.ceil(3 * float(torch.maximum(sigma_x, sigma_y).max()))), height - 1, width - 1)
    flat = picture.reshape(1, count * channels, height, width)
    for sigmas, vertical in ((sigma_y, True), (sigma_x, False)):
        rows = gaussian_kernels(sigmas, radius=radius).repeat_interleave(channels, 0)
        kernel = rows[:, None, :, None] if vertical else rows[:, None, None, :]
        pad = (0, 0, radius, radius) if vertical else (radius, radius, 0, 0)
        flat = F.conv2d(F.pad(flat, pad, mode="reflect"), kernel, groups=count * channels)
    return flat.reshape(count, channels, height, width)


def splat(plane: Tensor, y: Tensor, x: Tensor, alpha: Tensor) -> None:
    """Put soft points on a plane (H, W) in place; the strongest mark wins only up to full cover."""
    height, width = plane.shape
    y0, x0 = y.floor(), x.floor()
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (1 - (y - y0 - dy).abs()) * (1 - (x - x0 - dx).abs()) * alpha
            row, column = (y0 + dy).long(), (x0 + dx).long()
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            plane.index_put_((row[inside], column[inside]), weight[inside], accumulate=True)


def curve(draw: Draw, height: int, width: int, *, length: float, bend: float) -> tuple[Tensor, Tensor]:
    """A wandering line sampled at every half pixel: rows and columns of its points."""
    count = max(4, int(length * 2))
    start_y, start_x = draw.one(-0.1, 1.1) * height, draw.one(-0.1, 1.1) * width
    knots = max(2, count // 40)
    turns = torch.cumsum(draw.normal(1, 1, knots) * bend, 2)
    heading = F.interpolate(turns, size=count, mode="linear", align_corners=True)[0, 0] + draw.one(
        0, 2 * math.pi
    )
    return start_y + torch.cumsum(torch.sin(heading), 0) / 2, start_x + torch.cumsum(
        torch.cos(heading), 0
    ) / 2


def widen(plane: Tensor, size: int) -> Tensor:
    """Dilate (H, W) by an octagon of odd `size`: a square would give specks of dust corners."""
    if size <= 1:
        return plane
    tall, flat = ((size, size - 2), (size - 2, size))
    pooled = [F.max_pool2d(plane[None, None], k, 1, (k[0] // 2, k[1] // 2))[0, 0] for k in (tall, flat)]
    return torch.maximum(*pooled)
