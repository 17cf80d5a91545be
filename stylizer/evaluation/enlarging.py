"""Judging size: photographs reduced to a half and enlarged by the engine, beside Lanczos' and a bicubic enlargement.

PSNR and SSIM are of luma, four pixels at the edges left out; the photographs are reduced by two kernels, an average of
four pixels and a bicubic one that does not alias, since nobody knows how a scan came to be as coarse as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stylizer.cards import Weights, packaged_by_digest
from stylizer.evaluation import answers, metrics
from stylizer.evaluation.metrics import Picture
from stylizer.evaluation.restoring import to_tensor
from stylizer.evaluation.styling import middle
from stylizer.models.chroma import luma
from stylizer.recipe import Recipe

Bytes = NDArray[np.uint8]
SHOWN = 8
EDGE = 4
KERNELS: Mapping[str, Image.Resampling] = {
    "box": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
}
PLAIN: Mapping[str, Image.Resampling] = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def judge(
    recipe: Recipe,
    sets: Mapping[str, Sequence[Picture]],
    folder: Path,
    *,
    faithful: Recipe | None = None,
    sheet: Path | None = None,
    weights: Callable[[str], Weights] = packaged_by_digest,
) -> dict[str, object]:
    """By set of pictures and kernel: means by method, dB above Lanczos with its interval, share of LPIPS below it.

    faithful: of a perceptual counterpart, what it is the counterpart of; judged beside it.
    """
    eyes = answers.Eyes.of(folder)
    judged = {one.steps[0].model: one for one in (faithful, recipe) if one is not None}
    own = recipe.steps[0].model
    methods = (*PLAIN, *judged)
    told: dict[str, object] = {}
    shown: list[list[Picture]] = []
    for name, pictures in sets.items():
        for kernel, resampling in KERNELS.items():
            targets = [_even(picture) for picture in pictures]
            small = [_resized(answers.bytes_of(one), 0.5, resampling) for one in targets]
            made = [answers.through(one, small, weights) for one in judged.values()]
            rows: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
            for target, less, *large in zip(targets, small, *made, strict=True):
                plain = [_unit(_resized(less, 2, way)) for way in PLAIN.values()]
                for method, one in zip(methods, (*plain, *large), strict=True):
                    rows[method].append(measured(one, target) | eyes.measure(middle(one), middle(target)))
                if kernel == "bicubic":
                    shown.append([middle(one) for one in (plain[1], *large, target)])
            others = [method for method in methods if method not in {own, "bicubic"}]
            told[f"{name}, {kernel}"] = {
                "pictures": len(pictures), "means": answers.means(rows),
                "db_above_lanczos": answers.apart(rows, own, "lanczos", "psnr"),
                "share_below": answers.compared(rows, own, others, ("lpips-alex", "lpips-vgg")),
            }  # fmt: skip
    if sheet is not None:
        answers.write_sheet(sheet, shown[:: max(1, len(shown) // SHOWN)][:SHOWN])
    return {"sets": told}


def measured(made: Picture, target: Picture) -> dict[str, float]:
    """PSNR in dB and SSIM of luma."""
    one, other = (_luma(picture)[EDGE:-EDGE, EDGE:-EDGE] for picture in (made, target))
    return {"psnr": metrics.psnr(one, other), "ssim": metrics.ssim(one, other)}


def _luma(picture: Picture) -> Picture:
    return np.asarray(luma(to_tensor(picture))[0, 0].numpy(), dtype=np.float32)


def _even(picture: Picture) -> Picture:
    return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]


def _resized(picture: Bytes, scale: float, way: Image.Resampling) -> Bytes:
    height, width = (round(side * scale) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), way), dtype=np.uint8)


def _unit(picture: Bytes) -> Picture:
    return np.asarray(picture / np.float32(255), dtype=np.float32)
