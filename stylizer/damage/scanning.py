"""What digitising adds: blur (three ways), resampling, sensor noise, JPEG."""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from stylizer.damage.draw import Draw, blur, grid, per_picture
from stylizer.damage.ranges import Ranges


def soften(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """Out of focus, or moved a little: a Gaussian, upright ellipses included."""
    count = picture.shape[0]
    sigma = draw.uniform(*ranges.blur_sigma, count)
    stretched = torch.where(draw.chance(0.3, count), draw.uniform(0.4, 1.0, count), torch.ones(count))
    flip = draw.chance(0.5, count)
    return blur(
        picture, torch.where(flip, sigma, sigma * stretched), torch.where(flip, sigma * stretched, sigma)
    )


def defocus(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """A lens that misses the plane: every point becomes a disc with a soft rim."""
    radius = per_picture(draw.uniform(*ranges.defocus_radius, picture.shape[0]))
    y, x = _offsets(math.ceil(ranges.defocus_radius[1]))
    return _filtered(picture, (radius + 0.5 - (x**2 + y**2).sqrt()).clamp(0, 1))


def shake(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """The print or the camera moved: every point becomes a short straight line."""
    count = picture.shape[0]
    half = per_picture(draw.uniform(*ranges.motion_length, count)) / 2
    angle = per_picture(draw.uniform(0, math.pi, count))
    y, x = _offsets(math.ceil(ranges.motion_length[1] / 2))
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    return _filtered(picture, (half + 0.5 - along.abs()).clamp(0, 1) * (1 - across.abs()).clamp(0, 1))


def _offsets(radius: int) -> tuple[Tensor, Tensor]:
    y, x = grid(2 * radius + 1, 2 * radius + 1)
    return y - radius, x - radius


def _filtered(picture: Tensor, kernels: Tensor) -> Tensor:
    """Each picture by its own kernel (B, 1, k, k), scaled to a sum of one; mirrored at the borders."""
    count, channels, height, width = picture.shape
    radius = min(kernels.shape[3] // 2, height - 1, width - 1)
    middle = kernels.shape[3] // 2
    kernels = kernels[:, :, middle - radius : middle + radius + 1, middle - radius : middle + radius + 1]
    kernels = (kernels / kernels.sum((2, 3), keepdim=True)).repeat_interleave(channels, 0)
    flat = F.pad(picture.reshape(1, -1, height, width), (radius,) * 4, mode="reflect")
    return F.conv2d(flat, kernels, groups=count * channels).reshape(picture.shape)


def resample(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """Stored smaller once and enlarged again."""
    height, width = picture.shape[2:]
    scale = draw.one(*ranges.resample_scale)
    small = F.interpolate(
        picture, size=(max(8, int(height * scale)), max(8, int(width * scale))), mode="area"
    )
    return F.interpolate(small, size=(height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def noise(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """Read noise and shot noise, channel by channel (a grey scan gets the same in all)."""
    count, channels, height, width = picture.shape
    read = per_picture(draw.uniform(0, 1, count) ** 1.5)
    read = ranges.noise_read[0] + read * (ranges.noise_read[1] - ranges.noise_read[0])
    shot = per_picture(draw.uniform(*ranges.noise_shot, count))
    sample = draw.normal(count, channels, height, width)
    sample = torch.where(per_picture(draw.chance(0.25, count)), sample[:, :1], sample)
    return picture + sample * (read**2 + shot * picture.clamp(0, 1)).sqrt()


_LUMA = [
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
]  # fmt: skip
_CHROMA = [
    [17, 18, 24, 47, 99, 99, 99, 99], [18, 21, 26, 66, 99, 99, 99, 99], [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99], *[[99] * 8] * 4,
]  # fmt: skip


@cache
def _dct() -> Tensor:
    """The orthonormal 8-point cosine transform as a matrix."""
    k, n = torch.arange(8.0)[:, None], torch.arange(8.0)[None]
    return torch.cos(math.pi * (2 * n + 1) * k / 16) * torch.where(k == 0, math.sqrt(1 / 8), 0.5)


def _quantised(plane: Tensor, table: Tensor) -> Tensor:
    """Quantise (B, H, W) in 0…255 minus 128 by 8x8 blocks; sides are multiples of 8; table (B, 8, 8)."""
    count, height, width = plane.shape
    blocks = plane.reshape(count, height // 8, 8, width // 8, 8).permute(0, 1, 3, 2, 4)
    steps = table[:, None, None]
    coded = torch.round(_dct() @ blocks @ _dct().T / steps) * steps
    return (_dct().T @ coded @ _dct()).permute(0, 1, 3, 2, 4).reshape(count, height, width)


_TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def jpeg(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """The loss of a JPEG (4:2:0, the standard's example tables), without its entropy coder."""
    count, _, height, width = picture.shape
    quality = draw.uniform(*ranges.jpeg_quality, count)
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50).reshape(count, 1, 1)
    ycc = torch.einsum("oc,bchw->bohw", _TO_YCC, picture.clamp(0, 1) * 255)
    ycc = F.pad(ycc, (0, -width % 16, 0, -height % 16), mode="replicate")
    luma = _quantised(ycc[:, 0] - 128, (torch.tensor(_LUMA) * factor).clamp(min=1)) + 128
    half = F.avg_pool2d(ycc[:, 1:], 2)
    chroma = [_quantised(half[:, c], (torch.tensor(_CHROMA) * factor).clamp(min=1)) for c in (0, 1)]
    full = F.interpolate(torch.stack(chroma, 1), scale_factor=2, mode="bilinear", align_corners=False)
    coded = torch.cat([luma[:, None], full], 1)[:, :, :height, :width]
    return (torch.einsum("oc,bchw->bohw", torch.linalg.inv(_TO_YCC), coded) / 255).clamp(0, 1)
