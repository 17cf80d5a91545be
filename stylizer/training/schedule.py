"""The learning rate over a run."""

from __future__ import annotations

import math

import torch


def share(step: int, steps: int, seconds: float, max_seconds: float | None) -> float:
    """How much of a run is behind it, 0…1 and over: by steps, or by the clock where that is further."""
    behind = step / steps
    return behind if max_seconds is None else max(behind, seconds / max_seconds)


def shape(behind: float, step: int, warmup: int, floor: float) -> float:
    """Warm-up by step, then a cosine from 1 to `floor` as `behind` goes from 0 to 1."""
    cosine = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, behind)))
    return min(1.0, (step + 1) / max(1, warmup)) * cosine


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
