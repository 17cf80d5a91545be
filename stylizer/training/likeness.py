"""What a stylised picture is asked for: the statistics of its style, the structure of its content.

Pictures (B, 3, H, W) float32 in 0…1. A style is known by the Gram matrices of a feature network's layers at one or two
scales; a `Look` says which. Every loss is a mean over the batch, a scalar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stylizer.models.features import Features

Grams = list[Tensor]  # (B or 1, C, C) a layer, all scales one after the other
EDGE_SHARP, EDGE_FLAT = 0.01**2, 0.03**2


@dataclass(frozen=True)
class Seen:
    """What a feature network sees: layers of the picture itself, and of the picture reduced to a half."""

    whole: list[Tensor]
    half: list[Tensor]

    @property
    def layers(self) -> list[Tensor]:
        return self.whole + self.half


class Eye:
    """A feature network with the layers that are looked at: the first `near` of the picture, `far` of its half."""

    def __init__(self, network: Features, *, near: int = 2, far: int = 3) -> None:
        self.network, self.near, self.far = network, near, far

    def __call__(self, picture: Tensor) -> Seen:
        return Seen(self._layers(picture, self.near), self._layers(F.avg_pool2d(picture, 2), self.far))

    def deepest(self, picture: Tensor) -> Tensor:
        """The last layer of the half alone: where content is compared."""
        return self._layers(F.avg_pool2d(picture, 2), self.far)[-1]

    def _layers(self, picture: Tensor, count: int) -> list[Tensor]:
        if not count:
            return []
        self.network.layers = count
        layers: list[Tensor] = self.network(picture.contiguous(memory_format=torch.channels_last))
        return layers


def gram(layer: Tensor) -> Tensor:
    """(B, C, H, W) → (B, C, C): which channels speak up together, a mean over places."""
    flat = layer.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def grams(layers: Sequence[Tensor]) -> Grams:
    return [gram(layer) for layer in layers]


def style_distance(found: Sequence[Tensor], wanted: Grams) -> Tensor:
    """Distance of Gram matrices, as a share of what is wanted, a mean over layers: no layer rules by its size.

    The distance itself, not its square: one picture far from its goal does not rule the others.
    """
    parts = []
    for layer, goal in zip(found, wanted, strict=True):
        apart = (gram(layer) - goal).square().sum((1, 2)) / goal.square().sum((1, 2))
        parts.append((apart + 1e-6).sqrt().mean())
    return torch.stack(parts).mean()


def structure(layer: Tensor) -> Tensor:
    """A layer with each channel's mean and spread over the picture taken out: what is where, not how bright."""
    mean = layer.mean((2, 3), keepdim=True)
    spread = ((layer - mean).square().mean((2, 3), keepdim=True) + 1e-4).sqrt()
    return (layer - mean) / spread


def content_distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared distance of structure."""
    return (structure(found) - structure(wanted)).square().mean()


def contrast(found: Tensor, wanted: Tensor, places: Tensor, *, temperature: float = 0.07) -> Tensor:
    """PatchNCE over a layer: each place must be more like itself in the content than like the content's other places.

    places: (n,) indices into the flattened layer.
    """
    one = F.normalize(structure(found).flatten(2)[:, :, places], dim=1)  # (B, C, n)
    other = F.normalize(structure(wanted).flatten(2)[:, :, places], dim=1)
    alike = one.transpose(1, 2) @ other / temperature  # (B, n, n)
    goal = torch.arange(len(places)).expand(alike.shape[0], -1)
    return F.cross_entropy(alike.flatten(0, 1), goal.flatten())


def luma(picture: Tensor) -> Tensor:
    """(B, 3, H, W) → (B, 1, H, W) by the weights of Rec. 601."""
    red, green, blue = picture.split(1, 1)
    grey: Tensor = 0.299 * red + 0.587 * green + 0.114 * blue
    return grey


def edges(picture: Tensor) -> Tensor:
    """Magnitude of the Sobel gradient of luma, (B, 1, H − 2, W − 2); a step from 0 to 1 gives 1."""
    grey = luma(picture)
    across = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])[None, None] / 4
    x, y = F.conv2d(grey, across), F.conv2d(grey, across.transpose(2, 3))
    magnitude: Tensor = (x.square() + y.square() + 1e-8).sqrt()
    return magnitude


def edge_likeness(found: Tensor, wanted: Tensor, *, window: int = 8) -> Tensor:
    """SSIM of edges over uniform windows, a mean over places and batch: 1 for the same drawing."""
    a, b = edges(found), edges(wanted)

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, window, window // 2)

    mean_a, mean_b = mean(a), mean(b)
    spread_a, spread_b = mean(a * a) - mean_a.square(), mean(b * b) - mean_b.square()
    both = mean(a * b) - mean_a * mean_b
    value = ((2 * mean_a * mean_b + EDGE_SHARP) * (2 * both + EDGE_FLAT)) / (
        (mean_a.square() + mean_b.square() + EDGE_SHARP) * (spread_a + spread_b + EDGE_FLAT)
    )
    likeness: Tensor = value.mean()
    return likeness


def light(found: Tensor, wanted: Tensor, *, cell: int = 8) -> Tensor:
    """1 − the correlation of luma in cells: what was light stays lighter than what was dark."""
    a, b = (F.avg_pool2d(luma(picture), cell).flatten(1) for picture in (found, wanted))
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    # Where the content is nearly flat there is no order to keep; the constant lets it go.
    return (1 - ((a * b).mean(1) + 1e-4) / ((a.square().mean(1) * b.square().mean(1)).sqrt() + 1e-4)).mean()


def roughness(picture: Tensor) -> Tensor:
    """Total variation: the mean absolute step to the next pixel."""
    return picture.diff(dim=2).abs().mean() + picture.diff(dim=3).abs().mean()
