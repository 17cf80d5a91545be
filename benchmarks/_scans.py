"""Scans of any size, made of a photograph that a package ships: `python -m benchmarks._scans PATH WIDTH HEIGHT`.

16-bit RGB TIFF in deflated strips, written as it is made, so that making one takes no memory either.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import skimage.data
import tifffile
from numpy.typing import NDArray

STRIP = 64  # rows
GRAIN = 600  # of 65 535: what a scanner adds


def photograph() -> NDArray[np.uint16]:
    """scikit-image's coffee cup and its mirror images: 800 × 1200 px that continue into themselves on all sides."""
    picture = skimage.data.coffee().astype(np.uint16) * 255
    wide = np.concatenate([picture, picture[:, ::-1]], axis=1)
    return np.concatenate([wide, wide[::-1]])


def strips(width: int, height: int) -> Iterator[NDArray[np.uint16]]:
    """Rows of the scan, STRIP at a time, from the top: the photograph over and over, with grain that never repeats."""
    random, picture = np.random.default_rng(7), photograph()
    columns = np.arange(width) % picture.shape[1]
    for y in range(0, height, STRIP):
        rows = picture[np.arange(y, min(y + STRIP, height)) % len(picture)][:, columns]
        yield rows + random.integers(0, GRAIN, rows.shape, dtype=np.uint16)


def write(path: Path, width: int, height: int) -> Path:
    """The scan as a file."""
    coded = (
        bytes(imagecodecs.deflate_encode(imagecodecs.delta_encode(rows, axis=-2), level=1))  # type: ignore[arg-type]
        for rows in strips(width, height)
    )
    tifffile.imwrite(
        path, coded, shape=(height, width, 3), dtype=np.uint16, photometric="rgb", rowsperstrip=STRIP,
        compression="zlib", predictor=True, bigtiff=True, resolution=(600, 600), resolutionunit="INCH",
    )  # fmt: skip
    return path


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
