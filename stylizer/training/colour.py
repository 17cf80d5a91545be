"""Learning which colours a grey picture may have had: photographs in colour, their grey thumbnails, and a critic.

The grey of an example is mixed of its channels in more than one way: old emulsions saw blue as light and red as dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylizer.models.chroma import chroma, luma, within_gamut
from stylizer.models.colourist import Colourist
from stylizer.training import report
from stylizer.training.course import Figures
from stylizer.training.lesson import Answer, Example, Parts, Supervised, SupervisedLesson
from stylizer.training.style_pictures import Folder, load

SHOWN = 6
SHAPES = ((1.0, 1.0), (0.75, 1.25), (1.25, 0.75), (1.0, 1.0))  # height and width by `crop`


@dataclass(frozen=True)
class Colour(Supervised):
    """vivid: how much more a pixel counts that has colour; honest: weight of the error that the network foretells;
    old: the share of examples whose grey is that of an old emulsion."""

    vivid: float = 4.0
    honest: float = 0.02
    old: float = 0.3
    toned: float = 0.5


class ColourLesson(SupervisedLesson):
    kind = "colourist"
    words = "Photographs kept back: grey, as the network colours them, as they are."
    panels: report.Panels = (
        ("Loss", "step", ("loss",)),
        ("Chroma", "step", ("chroma",)),
        ("Critic", "step", ("critic", "critic_right", "verdict")),
        ("Kept back: distance of colour (CIE 1976)", "validation", ("apart", "grey", "mean_colour")),
        ("Kept back: colour made, as a share of colour there was", "validation", ("colour",)),
    )

    def __init__(self, config: Colour, photographs: Folder, folder: Path | None = None) -> None:
        super().__init__(config, folder)
        self.settings = config
        self.pictures = load(photographs.paths, side=256)
        self.kept = load(photographs.kept, side=192)
        self.facts = {"Photographs": len(self.pictures), "Kept back": len(self.kept)}
        tints = [chroma(picture[None].float() / 255).mean((2, 3)) for picture in self.pictures[::4]]
        self.mean = torch.cat(tints).mean(0)[None, :, None, None]

    def example(self, rng: np.random.Generator) -> Example:
        config = self.settings
        tall, wide = SHAPES[int(rng.integers(0, len(SHAPES)))]
        size = [round(config.crop * side / 16) * 16 for side in (tall, wide)]
        targets, greys = [], []
        for place in rng.integers(0, len(self.pictures), config.batch):
            target = _framed(self.pictures[int(place)], size, rng)
            targets.append(target)
            greys.append(self._grey(target, rng))
        return Example(torch.cat(greys), torch.cat(targets))

    def _grey(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        """(1, 1, h, w): luma, or what an old emulsion made of the colours; its tone changed at random."""
        grey = luma(picture)
        if rng.random() < self.settings.old:
            red, green, blue = rng.dirichlet([1.0, 2.5, 2.5])
            grey = red * picture[:, :1] + green * picture[:, 1:2] + blue * picture[:, 2:]
        if rng.random() < self.settings.toned:
            low, high = rng.uniform(0, 0.15), rng.uniform(0.8, 1)
            grey = low + (high - low) * grey.clamp(min=1e-4) ** rng.uniform(0.75, 1.35)
        return grey

    def answer(self, network: nn.Module, example: Example) -> Answer:
        """Painted onto the right luma; `more` is the chroma before it was fitted in, and its expected error."""
        colour, error = network(example.given)
        return Answer(within_gamut(luma(example.target), colour), torch.cat([colour, error], 1))

    def parts(self, answer: Answer, example: Example) -> Parts:
        assert answer.more is not None  # noqa: S101  (the network's own)
        colour, error = answer.more.split((2, 1), 1)
        config, wanted = self.settings, chroma(example.target)
        apart = ((colour - wanted).square().sum(1, keepdim=True) + 1e-4).sqrt()
        weight = 1 + config.vivid * wanted.square().sum(1, keepdim=True).sqrt()
        foretold = apart.detach() / error + error.log()
        return {
            "chroma": (1.0, (weight * apart).mean() / weight.mean()),
            "honest": (config.honest, foretold.mean()),
        }

    def beside(self, example: Example) -> Tensor:
        return luma(example.target).expand(-1, 3, -1, -1)

    @torch.no_grad()
    def judge(self, network: nn.Module) -> Figures:
        """Mean distance of colour to the photographs kept back: as coloured, grey, and in the mean colour of all."""
        assert isinstance(network, Colourist)  # noqa: S101  (the average of our own)
        apart, grey, mean, had, made_of = [], [], [], [], []
        for stored in self.kept:
            picture = stored[None].float() / 255
            light = luma(picture)
            made = coloured(network, light)
            apart.append(distance(made, picture))
            grey.append(distance(light.expand(-1, 3, -1, -1), picture))
            mean.append(distance(within_gamut(light, self.mean.expand(-1, -1, *light.shape[2:])), picture))
            had.append(float(chroma(picture).square().sum(1).sqrt().mean()))
            made_of.append(float(chroma(made).square().sum(1).sqrt().mean()))
        told = {"apart": np.mean(apart), "grey": np.mean(grey), "mean_colour": np.mean(mean)}
        gain = 1 - told["apart"] / told["mean_colour"]
        return {name: float(value) for name, value in told.items()} | {
            "gain": float(gain), "colour": float(np.mean(made_of) / np.mean(had))
        }  # fmt: skip

    def samples(self, network: nn.Module) -> Sequence[Sequence[Tensor]]:
        assert isinstance(network, Colourist)  # noqa: S101  (the average of our own)
        rows = []
        for stored in (self.kept or self.pictures)[:SHOWN]:
            picture = F.interpolate(stored[None].float() / 255, size=(192, 192), mode="area")
            light = luma(picture)
            rows.append([light.expand(-1, 3, -1, -1)[0], coloured(network, light)[0], picture[0]])
        return rows


def coloured(network: Colourist, light: Tensor) -> Tensor:
    """A picture (1, 1, h, w) of a thumbnail's size, coloured as the engine would."""
    grey = light.expand(-1, 3, -1, -1)
    rows, columns = (torch.arange(side, dtype=torch.float64) for side in light.shape[2:])
    return network.colour_tile(grey, network.tints(grey), rows, columns)[0]


