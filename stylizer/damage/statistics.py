"""What grain and paper are like, measured: on real old photographs, to set the simulator's ranges and to check them.

Figures of one picture (H, W, 3) in 0…1. They are rough on purpose: medians over many pictures are compared, simulated
beside real, not single ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor

from stylizer.damage.draw import blur


@dataclass(frozen=True)
class Look:
    """grain: standard deviation of fine structure in flat middle tones; fineness: how alike neighbouring pixels of it
    are, −1…1 (white noise 0, blurred grain towards 1); black, white: luma that 1 % and 99 % of the pixels stay below;
    warmth: red minus blue of the lightest tenth, the tint of the paper; colour: mean spread of the channels."""

    grain: float
    fineness: float
    black: float
    white: float
    warmth: float
    colour: float


def look(picture: Tensor) -> Look:
    """The figures of a picture (3, H, W) in 0…1. Sides of at least 16 px."""
    luma = picture.mean(0)
    fine = (luma - blur(luma[None, None], torch.tensor([1.5]))[0, 0])[2:-2, 2:-2]
    # Flat places only: where a coarser picture changes little, what is fine is grain and not subject.
    coarse = blur(luma[None, None], torch.tensor([3.0]))[0, 0]
    slope = (coarse[1:, 1:] - coarse[:-1, 1:]).abs() + (coarse[1:, 1:] - coarse[1:, :-1]).abs()
    inner = slope[1:-2, 1:-2]
    flat = inner <= inner.quantile(0.3)
    right, left = fine[:, 1:][flat[:, 1:]], fine[:, :-1][flat[:, 1:]]
    alike = float((right * left).mean() / fine[flat].var().clamp(min=1e-9))
    levels = luma.flatten().quantile(torch.tensor([0.01, 0.9, 0.99]))
    paper = picture[:, luma >= levels[1]].mean(1)
    return Look(
        grain=float(fine[flat].std()), fineness=alike, black=float(levels[0]), white=float(levels[2]),
        warmth=float(paper[0] - paper[2]), colour=float((picture.amax(0) - picture.amin(0)).mean()),
    )  # fmt: skip


def quartiles(pictures: Iterable[Tensor]) -> dict[str, tuple[float, float, float]]:
    """Lower quartile, median and upper quartile of each figure over the pictures."""
    looks = [asdict(look(picture)) for picture in pictures]
    if not looks:
        raise ValueError("statistics of pictures need pictures: got none")
    places = torch.tensor([0.25, 0.5, 0.75])
    found = {}
    for item in fields(Look):
        values = torch.tensor([one[item.name] for one in looks]).quantile(places)
        found[item.name] = (float(values[0]), float(values[1]), float(values[2]))
    return found
