"""Between stored values and what a network sees: 0…1 in single precision, three bands, and back without loss."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylizer.imageio import Facts
from stylizer.imageio.picture import Pixels

# Stored pixels, a change (H, W, 3) in 0…1 and what the pixels are → stored pixels.
Laid: TypeAlias = Callable[[Pixels, NDArray[np.float32], Facts], Pixels]


def unit(pixels: Pixels, facts: Facts) -> NDArray[np.float32]:
    """Stored values as 0…1 in single precision."""
    return pixels.astype(np.float32) / np.float32(np.iinfo(facts.dtype).max)


def colours(pixels: NDArray[Any], facts: Facts) -> NDArray[Any]:
    """Three bands without alpha: a grey picture thrice."""
    found = pixels[..., : facts.bands - facts.alpha]
    return np.repeat(found, 3, axis=2) if facts.colour == "grey" else found


def to_tensor(pixels: NDArray[Any], device: torch.device) -> Tensor:
    """(H, W, 3) → (1, 3, H, W), channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels, np.float32)).to(device).permute(2, 0, 1)[None]


def raised(pixels: Pixels, facts: Facts, made: Facts) -> Pixels:
    """Pixels of a picture in the form of what is made of it: where grey becomes colour, its band thrice."""
    if facts.colour == made.colour:
        return pixels
    grey, rest = pixels[..., :1], pixels[..., 1:]
    return np.concatenate([grey, grey, grey, rest], axis=2)


def changed(stored: Pixels, change: NDArray[np.float32], facts: Facts) -> Pixels:
    """Add a change (H, W, 3) of 0…1 to stored values, in their encoding; where it rounds to 0, bit for bit."""
    if facts.colour == "grey":
        change = change.mean(axis=2, keepdims=True)
    top = int(np.iinfo(facts.dtype).max)
    steps = np.rint(change * np.float32(top)).astype(np.int32)
    added: Pixels = np.clip(stored.astype(np.int32) + steps, 0, top).astype(facts.dtype)
    return added


def recoloured(stored: Pixels, change: NDArray[np.float32], facts: Facts) -> Pixels:
    """As `changed` for a change of chroma alone, with the luma of every pixel kept to the step.

    Red and blue are rounded, and green is what gives back the stored pixel's luma: 0.299 R + 0.587 G + 0.114 B (Rec.
    601) rounds to what it rounded to before. Green always exists: a step of it is less than a step of luma. Where
    nothing changes the pixel is what it was, bit for bit.
    """
    top = int(np.iinfo(facts.dtype).max)
    steps = np.rint(change * np.float32(top)).astype(np.int32)
    before = stored.astype(np.int32)
    light = (_thousandths(before) + 500) // 1000
    made = np.clip(before + steps, 0, top)
    red, blue = made[..., 0], made[..., 2]
    green = (1000 * light - 299 * red - 114 * blue + 293) // 587  # the nearest step
    made[..., 1] = np.clip(green, 0, top)
    untouched = ~(steps.any(axis=2, keepdims=True))
    kept: Pixels = np.where(untouched, before, made).astype(facts.dtype)
    return kept


def _thousandths(pixels: NDArray[np.int32]) -> NDArray[np.int32]:
    """A thousand times the luma of Rec. 601, in whole numbers."""
    luma: NDArray[np.int32] = 299 * pixels[..., 0] + 587 * pixels[..., 1] + 114 * pixels[..., 2]
    return luma