def distance(made: Tensor, wanted: Tensor) -> float:
    """Mean distance in CIELAB (CIE 1976)."""
    return float((lab(made) - lab(wanted)).square().sum(1).sqrt().mean())


def lab(picture: Tensor) -> Tensor:
    """sRGB (B, 3, H, W) in 0…1 → CIELAB, for the white of daylight (D65)."""
    linear = torch.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055).clamp(min=0) ** 2.4)
    to_xyz = torch.tensor(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ],
        dtype=picture.dtype,
    )
    white = torch.tensor([0.95047, 1.0, 1.08883], dtype=picture.dtype)
    xyz = torch.einsum("kc,bchw->bkhw", to_xyz / white[:, None], linear)
    root = torch.where(xyz > 216 / 24389, xyz.clamp(min=1e-6) ** (1 / 3), (24389 / 27 * xyz + 16) / 116)
    x, y, z = root.split(1, 1)
    return torch.cat([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def _framed(stored: Tensor, size: Sequence[int], rng: np.random.Generator) -> Tensor:
    """A large part of a picture (3, H, W), reduced or enlarged to `size`, mirrored at random: (1, 3, h, w) in 0…1."""
    height, width = stored.shape[1:]
    share = rng.uniform(0.65, 1.0)
    ratio = size[1] / size[0]
    tall = min(height, width / ratio) * share
    span = [max(1, round(tall)), max(1, round(tall * ratio))]
    top, left = (
        int(rng.integers(0, side - part + 1)) for side, part in zip((height, width), span, strict=True)
    )
    part = stored[None, :, top : top + span[0], left : left + span[1]].float() / 255
    mode = "area" if span[0] >= size[0] else "bilinear"
    made = F.interpolate(part, size=list(size), mode=mode)
    return made.flip(3) if rng.random() < 0.5 else made
