"""What the years do: fading and yellowing (tone), uneven fading, stains, foxing and silvering (local)."""

from __future__ import annotations

import torch
from torch import Tensor

from stylizer.damage.draw import Draw, blur, grid, per_picture, splat
from stylizer.damage.ranges import Ranges


class Tone:
    """The tone of an aged print as one curve per channel, so that the clean picture can be carried into it too.

    Parameters are drawn once, (B, …); a picture not chosen for a kind has the neutral value.
    """

    def __init__(self, count: int, draw: Draw, ranges: Ranges) -> None:
        one = torch.ones(count, 3)
        faded = draw.chance(ranges.fade, count)[:, None]
        # Three ways to fade: light scattered over the print (haze), dyes losing density, or both.
        way = draw.uniform(0, 1, count, 1)
        haze, bleach = faded & (way < 0.7), faded & (way > 0.35)
        contrast = draw.uniform(*ranges.fade_contrast, count, 1) * draw.uniform(
            *ranges.fade_per_dye, count, 3
        )
        self.contrast = torch.where(
            haze, contrast, torch.where(faded, draw.uniform(0.8, 1.0, count, 1) * one, one)
        )
        self.lift = torch.where(faded, draw.uniform(*ranges.fade_lift, count, 1) * one, 0 * one)
        self.gamma = torch.where(haze, draw.uniform(*ranges.fade_gamma, count, 1) * one, one)
        density = draw.uniform(*ranges.fade_density, count, 1) * draw.uniform(*ranges.fade_per_dye, count, 3)
        self.density = torch.where(bleach, density, one)
        yellowed = draw.chance(ranges.yellow, count)[:, None]
        dyes = torch.tensor([[0.08, 0.3, 1.0]]) * draw.uniform(0.7, 1.3, count, 3)
        self.yellow = torch.where(yellowed, draw.uniform(*ranges.yellow_amount, count, 1) * dyes, 0 * one)

    def __call__(self, picture: Tensor) -> Tensor:
        """Age the tone of (B, 3, H, W) in 0…1."""
        out = picture.clamp(1e-3, 1) ** per_picture(self.gamma * self.density)
        contrast, lift = per_picture(self.contrast), per_picture(self.lift)
        out = out * contrast + lift.minimum(1 - contrast)
        return out * torch.exp(-per_picture(self.yellow))


def uneven(picture: Tensor, draw: Draw, ranges: Ranges) -> Tensor:
    """Light reached one part more than another: a slow change of brightness."""
    count, _, height, width = picture.shape
    field = draw.field(count, height, width, scale=max(height, width) / 2)
    return picture * (1 + field.clamp(-2, 2) / 2 * per_picture(draw.uniform(*ranges.uneven_amount, count)))


def stain(picture: Tensor, draw: Draw, ranges: Ranges) -> tuple[Tensor, Tensor]:
    """Patches of a dried liquid, some with a tide line. Returns the picture and the cover (B, 1, H, W) in 0…1."""
    count, _, height, width = picture.shape
    field = draw.cloud(count, height, width, scale=draw.one(30, 110))
    level = per_picture(draw.uniform(0.4, 1.8, count))
    inside = ((field - level) * per_picture(draw.uniform(4, 40, count))).sigmoid()
    ring = torch.exp(-(((field - level) / per_picture(draw.uniform(0.03, 0.12, count))) ** 2))
    body = per_picture(draw.uniform(0.1, 1.0, count))
    shape = inside * body + ring * per_picture(draw.uniform(0, 1, count)) * (1 - body * 0.5)
    depth = per_picture(draw.uniform(*ranges.stain_depth, count))
    tint = per_picture(torch.tensor([[0.35, 0.65, 1.0]]) * draw.uniform(0.6, 1.2, count, 3))
    light = per_picture(torch.where(draw.chance(0.15, count), -0.4, 1.0))
    return picture * torch.exp(-shape * depth * tint * light), (shape * depth * 4).clamp(0, 1)


def silvering(picture: Tensor, draw: Draw, ranges: Ranges) -> tuple[Tensor, Tensor]:
    """Silver come to the surface: dark parts turn to a bluish mirror, from the borders inwards. Picture and cover."""
    count, _, height, width = picture.shape
    y, x = grid(height, width)
    border = torch.minimum(torch.minimum(x, width - 1 - x) / width, torch.minimum(y, height - 1 - y) / height)
    reach = per_picture(draw.uniform(0.03, 0.18, count))
    ragged = draw.cloud(count, height, width, scale=min(height, width) / 4) * 0.35
    near = ((1 - border / reach + ragged) * 3).sigmoid()
    dark = (1 - picture.mean(1, keepdim=True) * 1.6).clamp(0, 1)
    cover = near * dark * per_picture(draw.uniform(*ranges.silvering_depth, count))
    sheen = per_picture(torch.tensor([[0.62, 0.68, 0.76]]) * draw.uniform(0.85, 1.1, count, 1))
    return picture * (1 - cover) + sheen * cover, (cover * 3).clamp(0, 1)


def foxing(picture: Tensor, draw: Draw, ranges: Ranges) -> tuple[Tensor, Tensor]:
    """Rust-brown spots, single and in clusters. Returns the picture and the cover."""
    count, _, height, width = picture.shape
    cover = torch.zeros(count, 1, height, width)
    for index in range(count):
        for radius in (1.0, 2.2, 4.0):
            spots = draw.integer(1, ranges.foxing_spots[1] / 2 / radius)
            y, x = draw.uniform(0, height, spots), draw.uniform(0, width, spots)
            if draw.yes(0.5):
                y = draw.one(0, height) + draw.normal(spots) * 40
                x = draw.one(0, width) + draw.normal(spots) * 40
            plane = torch.zeros(height, width)
            splat(plane, y, x, draw.uniform(0.4, 1.0, spots) * radius**2 * 6)
            cover[index, 0] += blur(plane[None, None], torch.tensor([radius]))[0, 0]
    cover = cover.clamp(0, 1)
    tint = per_picture(torch.tensor([[0.3, 0.65, 1.0]]) * draw.uniform(0.7, 1.2, count, 3))
    depth = per_picture(draw.uniform(0.2, 1.2, count))
    return picture * torch.exp(-cover * depth * tint), (cover * depth * 2).clamp(0, 1)
