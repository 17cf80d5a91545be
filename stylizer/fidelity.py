"""How a derivative differs from its source, measured while both pass by in bands.

share of pixels changed by more than 2/255 in any band; PSNR over all bands; SSIM of luma (Wang et al. 2004) with a
uniform 8 × 8 window on non-overlapping blocks, which needs no overlap between bands and so no second reading.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VISIBLE = 2 / 255
BLOCK = 8
C1, C2 = 0.01**2, 0.03**2


@dataclass(frozen=True)
class Fidelity:
    """`psnr` in dB, infinite (None in JSON) for equal pictures; `ssim` −1…1; `changed_share` 0…1."""

    changed_share: float
    psnr: float
    ssim: float


class FidelityMeter:
    """Give it equal bands of both pictures from the top; heights of all but the last are multiples of 8."""

    def __init__(self) -> None:
        self._changed = self._pixels = self._values = 0
        self._squares = self._ssim = 0.0
        self._blocks = 0

    def add(self, source: NDArray[np.float32], derived: NDArray[np.float32]) -> NDArray[np.float32]:
        """(rows, width, bands) in 0…1 each; returns the largest difference of a pixel's bands, (rows, width)."""
        difference = np.abs(derived - source)
        # Band by band: numpy's reductions over an axis of three cost many times as much.
        largest: NDArray[np.float32] = difference[..., 0].copy()
        for band in range(1, difference.shape[2]):
            np.maximum(largest, difference[..., band], out=largest)
        self._changed += int(np.count_nonzero(largest > VISIBLE))
        self._pixels += largest.size
        self._values += difference.size
        np.square(difference, out=difference)
        self._squares += float(difference.sum())
        self._add_ssim(_luma(source), _luma(derived))
        return largest

    def result(self) -> Fidelity:
        mse = self._squares / max(self._values, 1)
        return Fidelity(
            changed_share=self._changed / max(self._pixels, 1),
            psnr=math.inf if mse == 0 else -10 * math.log10(mse),
            ssim=self._ssim / self._blocks if self._blocks else 1.0,
        )

    def _add_ssim(self, a: NDArray[np.float32], b: NDArray[np.float32]) -> None:
        rows, columns = (side // BLOCK * BLOCK for side in a.shape)
        if not rows or not columns:
            return
        a, b = a[:rows, :columns], b[:rows, :columns]
        mean_a, mean_b = _block_means(a), _block_means(b)
        spread_a = _block_means(a * a) - mean_a * mean_a
        spread_b = _block_means(b * b) - mean_b * mean_b
        both = _block_means(a * b) - mean_a * mean_b
        value = ((2 * mean_a * mean_b + C1) * (2 * both + C2)) / (
            (mean_a**2 + mean_b**2 + C1) * (spread_a + spread_b + C2)
        )
        self._ssim += float(value.sum())
        self._blocks += value.size


def _luma(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The plain mean of the bands."""
    total: NDArray[np.float32] = picture[..., 0].copy()
    for band in range(1, picture.shape[2]):
        total += picture[..., band]
    total /= picture.shape[2]
    return total


def _block_means(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Means of 8 × 8 blocks; sides are multiples of 8."""
    rows, columns = values.shape
    tall = values.reshape(rows // BLOCK, BLOCK, columns).sum(1, dtype=np.float64)
    means: NDArray[np.float64] = tall.reshape(len(tall), columns // BLOCK, BLOCK).sum(2) / BLOCK**2
    return means
