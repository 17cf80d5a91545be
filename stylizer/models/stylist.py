"""The stylist: a photograph redrawn in one style, tile by tile.

A residual U-Net at 1/2 and 1/4 of the resolution. What style is asked for is a short code that scales and shifts the
features of the blocks; normalisation is per pixel, so that a tile is exactly a part of the whole. A named style has
its own code; with an encoder, the code comes from the canonical thumbnail of a style picture, once a picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylizer.models.blocks import PixelNorm, Residual
from stylizer.models.colours import between, recoloured, spread_of
from stylizer.models.laid import Laid
from stylizer.models.receptive import reach


class Modulated(nn.Module):
    """x + conv(relu(conv(norm(x) · scale + shift))), scale and shift from a code; starts near the identity."""

    def __init__(self, channels: int, code: int) -> None:
        super().__init__()
        self.norm = PixelNorm(channels)
        self.style = nn.Linear(code, 2 * channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.zeros_(self.first.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.second.weight, std=0.3 * (9 * channels) ** -0.5)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.style.weight, std=0.1 * code**-0.5)
        nn.init.zeros_(self.style.bias)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        scale, shift = self.style(code)[:, :, None, None].chunk(2, 1)
        seen = torch.addcmul(shift, self.norm(x), 1 + scale)
        out: Tensor = self.second(F.relu(self.first(seen), inplace=True))
        out += x
        return out


class StyleEncoder(nn.Module):
    """A style picture (B, 3, h, w) in 0…1 of any size → its code (B, n): statistics of features at four scales."""

    def __init__(self, code: int, width: int) -> None:
        super().__init__()
        widths = [3, width, 2 * width, 4 * width, 6 * width]
        self.layers = nn.ModuleList(nn.Conv2d(before, after, 3, 2, 1) for before, after in pairwise(widths))
        self.head = nn.Sequential(nn.Linear(2 * sum(widths), 128), nn.ReLU(), nn.Linear(128, code))

    def forward(self, picture: Tensor) -> Tensor:
        out, found = 2 * picture.float() - 1, []
        for layer in (None, *self.layers):
            out = out if layer is None else F.relu(layer(out))
            # Not `std`: its slope at a plain picture is infinite.
            mean = out.mean((2, 3))
            found += [mean, ((out - mean[:, :, None, None]).square().mean((2, 3)) + 1e-5).sqrt()]
        code: Tensor = self.head(torch.cat(found, 1))
        return code


class Larger(nn.Module):
    """Twice the size, each pixel four times, then smoothed by (1 2 1)/4 along both axes.

    Pixels out of channels would let the network draw a pattern that knows nothing of the picture, and it does.
    """

    weight: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([0.25, 0.5, 0.25])
        weight = torch.outer(line, line)[None, None].repeat(channels, 1, 1, 1)
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        large = F.interpolate(x, scale_factor=2, mode="nearest")
        return F.conv2d(large, self.weight, padding=1, groups=self.weight.shape[0])


class Stylist(nn.Module):
    """(B, 3, H, W) in 0…1 → the same in the style of `code`. Sides of the input must be multiples of `stride`.

    widths: channels at 1/2 and 1/4 of the resolution; blocks: residual blocks at 1/4; code: numbers of a style's code;
    encoder: channels of the style encoder's first layer, 0 for a network with one style of its own; grey: the style
    knows no colour, and what is drawn in it has none; laid: arguments of `Laid`, which prepares what the style's
    colours and strokes are put on; without, that is the photograph as it is; matched: with an encoder, the change of
    colours is not learnt but worked out, from the photographs' usual colours to the style picture's.
    """

    stride = 4

    def __init__(
        self,
        *,
        widths: tuple[int, int] = (24, 64),
        blocks: int = 4,
        code: int = 32,
        encoder: int = 0,
        grey: bool = False,
        laid: Mapping[str, Any] | None = None,
        matched: bool = False,
    ) -> None:
        super().__init__()
        self.grey, self.matched = grey, matched
        self.laid = Laid(**laid) if laid else None
        half, quarter = widths
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, half, 3, padding=1))
        self.encode = Residual(half)
        self.down = nn.Conv2d(half, quarter, 2, 2)
        self.middle = nn.ModuleList(Modulated(quarter, code) for _ in range(blocks))
        self.up = nn.Sequential(nn.Conv2d(quarter, half, 1), Larger(half))
        self.decode = Modulated(half, code)
        last = nn.Conv2d(half, 3, 3, padding=1)
        nn.init.normal_(last.weight, std=0.1 * (9 * half) ** -0.5)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        # Strokes are drawn at half the resolution; what is finer is the photograph's own, recoloured.
        self.head = nn.Sequential(last, Larger(3))
        # A change of colours that needs no neighbours: charcoal has none, a plate has one, and neither has to be drawn.
        self.colour = nn.Linear(code, 12)
        nn.init.normal_(self.colour.weight, std=0.02)
        with torch.no_grad():
            self.colour.bias.copy_(torch.cat([torch.eye(3).flatten(), torch.zeros(3)]))
        same = torch.cat([torch.eye(3).flatten(), torch.zeros(3)])[None]
        self.code = nn.Parameter(
            torch.cat([same, torch.zeros(1, code)], 1) if matched else torch.zeros(1, code)
        )
        if matched:  # mean and covariance of photographs: set by training, kept with the weights
            self.register_buffer("usual", torch.cat([torch.full((3,), 0.45), 0.06 * torch.eye(3).flatten()]))
        self.encoder = StyleEncoder(code, encoder) if encoder else None
        self.halo = reach(self).halo

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """x (B, 3, H, W) in 0…1; code (B or 1, n), else the network's own. The result may leave 0…1 a little."""
        if x.shape[2] % self.stride or x.shape[3] % self.stride:
            raise ValueError(f"sides must be multiples of {self.stride}: got {tuple(x.shape[2:])}")
        dtype = self.get_parameter("stem.1.weight").dtype  # bf16 after `lowered`
        given = self.code if code is None else code
        numbers = given[:, :12] if self.matched else self.colour(given)
        style = (given[:, 12:] if self.matched else given).to(dtype)
        fine = self.encode(self.stem((x - 0.5).to(dtype)))  # (B, w0, H/2, W/2)
        deep = self.down(fine)  # (B, w1, H/4, W/4)
        for block in self.middle:
            deep = block(deep, style)
        up = self.up(deep)
        up += fine
        del fine, deep
        drawn = self.head(self.decode(up, style)).float()
        if self.laid is None:
            under = recoloured(x, numbers)
        else:  # paper is no lighter than white, nor ink darker than black, before a stroke is put on it
            under = recoloured(self.laid(x), numbers).clamp(0, 1)
        out: Tensor = under + drawn
        return torch.cat([out.mean(1, keepdim=True)] * 3, 1) if self.grey else out

    def code_of(self, picture: Tensor) -> Tensor:
        """The code (1, n) of a style picture's canonical thumbnail (1, 3, h, w) in 0…1."""
        if self.encoder is None:
            raise ValueError("This network has one style of its own; only one with an encoder reads another.")
        code: Tensor = self.encoder(picture)
        return torch.cat([self.colours_for(picture), code], 1) if self.matched else code

    @torch.no_grad()
    def colours_for(self, picture: Tensor) -> Tensor:
        """The map (B, 12) from photographs' usual colours to those of style pictures (B, 3, h, w)."""
        usual = self.get_buffer("usual").double().cpu()
        mean, spread = usual[:3], usual[3:].reshape(3, 3)
        found = []
        for one in picture:
            goal_mean, goal = spread_of(one.flatten(1).cpu())
            matrix = between(spread, goal)
            found.append(torch.cat([matrix.flatten(), goal_mean - matrix @ mean]))
        return torch.stack(found).to(picture)
