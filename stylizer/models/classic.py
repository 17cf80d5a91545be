"""The classic generator: strided convolutions down, transposed convolutions up, batch normalisation, one tanh.

A baseline to train and to compare with, in the formulation of the first image-to-image GANs: what comes out is painted
anew, pixel by pixel, tone and detail at once. It answers like the restorer does (its whole change is the residual, it
claims no damage map and no curves), so that one loop trains both and one evaluation judges both.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylizer.models.restorer import RestorerOutput
from stylizer.models.tone import KNOTS

SLOPE = 0.2


class ClassicGenerator(nn.Module):
    """Encoder and decoder of four levels with skips. Sides of the input must be multiples of `stride`."""

    stride = 16

    def __init__(self, *, width: int = 32, levels: int = 4) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(levels)]
        self.stride = 2**levels
        self.down = nn.ModuleList()
        for level, out in enumerate(widths):
            inputs = 3 if level == 0 else widths[level - 1]
            norm = nn.Identity() if level == 0 else nn.BatchNorm2d(out)
            self.down.append(nn.Sequential(nn.Conv2d(inputs, out, 4, 2, 1), norm))
        self.up = nn.ModuleList()
        for level in reversed(range(levels)):
            inputs = widths[level] * (1 if level == levels - 1 else 2)
            out = 3 if level == 0 else widths[level - 1]
            norm = nn.Identity() if level == 0 else nn.BatchNorm2d(out)
            self.up.append(nn.Sequential(nn.ConvTranspose2d(inputs, out, 4, 2, 1), norm))
        # Each 4-tap layer at 1/s of the resolution reaches 2 s further, on the way down and on the way up.
        radius = 4 * sum(2**level for level in range(levels))
        self.halo = -(-radius // self.stride) * self.stride

    def forward(self, x: Tensor) -> RestorerOutput:
        """x (B, 3, H, W) in 0…1, H and W multiples of `stride`; the residual is what was painted minus x."""
        if x.shape[2] % self.stride or x.shape[3] % self.stride:
            raise ValueError(f"sides must be multiples of {self.stride}: got {tuple(x.shape[2:])}")
        levels = []
        out = 2 * x - 1
        for layer in self.down:
            out = F.leaky_relu(layer(out), SLOPE)
            levels.append(out)
        out = levels.pop()
        for layer in self.up:
            out = layer(out)
            if levels:
                out = torch.cat([F.relu(out), levels.pop()], 1)
        painted = (out.float().tanh() + 1) / 2
        plane = torch.zeros_like(x[:, :1])
        return RestorerOutput(painted - x, plane, torch.ones_like(plane))

    def tone(self, thumbnail: Tensor) -> Tensor:
        """Identity curves (B, 3, knots): this network corrects tone with its detail, or not at all."""
        return torch.linspace(0, 1, KNOTS, device=thumbnail.device).expand(thumbnail.shape[0], 3, KNOTS)

    def apply_tone(self, x: Tensor, _curves: Tensor) -> Tensor:
        return x

    def restore_tile(self, x: Tensor, _curves: Tensor) -> tuple[Tensor, Tensor]:
        """A tile (B, 3, H, W) in 0…1 → the painted tile and an empty damage map (B, 1, H, W)."""
        out = self(x)
        return x + out.residual, out.damage
