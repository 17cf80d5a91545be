"""DiffAugment: the critic sees real and made pictures through the same random changes, so that few photographs do not
end in a critic that knows them by heart. Differentiable: what the generator gets back passes through them.

Pictures (B, C, H, W) in 0…1 whose channels are groups of three colours; a seed gives the same changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

KINDS = ("colour", "translation", "cutout", "scale")


Both = tuple[Tensor, Tensor]


def augment(pictures: Tensor, mask: Tensor, kinds: Sequence[str], *, seed: int) -> Both:
    """Pictures and mask (B, 1, H, W) changed by each of `kinds` in turn; what moves a picture moves its mask.

    Raises KeyError for a kind that does not exist.
    """
    generator = torch.Generator().manual_seed(seed)
    for kind in kinds:
        pictures, mask = _CHANGES[kind](pictures, mask, generator)
    return pictures, mask


def _draw(like: Tensor, generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(shape, generator=generator).to(like.device)


def _colour(pictures: Tensor, mask: Tensor, generator: torch.Generator) -> Both:
    """Brightness, saturation and contrast, the same for every group of three channels."""
    shift, saturation, contrast = _draw(pictures, generator, 3, pictures.shape[0], 1, 1, 1)
    out = []
    for part in (pictures + 0.4 * (shift - 0.5)).split(3, 1):
        grey = part.mean(1, keepdim=True)
        vivid = grey + (part - grey) * 2 * saturation
        middle = vivid.mean((1, 2, 3), keepdim=True)
        out.append(middle + (vivid - middle) * (0.5 + contrast))
    return torch.cat(out, 1), mask


def _translation(pictures: Tensor, mask: Tensor, generator: torch.Generator) -> Both:
    """Moved by up to an eighth; what comes in from outside is mirrored."""
    height, width = pictures.shape[2:]
    reach_y, reach_x = max(1, height // 8), max(1, width // 8)
    padded = F.pad(torch.cat([pictures, mask], 1), (reach_x, reach_x, reach_y, reach_y), mode="reflect")
    moves = torch.rand(pictures.shape[0], 2, generator=generator)
    tops = (moves[:, 0] * (2 * reach_y + 1)).long().tolist()
    lefts = (moves[:, 1] * (2 * reach_x + 1)).long().tolist()
    cut = [p[:, t : t + height, x : x + width] for p, t, x in zip(padded, tops, lefts, strict=True)]
    moved = torch.stack(cut)
    return moved[:, :-1], moved[:, -1:]


def _cutout(pictures: Tensor, mask: Tensor, generator: torch.Generator) -> Both:
    """A square of half the side made grey in each picture; nothing in it counts."""
    count, _, height, width = pictures.shape
    centre = _draw(pictures, generator, count, 2, 1, 1)
    y = torch.arange(height, device=pictures.device).reshape(1, -1, 1)
    x = torch.arange(width, device=pictures.device).reshape(1, 1, -1)
    tall, broad = (y - centre[:, 0] * height).abs(), (x - centre[:, 1] * width).abs()
    inside = ((tall < height / 4) & (broad < width / 4))[:, None]
    return torch.where(inside, torch.full_like(pictures, 0.5), pictures), mask * ~inside


def _scale(pictures: Tensor, mask: Tensor, generator: torch.Generator) -> Both:
    """Enlarged by up to a third about the middle."""
    count = pictures.shape[0]
    zoom = 0.75 + 0.25 * _draw(pictures, generator, count)
    theta = torch.zeros(count, 2, 3, device=pictures.device)
    theta[:, 0, 0] = theta[:, 1, 1] = zoom
    both = torch.cat([pictures, mask], 1)
    grid = F.affine_grid(theta, list(both.shape), align_corners=False)
    seen = F.grid_sample(both, grid, padding_mode="reflection", align_corners=False)
    return seen[:, :-1], seen[:, -1:]


_CHANGES = {"colour": _colour, "translation": _translation, "cutout": _cutout, "scale": _scale}
