"""The restorer: repairs detail tile by tile, then corrects tone by curves from one thumbnail.

detail: a residual U-Net of plain convolutions (receptive field finite, see `halo`), its residual multiplied by a gate
that can be exactly zero, so that pixels it is not sure about come back bit for bit;
tone: curves from a canonical thumbnail of the whole picture, applied pixel by pixel, after the detail.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylizer.models.blocks import Up, stage
from stylizer.models.receptive import reach
from stylizer.models.tone import ToneNet, apply_curves

BOLDEST = 0.05  # the gate's floor at full boldness: what the judge all but rules out stays untouched


class RestorerOutput(NamedTuple):
    """residual (B, 3, H, W), already gated; damage (B, 1, H, W) and gate (B, 1, H, W) in 0…1; gate before its cut."""

    residual: Tensor
    damage: Tensor
    gate: Tensor


class Restorer(nn.Module):
    """A U-Net at 1/2, 1/4 and 1/8 of the resolution. Sides of the input must be multiples of `stride`."""

    stride = 8

    def __init__(
        self,
        *,
        widths: tuple[int, int, int] = (32, 96, 192),
        encoder: tuple[int, int] = (1, 1),
        middle: int = 4,
        decoder: tuple[int, int] = (2, 1),
        tone_width: int = 16,
        gate_floor: float = 0.05,
        tone_floor: float = 0.05,
        tone_restraint: float = 0.0,
        tone_deepen: float = 0.0,
        slope: float = 0.0,
    ) -> None:
        super().__init__()
        fine, half, deep = widths
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, fine, 3, padding=1))
        self.encode_fine = stage(fine, encoder[0], slope)
        self.down_fine = nn.Conv2d(fine, half, 2, 2)
        self.encode_half = stage(half, encoder[1], slope)
        self.down_half = nn.Conv2d(half, deep, 2, 2)
        self.middle = stage(deep, middle, slope)
        self.up_half = Up(deep, half)
        self.decode_half = stage(half, decoder[1], slope)
        self.up_fine = Up(half, fine)
        self.decode_fine = stage(fine, decoder[0], slope)
        last = nn.Conv2d(fine, 20, 3, padding=1)
        self.head = nn.Sequential(last, nn.PixelShuffle(2))
        self.tone_net = ToneNet(tone_width, tone_floor, tone_restraint, tone_deepen)
        self.gate_floor = gate_floor
        nn.init.normal_(last.weight, std=0.02 * (9 * fine) ** -0.5)
        # The gate starts open: a shut gate passes no gradient to the residual and learns nothing.
        last.bias = nn.Parameter(torch.tensor([0.0] * 12 + [2.0] * 4 + [-2.0] * 4))
        self._measure()

    def _measure(self) -> None:
        """How far the whole sees, and how far what enters each block of the middle, and what leaves it, has seen."""
        self._ahead = [0] * (len(self.middle) + 1)  # nothing is let go of without a halo
        whole = reach(self)
        self.halo = whole.halo
        parts = (
            reach(lambda x, count=count: self.middle[:count](self._halved(x)[-1]), coarse=True)  # type: ignore[misc]
            for count in range(len(self.middle) + 1)
        )
        self._ahead = [max(whole.before - part.before, whole.after - part.after) for part in parts]

    def forward(self, x: Tensor, halo: int = 0, boldness: float = 0.0) -> RestorerOutput:
        """x (B, 3, H, W) in 0…1, H and W multiples of `stride`; what comes back is smaller by `halo` on each side.

        boldness: 0…1, how far the gate's dead zone is opened: 0 leaves it as released, 1 all but does away with it.

        The halo is let go of on the way: at each block of the middle, all but what is still seen from inside. That
        saves a tenth of a large tile's arithmetic and a fifth of its memory, and changes nothing inside.
        """
        if x.shape[2] % self.stride or x.shape[3] % self.stride:
            raise ValueError(f"sides must be multiples of {self.stride}: got {tuple(x.shape[2:])}")
        fine, half, deep = self._halved(x)
        gone = 0
        for ahead, block in zip(self._ahead, [*self.middle, nn.Identity()], strict=True):
            spare = max(gone, (halo - ahead) // self.stride * self.stride)
            deep = block(inner(deep, (spare - gone) // 8))
            gone = spare
        up = self.up_half(deep)
        del deep
        up += inner(half, gone // 4)
        half = self.decode_half(up)
        # Added in place, and let go of as soon as possible: each of these is some 60 MB of a large tile.
        up = self.up_fine.conv(half)
        del half
        up = self.up_fine.shuffle(up)
        up += inner(fine, gone // 2)
        del fine
        residual, gate, damage = (
            self.head(self.decode_fine(up)).float().split((3, 1, 1), 1)
        )  # (B, 3 + 1 + 1, H, W) but for what is gone on each side
        del up
        gate = gate.sigmoid()
        residual = _only_grey_where_grey(inner(x, gone), residual * self._cut(gate, boldness))
        residual, damage, gate = (inner(part, halo - gone) for part in (residual, damage.sigmoid(), gate))
        return RestorerOutput(residual, damage, gate)

    def _halved(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at 1/2 (B, w0, H/2, W/2), 1/4 (B, w1, H/4, W/4) and 1/8 (B, w2, H/8, W/8) of the resolution."""
        unit = (x - 0.5).to(self.get_parameter("stem.1.weight").dtype)  # bf16 after `lowered`
        fine = self.encode_fine(self.stem(unit))
        half = self.encode_half(self.down_fine(fine))
        return fine, half, self.down_half(half)

    def _cut(self, gate: Tensor, boldness: float) -> Tensor:
        """The gate with a dead zone: exactly zero up to the floor, one at full confidence."""
        floor = self.gate_floor - boldness * max(0.0, self.gate_floor - BOLDEST)
        return ((gate - floor) / (0.95 - floor)).clamp(0, 1)

    def tone(self, thumbnail: Tensor) -> Tensor:
        """Curves (B, 3, knots) for a whole picture from its thumbnail (B, 3, h, w) in 0…1, area-averaged."""
        curves: Tensor = self.tone_net(thumbnail)
        return curves

    def apply_tone(self, x: Tensor, curves: Tensor) -> Tensor:
        """(B, 3, H, W) through the curves, pixel by pixel."""
        return apply_curves(x, curves)

    def restore_tile(self, x: Tensor, curves: Tensor) -> tuple[Tensor, Tensor]:
        """A tile (B, 3, H, W) in 0…1 and the curves of its picture → the restored tile and its damage (B, 1, H, W).

        Detail first, tone last, per pixel: what training and the engine both call. Pure, finite receptive field.
        """
        out = self(x)
        return apply_curves(x + out.residual, curves), out.damage


