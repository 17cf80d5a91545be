"""A network as a method to evaluate: the whole picture at once, mirrored all round, as the engine's tiles would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from stylizer.models import Restorer

Picture = NDArray[np.float32]
THUMBNAIL = 256


def to_tensor(picture: Picture) -> Tensor:
    """(H, W, 3) → (1, 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()


def thumbnail(x: Tensor) -> Tensor:
    """The canonical thumbnail of (1, 3, H, W): area-averaged to a long side of at most 256 pixels."""
    height, width = x.shape[2:]
    scale = min(1.0, THUMBNAIL / max(height, width))
    return F.adaptive_avg_pool2d(x, (max(1, round(height * scale)), max(1, round(width * scale))))


def mirrored(x: Tensor, *, halo: int, stride: int) -> Tensor:
    """Pad (1, 3, H, W) by mirrored pixels: `halo` before, and after as much as reaches a multiple of the stride."""
    height, width = x.shape[2:]
    rows = _mirror(torch.arange(-halo, -(-height // stride) * stride + halo), height)
    columns = _mirror(torch.arange(-halo, -(-width // stride) * stride + halo), width)
    return x[:, :, rows][:, :, :, columns]


def _mirror(index: Tensor, length: int) -> Tensor:
    period = max(1, 2 * (length - 1))
    index = index.remainder(period)
    return torch.where(index < length, index, period - index)


@dataclass(frozen=True)
class NetworkMethod:
    """Restores pictures with a network in fp32, `part` choosing what of it: both, detail only or tone only."""

    network: Restorer
    part: str = "both"

    @torch.inference_mode()
    def __call__(self, picture: Picture) -> Picture:
        """A float32 picture (H, W, 3) in 0…1, restored and rounded to 8 bits."""
        height, width = picture.shape[:2]
        x = to_tensor(picture)
        out, halo = x, self.network.halo
        if self.part != "tone":
            padded = mirrored(x, halo=halo, stride=self.network.stride).contiguous(
                memory_format=torch.channels_last
            )
            residual = self.network(padded).residual
            out = out + residual[:, :, halo : halo + height, halo : halo + width]
        if self.part != "detail":
            out = self.network.apply_tone(out, self.network.tone(thumbnail(x)))
        rounded = (out.clamp(0, 1) * 255).round() / 255
        return np.asarray(rounded[0].permute(1, 2, 0).numpy(), dtype=np.float32)
