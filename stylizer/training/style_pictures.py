"""The pictures a style is learnt from: contents and styles in memory, cut at random, and what a style's statistics are.

Styles are given as folders. Some of every folder's pictures are kept back (by the digest of their names), so that a
style is judged by pictures that nothing was learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylizer.errors import StylizerError
from stylizer.models.colours import between, spread_of, tone_of
from stylizer.training import likeness, photos

CUTS = 3  # squares of each style picture that its statistics are taken of


class DataMissing(StylizerError):
    """The folders to train on are not as they should be."""

    code = "training-data-missing"


@dataclass(frozen=True)
class Folder:
    """The pictures of one style: those learnt from and those kept back."""

    name: str
    paths: tuple[Path, ...]
    kept: tuple[Path, ...]


def two_folders(data: Path) -> tuple[list[Path], list[Path]]:
    """Photographs and style pictures of a user's folder: `data/photographs` and `data/style`.

    Raises:
        DataMissing: which folder is missing or empty, and what it should hold.
    """
    found = []
    for name, words in (
        ("photographs", "ordinary photographs, of any kind, a hundred or more"),
        ("style", "pictures in the style, ten or more"),
    ):
        folder = data / name
        if not folder.is_dir():
            raise DataMissing(
                f"{data}: there is no folder “{name}” in it. Put {words} into {folder}, and run this again."
            )
        try:
            found.append(photos.find([folder]))
        except FileNotFoundError as error:
            raise DataMissing(
                f"{folder}: no pictures in it (JPEG, PNG, TIFF or WebP). Put {words} into it."
            ) from error
    return found[0], found[1]


def folder(paths: Sequence[Path], *, kept: float, name: str = "") -> Folder:
    """Some of them kept back; none where there are so few that each is needed."""
    learnt, held = photos.kept_back(paths, kept) if len(paths) >= 8 else (list(paths), [])
    return Folder(name or paths[0].parent.name, tuple(learnt), tuple(held))


def load(paths: Sequence[Path], *, side: int) -> list[Tensor]:
    """Pictures as uint8 (3, H, W), reduced by area to a long side of at most `side`."""
    found = []
    for path in paths:
        picture = photos.read(path)
        longest = max(picture.shape[2:])
        if longest > side:
            size = [max(1, round(length * side / longest)) for length in picture.shape[2:]]
            picture = F.interpolate(picture, size=size, mode="area")
        found.append(picture[0].mul(255).round().byte())
    return found


def cut(picture: Tensor, side: int, rng: np.random.Generator) -> Tensor:
    """A random square of a uint8 picture as float (1, 3, side, side) in 0…1, mirrored at random."""
    square = photos.cut(picture[None].float() / 255, side, rng)
    return square.flip(3) if rng.random() < 0.5 else square


def statistics(
    pictures: Sequence[Tensor], eye: likeness.Eye, *, side: int, rng: np.random.Generator
) -> list[likeness.Grams]:
    """The Gram matrices (1, C, C) of each picture, over a few of its squares."""
    found = []
    with torch.no_grad():
        for picture in pictures:
            squares = torch.cat([cut(picture, side, rng) for _ in range(CUTS)])
            found.append([matrix.mean(0, keepdim=True) for matrix in likeness.grams(eye(squares).layers)])
    return found


def colours_of(pictures: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean (3,) and covariance (3, 3) of the colours of pictures, each counted alike."""
    samples = []
    for picture in pictures:
        flat = picture.flatten(1).double() / 255
        samples.append(flat[:, :: max(1, flat.shape[1] // 2000)][:, :2000])
    return spread_of(torch.cat(samples, 1))


def recolouring(
    contents: Sequence[Tensor], style: Sequence[Tensor], *, clamped: bool = False
) -> tuple[Tensor, Tensor]:
    """The matrix (3, 3) and offset (3,) that give contents the style's mean and covariance: see `colours.between`.

    clamped: for a style of one tone. What is lighter than its paper becomes paper and what is darker than its ink ink,
    so that more of both is asked for.
    """
    (mean, spread), (goal_mean, goal) = colours_of(contents), colours_of(style)
    matrix, tone = between(spread, goal), tone_of(goal)
    if clamped and tone is not None:
        return _clamped(contents, goal_mean, tone, matrix)
    return matrix.float(), (goal_mean - matrix @ mean).float()


def _clamped(contents: Sequence[Tensor], goal: Tensor, tone: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The matrix made steeper, twice at most, and the offset moved until mean and spread within 0…1 are the style's."""
    flat = torch.cat([(picture.flatten(1)[:, ::97].double() / 255) for picture in contents], 1)
    steeper, offset = 1.0, goal - matrix @ flat.mean(1)
    for _ in range(100):
        made = (steeper * matrix @ flat + offset[:, None]).clamp(0, 1)
        wanted = steeper * float((tone.norm() / made.std(1).norm().clamp(min=1e-3)).sqrt())
        steeper = min(max(wanted, 1.0), 2.0)
        offset = offset + 0.5 * (goal - made.mean(1))
    return (steeper * matrix).float(), offset.float()


def mean_of(statistics: Sequence[likeness.Grams]) -> likeness.Grams:
    """The statistics of a folder as one."""
    return [torch.stack(layer).mean(0) for layer in zip(*statistics, strict=True)]
