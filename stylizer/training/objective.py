"""What the generator is asked for at a step: every loss with its weight, and the figures for the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from stylizer.models import features
from stylizer.models.restorer import RestorerOutput
from stylizer.training import losses
from stylizer.training.config import Restore

Figures = dict[str, float]


class Batch(NamedTuple):
    """damaged, target (B, 3, c, c) and mask (B, 1, c, c), float32 in 0…1."""

    damaged: Tensor
    target: Tensor
    mask: Tensor


class Objective:
    """The sum of the losses that the settings ask for. `seeing` is the feature network of the perceptual loss."""

    def __init__(self, config: Restore, seeing: features.Features | None = None) -> None:
        self.config, self.seeing = config, seeing

    def __call__(
        self, out: RestorerOutput, batch: Batch, *, sound: Tensor | None = None
    ) -> tuple[Tensor, Callable[[], Figures]]:
        """A scalar, and a function that works out the figures (only asked for when a line is logged).

        sound: what the network made of the targets themselves, for the identity loss.
        """
        config, result = self.config, batch.damaged + out.residual
        parts = {
            "pixel": (1.0, losses.charbonnier(result, batch.target)),
            "left": (config.relative_weight, losses.relative(result, batch.target, batch.damaged)),
            "harm": (config.harm_weight, losses.harm(result, batch.target, batch.damaged)),
            "spectrum": (config.frequency_weight, losses.frequency(result, batch.target)),
        }
        if config.network != "classic":
            needed = losses.needs_change(batch.damaged, batch.target)
            marks = losses.mask_loss(out.damage, batch.mask, positive=config.mask_positive)
            parts["mask"] = (config.mask_weight, marks)
            parts["gate"] = (config.gate_weight, losses.mask_loss(out.gate, needed, positive=1.0))
        if sound is not None:
            parts["identity"] = (config.identity_weight, losses.charbonnier(sound, batch.target))
        if self.seeing is not None:
            weight = losses.around(batch.mask, outside=config.adversary.outside)
            seen = features.distance(self.seeing, result.clamp(0, 1), batch.target, weight)
            parts["perceptual"] = (config.perceptual_weight, seen)
        total = torch.stack([weight * value for weight, value in parts.values() if weight]).sum()

        def figures() -> Figures:
            return {name: float(value.detach()) for name, (_, value) in parts.items()} | gains(result, batch)

        return total, figures


@torch.no_grad()
def gains(result: Tensor, batch: Batch) -> Figures:
    """Mean gain in dB over pictures with damage, and the PSNR of those without."""
    after = ((result - batch.target) ** 2).mean((1, 2, 3)).clamp(min=1e-7)
    before = ((batch.damaged - batch.target) ** 2).mean((1, 2, 3)).clamp(min=1e-7)
    gain = 10 * (torch.log10(before) - torch.log10(after))
    touched = before > 1e-6
    return {
        "gain_db": float(gain[touched].mean()) if touched.any() else 0.0,
        "clean_db": float(-10 * torch.log10(after[~touched]).mean()) if (~touched).any() else 0.0,
    }


def health(network: nn.Module, x: Tensor) -> Figures:
    """Worst layer's largest activation and share of zero inputs: early signs of a dying network."""
    largest, dead = [0.0], [0.0]

    def watch(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        largest.append(float(output.detach().abs().max()))
        dead.append(float((inputs[0].detach() == 0).float().mean()))

    hooks = [m.register_forward_hook(watch) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        network(x)
    for hook in hooks:
        hook.remove()
    return {"largest_activation": max(largest), "most_zero_inputs": max(dead)}
