"""A network as a method to evaluate: the whole picture at once, mirrored all round, as tiles would give."""

from __future__ import annotations

from collections.abc import Callable

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


class NetworkMethods:
    """A network in fp32 as methods that share its passes: both stages, either alone, and detail at its boldest."""

    def __init__(self, network: Restorer) -> None:
        self.network = network
        self._seen: Picture | None = None
        self._residuals: dict[float, Tensor] = {}  # by boldness

    def methods(self) -> dict[str, Callable[[Picture], Picture]]:
        return {
            "restore": self.restore,
            "detail only": self.detail,
            "tone only": self.tone,
            "boldest": self.boldest,
        }

    def restore(self, picture: Picture) -> Picture:
        """A float32 picture (H, W, 3) in 0…1, restored and rounded to 8 bits."""
        return self._finish(picture, detail=True, tone=True)

    def detail(self, picture: Picture) -> Picture:
        return self._finish(picture, detail=True, tone=False)

    def tone(self, picture: Picture) -> Picture:
        return self._finish(picture, detail=False, tone=True)

    def boldest(self, picture: Picture) -> Picture:
        return self._finish(picture, detail=True, tone=False, boldness=1.0)

    @torch.inference_mode()
    def residual(self, picture: Picture, boldness: float = 0.0) -> Tensor:
        """(1, 3, H, W); kept for the next question about the same picture."""
        if self._seen is not picture:
            self._seen, self._residuals = picture, {}
        if boldness not in self._residuals:
            halo, (height, width) = self.network.halo, picture.shape[:2]
            padded = mirrored(to_tensor(picture), halo=halo, stride=self.network.stride)
            whole = self.network(
                padded.contiguous(memory_format=torch.channels_last), boldness=boldness
            ).residual
            self._residuals[boldness] = whole[:, :, halo : halo + height, halo : halo + width]
        return self._residuals[boldness]

    @torch.inference_mode()
    def _finish(self, picture: Picture, *, detail: bool, tone: bool, boldness: float = 0.0) -> Picture:
        x = to_tensor(picture)
        out = x + self.residual(picture, boldness) if detail else x
        if tone:
            out = self.network.apply_tone(out, self.network.tone(thumbnail(x)))
        rounded = (out.clamp(0, 1) * 255).round() / 255
        return np.asarray(rounded[0].permute(1, 2, 0).numpy(), dtype=np.float32)
