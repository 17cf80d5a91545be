"""Critics for adversarial training: they see a picture beside the damaged one it was made from, and say “real” or not.

All take (B, C, H, W) in 0…1 and answer with logits, high for real: one a picture (`ClassicDiscriminator`), one a patch
(`PatchDiscriminator`) or one a pixel (`UNetDiscriminator`). None of them is ever shipped; they know no card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.2


def _conv(inputs: int, outputs: int, *, size: int = 3, stride: int = 1, norm: bool = True) -> nn.Module:
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=(size - 1) // 2, bias=not norm)
    return spectral_norm(layer) if norm else layer


class ClassicDiscriminator(nn.Module):
    """Strided convolutions, normalised by batch, down to one verdict a picture: the critic of the first image GANs."""

    def __init__(self, channels: int = 6, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        for depth in (1, 2, 4):
            layers += [
                nn.Conv2d(depth * width, 2 * depth * width, 4, 2, 1, bias=False),
                nn.BatchNorm2d(2 * depth * width),
                nn.LeakyReLU(SLOPE),
            ]
        self.features = nn.Sequential(*layers)
        self.verdict = nn.Linear(8 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, 1, 1)."""
        out: Tensor = self.verdict(self.features(2 * x - 1).mean((2, 3)))[:, :, None, None]
        return out


class PatchDiscriminator(nn.Module):
    """One verdict for each overlapping patch of 70 px (at three strided levels), spectrally normalised."""

    def __init__(self, channels: int = 6, width: int = 32, levels: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        now = width
        for level in range(1, levels + 1):
            after = width * min(2**level, 8)
            stride = 2 if level < levels else 1
            layers += [_conv(now, after, size=4, stride=stride), nn.LeakyReLU(SLOPE)]
            now = after
        self.body = nn.Sequential(*layers, nn.Conv2d(now, 1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, about H/8, about W/8)."""
        out: Tensor = self.body(2 * x - 1)
        return out


class UNetDiscriminator(nn.Module):
    """A verdict for every pixel that knows its surroundings: a U-Net, spectrally normalised, as in Real-ESRGAN."""

    def __init__(self, channels: int = 6, width: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, 1, 1)
        self.down = nn.ModuleList(
            _conv(width * 2**level, width * 2 ** (level + 1), size=4, stride=2) for level in range(3)
        )
        self.up = nn.ModuleList(
            _conv(width * 2 ** (level + 1), width * 2**level) for level in reversed(range(3))
        )
        self.last = nn.Sequential(_conv(width, width), nn.LeakyReLU(SLOPE), nn.Conv2d(width, 1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W); sides are multiples of 8."""
        levels = [F.leaky_relu(self.first(2 * x - 1), SLOPE)]
        for layer in self.down:
            levels.append(F.leaky_relu(layer(levels[-1]), SLOPE))
        out = levels.pop()
        for layer in self.up:
            larger = F.interpolate(out, scale_factor=2, mode="bilinear", align_corners=False)
            out = F.leaky_relu(layer(larger), SLOPE) + levels.pop()
        verdict: Tensor = self.last(out)
        return verdict


DISCRIMINATORS: Mapping[str, Callable[..., nn.Module]] = {
    "classic": ClassicDiscriminator,
    "patch": PatchDiscriminator,
    "unet": UNetDiscriminator,
}
