"""Change maps and damage masks: small grey PNGs that keep every spot, however tiny, by taking the largest value."""

from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

LONGEST = 2048


class MapWriter:
    """Collects values (rows, width) in 0…1 from the top, max-pooled so that the long side is at most 2 048."""

    def __init__(self, width: int, height: int) -> None:
        self.scale = max(1, -(-max(width, height) // LONGEST))
        self.values = np.zeros((-(-height // self.scale), -(-width // self.scale)), np.uint8)

    def add(self, y: int, values: NDArray[np.float32], x: int = 0) -> None:
        """Values of the rows from y and the columns from x on."""
        levels = np.ceil(np.clip(values, 0, 1) * 255).astype(np.uint8)
        rows, levels = self._pool(levels, y, axis=0)
        columns, levels = self._pool(levels, x, axis=1)
        known = self.values[rows, columns]
        np.maximum(known, levels, out=known)

    def _pool(self, levels: NDArray[np.uint8], start: int, *, axis: int) -> tuple[slice, NDArray[np.uint8]]:
        """The cells that lines start, start + 1 … fall into, and the largest value in each."""
        cells = np.arange(start, start + levels.shape[axis]) // self.scale
        firsts = np.flatnonzero(np.diff(cells, prepend=-1))
        return slice(int(cells[0]), int(cells[-1]) + 1), np.maximum.reduceat(levels, firsts, axis=axis)

    def save(self, path: Path) -> None:
        path.write_bytes(imagecodecs.png_encode(self.values, level=3))
