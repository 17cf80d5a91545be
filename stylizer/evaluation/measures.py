"""What is measured of one restored picture: a name and a figure each; which of them need a reference is said there.

`standard()` needs nothing but the pair. With the weights of a feature network at hand (`stylizer.models.features`)
`perceptual()` adds LPIPS, exactly as its authors define it, named after its backbone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stylizer.evaluation import metrics
from stylizer.evaluation.protocol import Pair
from stylizer.evaluation.restoring import to_tensor
from stylizer.models import features

Measure = Callable[[metrics.Picture, Pair], float]
VISIBLE = 2 / 255
LOWER_IS_BETTER = frozenset({"mse", "outside", "lpips-alexnet", "lpips-vgg16"})


def standard() -> dict[str, Measure]:
    """MSE, PSNR in dB, SSIM, and the share of pixels changed outside the true damage."""
    return {
        "mse": lambda result, pair: metrics.mse(result, pair.target),
        "psnr": lambda result, pair: metrics.psnr(result, pair.target),
        "ssim": lambda result, pair: metrics.ssim(result, pair.target),
        "outside": changed_outside,
    }


def perceptual(folder: Path | None, backbone: str = "alexnet") -> dict[str, Measure]:
    """LPIPS v0.1. Raises FeaturesMissing where the weights are not found."""
    network = features.load(backbone, folder)

    def measure(result: metrics.Picture, pair: Pair) -> float:
        with torch.inference_mode():
            return float(features.lpips(network, to_tensor(result), to_tensor(pair.target)))

    return {f"lpips-{backbone}": measure}


def true_damage(pair: Pair) -> NDArray[np.bool_]:
    """(H, W): where the input differs from the original by more than 2/255, and 2 px around."""
    differs = np.abs(pair.input - pair.target).max(axis=2) > VISIBLE
    return np.asarray(cv2.dilate(differs.astype(np.uint8), np.ones((5, 5), np.uint8)), dtype=bool)


def changed_outside(result: metrics.Picture, pair: Pair) -> float:
    """Share 0…1 of the sound pixels that were changed by more than 2/255; NaN where no pixel is sound."""
    sound = ~true_damage(pair)
    if not sound.any():
        return float("nan")
    return float((np.abs(result - pair.input).max(axis=2) > VISIBLE)[sound].mean())


def of(result: metrics.Picture, pair: Pair, measures: Mapping[str, Measure]) -> dict[str, float]:
    return {name: measure(result, pair) for name, measure in measures.items()}
