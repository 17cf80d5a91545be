"""The clean photographs that damage is laid on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
_FORMATS = ["JPEG", "PNG", "WEBP", "TIFF"]


def find(folders: Sequence[Path]) -> list[Path]:
    """Every picture directly in the folders, by name. Raises FileNotFoundError where there is none."""
    found = sorted(path for folder in folders for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        names = ", ".join(str(folder) for folder in folders)
        raise FileNotFoundError(
            f"no pictures to train on in {names}; expected files ending in {sorted(SUFFIXES)}"
        )
    return found


def read(path: Path) -> Tensor:
    """A photograph as float32 (1, 3, H, W) in 0…1."""
    with Image.open(path, formats=_FORMATS) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def cut(picture: Tensor, side: int, rng: np.random.Generator) -> Tensor:
    """A random square of the picture, sometimes a larger one reduced; (1, 3, side, side)."""
    shorter = min(picture.shape[2:])
    span = (
        int(rng.integers(side, shorter + 1)) if shorter > side and rng.random() < 0.35 else min(side, shorter)
    )
    top, left = (int(rng.integers(0, length - span + 1)) for length in picture.shape[2:])
    square = picture[:, :, top : top + span, left : left + span]
    return square if span == side else F.interpolate(square, size=(side, side), mode="area")