def inner(x: Tensor, margin: int) -> Tensor:
    """(…, H, W) without `margin` on each side, not copied."""
    return x[..., margin : x.shape[-2] - margin, margin : x.shape[-1] - margin] if margin else x


def _only_grey_where_grey(x: Tensor, residual: Tensor) -> Tensor:
    """Where a pixel and its neighbours within 8 px have no colour at all, the residual may have none either.

    A grey scan saved as RGB thus stays grey to the last bit, whatever the network thinks of it.
    """
    chroma = x.amax(1, keepdim=True) - x.amin(1, keepdim=True)
    share = (_largest_around(chroma, 8) * 32).clamp(max=1)
    grey = residual.mean(1, keepdim=True)
    return grey + share * (residual - grey)


def _largest_around(values: Tensor, reach: int) -> Tensor:
    """(B, 1, H, W) not below 0: the largest value within `reach` px of each pixel, along rows and columns.

    Windows doubled by shifting: as exact as max pooling with a kernel of 2 x reach + 1, at a twentieth of its cost.
    """
    span = 2 * reach + 1
    for axis, padding in ((2, (0, 0, reach, reach)), (3, (reach, reach, 0, 0))):
        values, width = F.pad(values, padding), 1
        while width < span:
            step = min(width, span - width)
            count = values.shape[axis] - step
            values = torch.maximum(values.narrow(axis, 0, count), values.narrow(axis, step, count))
            width += step
    return values
