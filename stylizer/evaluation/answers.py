"""What the judgements of colour and of size share: pictures through the engine, LPIPS, means and their intervals."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from stylizer.cards import Weights
from stylizer.engine import Engine, Source
from stylizer.evaluation.folder import read
from stylizer.evaluation.metrics import Picture
from stylizer.evaluation.restoring import to_tensor
from stylizer.evaluation.styling import below
from stylizer.models import features
from stylizer.recipe import Recipe

Rows = Mapping[str, Sequence[Mapping[str, float]]]  # a row of figures a picture, by method
DRAWS = 2000


@dataclass(frozen=True)
class Eyes:
    """LPIPS by both networks; a loss of training may have looked through one of them, so both are told."""

    networks: Mapping[str, features.Features]

    @classmethod
    def of(cls, folder: Path, names: Sequence[str] = ("alexnet", "vgg16")) -> Eyes:
        return cls({name: features.load(name, folder) for name in names})

    @torch.inference_mode()
    def measure(self, made: Picture, target: Picture) -> dict[str, float]:
        one, other = to_tensor(made), to_tensor(target)
        return {
            f"lpips-{name.removesuffix('16').removesuffix('net')}": float(
                features.lpips(network, one, other)[0]
            )
            for name, network in self.networks.items()
        }


def through(
    recipe: Recipe, pictures: Sequence[NDArray[np.uint8]], weights: Callable[[str], Weights]
) -> list[Picture]:
    """8-bit pictures, grey (H, W) or colour (H, W, 3), as the engine makes them: files in, files out."""
    engine, found = Engine(device="cpu", weights=weights), []
    with tempfile.TemporaryDirectory() as folder:
        for number, picture in enumerate(pictures):
            path = Path(folder) / f"{number}.png"
            Image.fromarray(picture).save(path)
            found.append(read(engine.apply(Source(path), recipe, out=Path(folder), name=f"m{number}").output))
    return found


def bytes_of(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray((picture * 255).round().clip(0, 255), dtype=np.uint8)


def means(rows: Rows) -> dict[str, dict[str, float]]:
    return {
        name: {figure: round(float(np.mean([row[figure] for row in found])), 4) for figure in found[0]}
        for name, found in rows.items()
    }


def compared(
    rows: Rows, method: str, others: Sequence[str], figures: Sequence[str]
) -> dict[str, list[float]]:
    """By what share the method's figures lie below another's, with the 95 % interval over pictures."""
    table = {
        name: {figure: np.array([row[figure] for row in found]) for figure in figures}
        for name, found in rows.items()
    }
    return {
        f"{figure} below {other}": [
            round(value, 4) for value in below(table[method][figure], table[other][figure])
        ]
        for figure in figures
        for other in others
    }


def apart(rows: Rows, method: str, other: str, figure: str, *, seed: int = 1) -> list[float]:
    """How much higher a figure is than another method's, with the 95 % interval over pictures (bootstrap)."""
    values = np.array([a[figure] - b[figure] for a, b in zip(rows[method], rows[other], strict=True)])
    draws = np.random.default_rng(seed).integers(0, len(values), (DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(1), (0.025, 0.975))
    return [round(float(value), 4) for value in (values.mean(), low, high)]


def write_sheet(path: Path, rows: Sequence[Sequence[Picture]]) -> None:
    """Pictures at 1:1, a row each; cut to the smallest of them."""
    tall = min(cell.shape[0] for row in rows for cell in row)
    wide = min(cell.shape[1] for row in rows for cell in row)
    strips = [np.concatenate([cell[:tall, :wide] for cell in row], 1) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(bytes_of(np.concatenate(strips))).save(path)
