"""How far two pictures are apart. Arrays (H, W, C), float in 0…1; colour SSIM is the mean over channels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]


def mse(result: Picture, target: Picture) -> float:
    """Mean squared error over all pixels and channels."""
    if result.shape != target.shape:
        raise ValueError(f"pictures to compare must have one shape: got {result.shape} and {target.shape}")
    return float(np.mean((result.astype(np.float64) - target.astype(np.float64)) ** 2))


def psnr(result: Picture, target: Picture) -> float:
    """Peak signal-to-noise ratio in dB; 100 stands for equal pictures, so that means stay finite."""
    error = mse(result, target)
    return 100.0 if error < 1e-10 else float(-10 * np.log10(error))


def ssim(result: Picture, target: Picture) -> float:
    """Structural similarity: Gaussian window of 11 pixels and sigma 1.5 (Wang et al. 2004), borders left out."""
    a, b = result.astype(np.float64), target.astype(np.float64)

    def mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), dtype=np.float64)

    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    index = (2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma * ma + mb * mb + 1e-4) * (va + vb + 9e-4))
    edge = 5 if min(index.shape[:2]) > 10 else 0
    return float(index[edge : index.shape[0] - edge, edge : index.shape[1] - edge].mean())
