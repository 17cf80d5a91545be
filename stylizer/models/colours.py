"""A picture's colours as two numbers and a map between them: what recolouring needs no learning for."""

from __future__ import annotations

import torch
from torch import Tensor

ONE_TONE = 0.02  # a second direction of colour with less than this share of the first is none
LUMA = (0.299, 0.587, 0.114)


def recoloured(picture: Tensor, numbers: Tensor) -> Tensor:
    """Each pixel's colour through a matrix (3 × 3, row by row) and an offset: `numbers` (B or 1, 12)."""
    numbers = numbers[:, :, None, None]
    matrix, offset = numbers[:, :9], numbers[:, 9:]
    red, green, blue = picture.split(1, 1)
    out: Tensor = red * matrix[:, 0:9:3] + green * matrix[:, 1:9:3] + blue * matrix[:, 2:9:3] + offset
    return out


def spread_of(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (3,) and covariance (3, 3) of colours (3, n), in double precision."""
    flat = flat.double()
    mean = flat.mean(1)
    apart = flat - mean[:, None]
    return mean, apart @ apart.T / flat.shape[1]


def tone_of(spread: Tensor) -> Tensor | None:
    """The one direction (3,) along which colours lie, as long as their spread; None where there are more."""
    values, vectors = torch.linalg.eigh(spread)
    if values[-2] >= ONE_TONE * values[-1]:
        return None
    along: Tensor = vectors[:, -1] * vectors[:, -1].sum().sign() * values[-1].sqrt()
    return along


def between(spread: Tensor, goal: Tensor) -> Tensor:
    """The matrix (3, 3) that gives colours another covariance and moves them least.

    Monge and Kantorovich's map between two normal distributions (Pitié and Kokaram 2007): symmetric and positive, so
    that no colour is inverted. Where the goal is of one tone (drawings, plates), the light of a picture alone counts.
    """
    tone = tone_of(goal)
    if tone is not None:
        light = torch.tensor(LUMA, dtype=torch.float64)
        return torch.outer(tone, light) / (light @ spread @ light).sqrt()
    root = _root(spread, 1e-5)  # colours that photographs hardly have are not blown up
    inverse = torch.linalg.inv(root)
    found: Tensor = inverse @ _root(root @ goal @ root) @ inverse
    return found


def _root(matrix: Tensor, least: float = 1e-12) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors @ torch.diag(values.clamp(min=least).sqrt()) @ vectors.T
    return root
