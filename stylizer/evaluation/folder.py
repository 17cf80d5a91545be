"""Pairs in a folder: `input/NAME` beside `target/NAME`; a name like `KIND__REST` puts the pair under its kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stylizer.engine import Engine, Source
from stylizer.errors import ImageError
from stylizer.evaluation.metrics import Picture
from stylizer.evaluation.protocol import Pair
from stylizer.evaluation.restoring import to_tensor
from stylizer.imageio import open_picture
from stylizer.models.enlarger import FACTOR, enlarge
from stylizer.recipe import Recipe


def read(path: Path) -> Picture:
    """A whole picture as float32 (H, W, 3) in 0…1; grey becomes three equal bands, alpha is left out."""
    with open_picture(path) as picture:
        facts = picture.facts
        pixels = picture.read(0, facts.height)
    colours = pixels[..., :3] if facts.bands >= 3 else np.repeat(pixels[..., :1], 3, 2)
    return (colours / np.float32(np.iinfo(pixels.dtype).max)).astype(np.float32)


@dataclass(frozen=True)
class FilePair:
    """Where the two pictures of a pair lie."""

    kind: str
    input: Path
    target: Path

    def load(self) -> Pair:
        """Both pictures, the input plainly enlarged where its target is twice as large.

        Raises ImageError when their sizes differ in another way.
        """
        damaged, target = read(self.input), read(self.target)
        if target.shape[:2] == (FACTOR * damaged.shape[0], FACTOR * damaged.shape[1]):
            damaged = _enlarged(damaged)
        if damaged.shape != target.shape:
            raise ImageError(
                f"{self.input.name}: expected the size of its target, {target.shape[1]} × {target.shape[0]} px, "
                f"got {damaged.shape[1]} × {damaged.shape[0]} px"
            )
        return Pair(self.kind, self.input.stem, damaged, target)


def _enlarged(picture: Picture) -> Picture:
    large = enlarge(to_tensor(picture))[0].permute(1, 2, 0).clamp(0, 1)
    return np.asarray(large.numpy(), dtype=np.float32)


def find(folder: Path) -> list[FilePair]:
    """Every pair of a folder by name. Raises ImageError naming an input without a target, or a folder with none."""
    inputs = (
        sorted(path for path in (folder / "input").iterdir() if path.is_file())
        if (folder / "input").is_dir()
        else []
    )
    if not inputs:
        raise ImageError(f"{folder}: expected pairs as input/NAME and target/NAME, found no input")
    for path in inputs:
        if not (folder / "target" / path.name).is_file():
            raise ImageError(f"{folder}: input/{path.name} has no target/{path.name}")
    return [
        FilePair(
            path.stem.split("__", 1)[0] if "__" in path.stem else "all", path, folder / "target" / path.name
        )
        for path in inputs
    ]


def restored(pairs: list[FilePair], engine: Engine, recipe: Recipe) -> Iterator[tuple[FilePair, Picture]]:
    """Each pair with its input as the engine restores it: the shipped path, files in and files out."""
    with TemporaryDirectory() as scratch:
        for pair in pairs:
            result = engine.apply(Source(pair.input), recipe, out=Path(scratch))
            yield pair, read(result.output)
