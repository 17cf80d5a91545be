"""How far two sets of pictures are apart as sets: Fréchet and kernel distance over the features of a named network.

Neither is FID nor KID, which are defined by one Inception network; every figure carries the name of its own features.
A picture gives one sample for each cell of a GRID x GRID raster: 40 pictures would be too few for a covariance.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from stylizer.evaluation.metrics import Picture
from stylizer.evaluation.restoring import to_tensor
from stylizer.models.features import Features

GRID = 4
Samples = NDArray[np.float64]


@torch.inference_mode()
def samples(network: Features, pictures: Iterable[Picture], *, layer: int = -1) -> Samples:
    """(pictures x GRID², channels) of one layer, averaged over the cells of the raster."""
    rows = []
    for picture in pictures:
        cells = F.adaptive_avg_pool2d(network(to_tensor(picture))[layer], GRID)
        rows.append(cells[0].flatten(1).T.double().numpy())
    if not rows:
        raise ValueError("a distance of sets needs pictures on both sides: got none")
    return np.concatenate(rows)


def frechet(one: Samples, other: Samples) -> float:
    """Squared distance of the means plus the trace of S1 + S2 − 2 (S1 S2)^½, both taken for normal distributions."""
    first, second = _covariance(one), _covariance(other)
    root = _root(first)
    between = _root(root @ second @ root)
    apart = one.mean(0) - other.mean(0)
    return float(apart @ apart + np.trace(first) + np.trace(second) - 2 * np.trace(between))


def kernel(one: Samples, other: Samples) -> float:
    """Unbiased squared MMD with the kernel (x·y / channels + 1)³: around zero for sets of one kind."""
    channels = one.shape[1]

    def similar(a: Samples, b: Samples) -> NDArray[np.float64]:
        return np.asarray((a @ b.T / channels + 1) ** 3)

    within = []
    for part in (one, other):
        table, count = similar(part, part), len(part)
        within.append((table.sum() - np.trace(table)) / (count * (count - 1)))
    return float(within[0] + within[1] - 2 * similar(one, other).mean())


def _covariance(values: Samples) -> Samples:
    return np.asarray(np.cov(values, rowvar=False), dtype=np.float64)


def _root(matrix: Samples) -> Samples:
    """The square root of a symmetric matrix without negative eigenvalues; rounding's are set to zero."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.sqrt(values.clip(min=0))) @ vectors.T)
