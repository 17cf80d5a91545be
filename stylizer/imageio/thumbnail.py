"""The canonical thumbnail: what must see the whole picture sees this, and it is the same on every machine."""

import numpy as np
from numpy.typing import NDArray

from stylizer.imageio.picture import BAND, Picture


def cell(width: int, height: int, long_side: int) -> int:
    """How many pixels a side of the picture one of its thumbnail stands for."""
    return max(1, -(-max(width, height) // long_side))


def thumbnail(picture: Picture, long_side: int) -> NDArray[np.float64]:
    """Area averages (h, w, bands) in 0…1, the long side at most `long_side`; in bands, in double precision.

    Every pixel belongs to exactly one cell, so the sums are exact and their order does not matter.
    """
    facts = picture.facts
    scale = cell(facts.width, facts.height, long_side)
    height, width = -(-facts.height // scale), -(-facts.width // scale)
    sums = np.zeros((height, width, facts.bands), np.int64)
    columns = np.arange(0, facts.width, scale)
    for y, pixels in picture.bands(max(BAND // scale, 1) * scale):
        narrow = np.add.reduceat(pixels, columns, axis=1, dtype=np.int64)
        rows = np.arange(0, len(pixels), scale)
        sums[y // scale : y // scale + len(rows)] = np.add.reduceat(narrow, rows, axis=0)
    tall = np.minimum(scale, facts.height - np.arange(height) * scale)
    wide = np.minimum(scale, facts.width - np.arange(width) * scale)
    top = np.iinfo(facts.dtype).max
    averages: NDArray[np.float64] = sums / (tall[:, None] * wide[None, :])[..., None] / top
    return averages
