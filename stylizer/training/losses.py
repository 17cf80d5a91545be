"""What training minimises. Pictures (B, 3, H, W) float32 in 0…1; every loss is a scalar tensor."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def charbonnier(result: Tensor, target: Tensor) -> Tensor:
    """A smooth absolute difference (eps 1e-3): detail counts, one wild pixel does not rule."""
    error: Tensor = ((result - target).square() + 1e-6).sqrt().mean()
    return error


def relative(result: Tensor, target: Tensor, damaged: Tensor, *, ease: float = 0.01) -> Tensor:
    """Charbonnier of each picture over that of its input (plus `ease`), then the mean: what is left of the damage.

    A plain mean is ruled by the worst pictures; by this one, harm to a sound picture costs more than a little left in a
    ruined one.
    """
    left = ((result - target).square() + 1e-6).sqrt().mean((1, 2, 3))
    had = ((damaged - target).square() + 1e-6).sqrt().mean((1, 2, 3))
    share: Tensor = (left / (had + ease)).mean()
    return share


def harm(result: Tensor, target: Tensor, damaged: Tensor, *, ease: float = 0.01) -> Tensor:
    """Where a pixel has become worse than it was, by how much, over each picture's own damage (plus `ease`).

    Good and bad changes of one picture must not cancel out: an archive forgives what was left, not what was spoilt.
    """
    before, after = (damaged - target).abs(), (result - target).abs()
    worse = F.relu(after - before).mean((1, 2, 3))
    share: Tensor = (worse / (before.mean((1, 2, 3)) + ease)).mean()
    return share


def frequency(result: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the spectra: what blur takes away is expensive here."""
    difference: Tensor = torch.fft.rfft2(result - target, norm="ortho").abs().mean()
    return difference


def mask_loss(predicted: Tensor, mask: Tensor, *, positive: float) -> Tensor:
    """Cross-entropy of the damage map; damage is rare, so missing it weighs `positive` times as much."""
    weight = 1 + (positive - 1) * mask
    return F.binary_cross_entropy(predicted.clamp(1e-5, 1 - 1e-5), mask, weight=weight)


def needs_change(damaged: Tensor, toned: Tensor) -> Tensor:
    """(B, 1, H, W): 1 where the picture differs from its target by more than about 1.5/255 around a pixel, else 0."""
    difference = (damaged - toned).abs().amax(1, keepdim=True)
    return (F.avg_pool2d(difference, 9, 1, 4, count_include_pad=False) > 1.5 / 255).float()


def around(mask: Tensor, *, outside: float) -> Tensor:
    """(B, 1, H, W): 1 in the true damage and within 4 px of it, `outside` elsewhere: where invention may pay."""
    return outside + (1 - outside) * F.max_pool2d(mask, 9, 1, 4)
