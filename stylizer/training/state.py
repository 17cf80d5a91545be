"""Everything that a run must remember, written atomically."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """An exponential moving average of the weights: what is evaluated and shipped."""

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        # Young averages follow quickly, or they would drag the random start along.
        decay = min(self.decay, (1 + step) / (10 + step))
        mine = [p.detach() for p in self.network.parameters()]
        theirs = [p.detach() for p in network.parameters()]
        torch._foreach_lerp_(mine, theirs, 1 - decay)


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint so that a crash leaves the old one or the new one, never half of one."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint (tensors and plain values only: a pickle could run code)."""
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state
