"""Judging colour: photographs made grey and coloured by the engine, beside grey itself and one mean colour for all.

Distance of colour is CIEDE2000, a mean over pixels; colourfulness is Hasler and Süsstrunk's (2003). The mean colour is
that of the photographs learnt from, put onto each picture's luma as the network's colours are: the least that a
colouriser has to beat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from stylizer.cards import Weights, packaged_by_digest
from stylizer.evaluation import answers
from stylizer.evaluation.metrics import Picture
from stylizer.evaluation.restoring import to_tensor
from stylizer.models.chroma import luma, within_gamut
from stylizer.recipe import Recipe

SHOWN = 8
METHODS = ("grey", "mean colour", "colourise")


def judge(
    recipe: Recipe,
    pictures: Sequence[Picture],
    folder: Path,
    mean: Sequence[float],
    *,
    sheet: Path | None = None,
    weights: Callable[[str], Weights] = packaged_by_digest,
) -> dict[str, object]:
    """Means of all figures by method, and how far the engine's colours lie below the others' distances.

    mean: the mean chroma of what was learnt from.
    """
    greys = [answers.bytes_of(_grey(picture)[..., 0]) for picture in pictures]
    made = answers.through(recipe, greys, weights)
    eyes = answers.Eyes.of(folder)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    shown = []
    for picture, grey, coloured in zip(pictures, greys, made, strict=True):
        flat = np.repeat(grey[..., None] / np.float32(255), 3, 2).astype(np.float32)
        toned = _mean_coloured(flat, mean)
        for name, one in zip(METHODS, (flat, toned, coloured), strict=True):
            rows[name].append(
                {"ciede2000": difference(one, picture), "colourfulness": colourfulness(one)}
                | eyes.measure(one, picture)
            )
        shown.append([flat, toned, coloured, picture])
    if sheet is not None:
        answers.write_sheet(sheet, shown[:: max(1, len(shown) // SHOWN)][:SHOWN])
    told = answers.means(rows)
    told["photographs"] = {"colourfulness": round(float(np.mean([colourfulness(p) for p in pictures])), 4)}
    return {
        "pictures": len(pictures), "means": told,
        "share_below": answers.compared(
            rows, "colourise", METHODS[:2], ("ciede2000", "lpips-alex", "lpips-vgg")
        ),
    }  # fmt: skip


def difference(one: Picture, other: Picture) -> float:
    """CIEDE2000, a mean over pixels."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    return float(deltaE_ciede2000(rgb2lab(one), rgb2lab(other)).mean())


def colourfulness(picture: Picture) -> float:
    """Hasler and Süsstrunk's measure, of values in 0…255."""
    red, green, blue = (picture[..., band].astype(np.float64) * 255 for band in range(3))
    across, along = red - green, (red + green) / 2 - blue
    spread, mean = np.hypot(across.std(), along.std()), np.hypot(across.mean(), along.mean())
    return float(spread + 0.3 * mean)


def _grey(picture: Picture) -> Picture:
    return np.asarray(luma(to_tensor(picture))[0].permute(1, 2, 0).numpy(), dtype=np.float32)


def _mean_coloured(grey: Picture, mean: Sequence[float]) -> Picture:
    light = luma(to_tensor(grey))
    chroma = torch.tensor(list(mean), dtype=torch.float32)[None, :, None, None].expand(
        -1, -1, *light.shape[2:]
    )
    return np.asarray(within_gamut(light, chroma)[0].permute(1, 2, 0).numpy(), dtype=np.float32)
