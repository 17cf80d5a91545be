"""The plain enlargement of stored pixels to twice the size, by Lanczos' kernel: what an enlarger adds its drawing to,
and what an enlarged derivative is compared with."""

import numpy as np
import torch
from numpy.typing import NDArray

from stylizer.imageio import Facts
from stylizer.imageio.picture import Pixels
from stylizer.imageio.rows import room
from stylizer.models.enlarger import FACTOR, LOBES, stretched
from stylizer.tiling import mirrored

ROWS = 32  # of the source, worked on at a time


def enlarged(pixels: Pixels, rows: NDArray[np.intp], columns: NDArray[np.intp], facts: Facts) -> Pixels:
    """Pixels twice as large, rounded to their own steps: (2 h, 2 w, bands).

    rows, columns: where in `pixels` each of the h rows and w columns lies, as `around` gives them: with as many more
    before the first and after the last as the kernel sees.
    """
    height, width = len(rows) - 2 * LOBES, len(columns) - 2 * LOBES
    top = np.iinfo(facts.dtype).max
    made = room((FACTOR * height, FACTOR * width, pixels.shape[2]), facts.dtype)
    for y in range(0, height, ROWS):
        # In double precision: whatever order a machine sums in, it rounds to the same step.
        part = pixels[rows[y : y + ROWS + 2 * LOBES]][:, columns].astype(np.float64)
        x = torch.from_numpy(part).permute(2, 0, 1)[None]
        large = stretched(stretched(x, 2), 3)[0].permute(1, 2, 0).numpy()
        made[FACTOR * y : FACTOR * y + len(large)] = np.rint(np.clip(large, 0, top))
    return made


def around(first: int, last: int, size: int) -> NDArray[np.intp]:
    """Indices of rows or columns first … last − 1, with as many more on each side as the kernel sees, mirrored."""
    return mirrored(first - LOBES, last + LOBES, size)
