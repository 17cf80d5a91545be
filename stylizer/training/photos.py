"""The clean photographs that damage is laid on."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
_FORMATS = ["JPEG", "PNG", "WEBP", "TIFF"]

# Sharp colour and grey photographs among those that scikit-image ships: enough to see a run work from nothing.
SHIPPED = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")


def shipped() -> list[Path]:
    """The photographs of an installed scikit-image. Raises FileNotFoundError saying what else to do."""
    found = find_spec("skimage")
    folder = Path(found.origin).parent / "data" if found and found.origin else None
    paths = [folder / name for name in SHIPPED if (folder / name).is_file()] if folder else []
    if not paths:
        raise FileNotFoundError("no photographs to train on: name folders of clean ones with --data")
    return paths


def find(folders: Sequence[Path]) -> list[Path]:
    """Every picture directly in the folders, by name. Raises FileNotFoundError where there is none."""
    found = sorted(path for folder in folders for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        names = ", ".join(str(folder) for folder in folders)
        raise FileNotFoundError(
            f"no pictures to train on in {names}; expected files ending in {sorted(SUFFIXES)}"
        )
    return found


def kept_back(paths: Sequence[Path], share: float) -> tuple[list[Path], list[Path]]:
    """Photographs to train on, and those kept back for validation: by the digest of their names, whatever the order."""
    if share <= 0:
        return list(paths), []
    ranked = sorted(paths, key=lambda path: sha256(path.name.encode()).digest())
    count = max(1, round(share * len(ranked)))
    if count >= len(ranked):
        raise ValueError(f"{len(ranked)} photographs: too few to keep {count} of them back for validation")
    held = set(ranked[:count])
    return [path for path in paths if path not in held], ranked[:count]


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
