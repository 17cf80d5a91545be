"""What lies beneath a style of one's own, chosen by measurement: the photograph as it is, or its colours in areas.

Prints and paintings have areas, drawings and photographs have none. Before anything is learnt, the statistics of both,
in the style's colours, are held against the style's: the nearer one is what drawing is learnt on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stylizer.models.colours import recoloured
from stylizer.models.features import Features
from stylizer.models.laid import Laid
from stylizer.training import likeness
from stylizer.training.style import Style
from stylizer.training.style_pictures import cut, load, mean_of, recolouring, statistics

CANDIDATES: tuple[Mapping[str, Any] | None, ...] = (None, {"radius": 3}, {"radius": 5})
PHOTOGRAPHS, PICTURES = 12, 16  # of each so many are looked at
GREY = 2.0  # a mean distance of channels, in 1/255, below which a style knows no colour


def chosen(config: Style, photographs: Sequence[Path], style: Sequence[Path], features: Features) -> Style:
    """The settings, their architecture completed by what lies beneath and by whether the style knows colour."""
    eye = likeness.Eye(features, near=config.near, far=config.far)
    contents = load(_spread(photographs, PHOTOGRAPHS), side=config.content_side)
    pictures = load(_spread(style, PICTURES), side=config.side)
    rng = np.random.default_rng((config.seed, 5))
    goal = mean_of(statistics(pictures, eye, side=config.crop, rng=rng))
    x = torch.cat([cut(picture, config.crop, rng) for picture in contents])
    apart = [_apart(one, x, contents, pictures, eye, goal) for one in CANDIDATES]
    nearest = CANDIDATES[int(np.argmin(apart))]
    found: dict[str, Any] = {"laid": dict(nearest)} if nearest else {}
    if all(_colour(picture) < GREY for picture in pictures):
        found["grey"] = True
    return replace(config, architecture={**config.architecture, **found})


@torch.no_grad()
def _apart(
    laid: Mapping[str, Any] | None,
    x: Tensor,
    contents: Sequence[Tensor],
    pictures: Sequence[Tensor],
    eye: likeness.Eye,
    goal: likeness.Grams,
) -> float:
    """Distance to the style's statistics of photographs in its colours, nothing being learnt."""
    matrix, offset = recolouring(contents, pictures, clamped=laid is not None)
    numbers = torch.cat([matrix.flatten(), offset])[None]
    beneath = recoloured(Laid(**laid)(x) if laid else x, numbers).clamp(0, 1)
    return float(likeness.style_distance(eye(beneath).layers, goal))


def _colour(picture: Tensor) -> float:
    """Mean distance of the largest from the smallest channel of a uint8 picture (3, H, W)."""
    return float((picture.amax(0).float() - picture.amin(0).float()).mean())


def _spread(paths: Sequence[Path], count: int) -> Sequence[Path]:
    return paths[:: max(1, len(paths) // count)][:count]
