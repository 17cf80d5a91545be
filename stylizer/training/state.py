"""Everything that a run must remember, written atomically."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from stylizer.models.blocks import Residual

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


def text(config: dict[str, Any]) -> str:
    """A run's settings as they are written into its checkpoint."""
    return json.dumps(config)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint (tensors and plain values only: a pickle could run code)."""
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state


def weights(path: Path) -> dict[str, Tensor]:
    """The weights to begin with, fp32: the average of a checkpoint, or a released file of safetensors."""
    if path.suffix == ".safetensors":
        return {name: value.float() for name, value in load_file(str(path)).items()}
    average: dict[str, Tensor] = load(path)["average"]
    return average


@torch.no_grad()
def revive(network: nn.Module, x: Tensor, *, dead: float = 0.95) -> list[str]:
    """Begin anew the residual blocks whose ReLU lets next to nothing through; returns their names.

    A block that is zero for all but a few pixels adds nothing and gets no gradient: it would stay dead for ever. Its
    first convolution starts fresh and its second small, so that the network begins as what it was.
    """
    shares: dict[str, float] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def note(_: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
            shares[name] = float((inputs[0] == 0).float().mean())

        return note

    blocks = {name: part for name, part in network.named_modules() if isinstance(part, Residual)}
    hooks = [part.second.register_forward_hook(watch(name)) for name, part in blocks.items()]
    network(x)
    for hook in hooks:
        hook.remove()
    lost = [name for name, share in shares.items() if share > dead]
    for name in lost:
        fresh = Residual(blocks[name].first.out_channels)
        fresh.second.weight.mul_(0.1)
        blocks[name].load_state_dict(fresh.state_dict())
    return lost
