"""Between stored values and what a network sees: 0…1 in single precision, three bands, and back without loss."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylizer.imageio import Facts
from stylizer.imageio.picture import Pixels


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
