"""Adversarial losses, each as what the critic minimises and what the generator minimises.

real, fake: the critic's logits, high for real, of one shape; weight: broadcastable to them, how much each place counts
(inside the damage, mostly), or None. Every loss is a scalar tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Weight = Tensor | None


@dataclass(frozen=True)
class Game:
    """The rules of one adversarial game: `critic(real, fake, weight)` and `generator(real, fake, weight)`."""

    critic: Callable[[Tensor, Tensor, Weight], Tensor]
    generator: Callable[[Tensor, Tensor, Weight], Tensor]


def _mean(values: Tensor, weight: Weight) -> Tensor:
    if weight is None:
        return values.mean()
    if weight.shape[2:] != values.shape[2:]:
        weight = F.adaptive_avg_pool2d(weight, (values.shape[2], values.shape[3]))
    return (values * weight).sum() / weight.expand_as(values).sum().clamp(min=1e-6)


def _cross_entropy_critic(real: Tensor, fake: Tensor, weight: Weight) -> Tensor:
    return _mean(F.softplus(-real), weight) + _mean(F.softplus(fake), weight)


def _cross_entropy_generator(_real: Tensor, fake: Tensor, weight: Weight) -> Tensor:
    # Non-saturating: −log D(fake) has a slope where the critic is sure, log(1 − D(fake)) has none.
    return _mean(F.softplus(-fake), weight)


def _squares_critic(real: Tensor, fake: Tensor, weight: Weight) -> Tensor:
    return 0.5 * (_mean((real - 1).square(), weight) + _mean(fake.square(), weight))


def _squares_generator(_real: Tensor, fake: Tensor, weight: Weight) -> Tensor:
    return 0.5 * _mean((fake - 1).square(), weight)


def _hinge_critic(real: Tensor, fake: Tensor, weight: Weight) -> Tensor:
    return _mean(F.relu(1 - real), weight) + _mean(F.relu(1 + fake), weight)


def _hinge_generator(_real: Tensor, fake: Tensor, weight: Weight) -> Tensor:
    return -_mean(fake, weight)


def _relative_critic(real: Tensor, fake: Tensor, weight: Weight) -> Tensor:
    return _mean(F.softplus(fake - real), weight)


def _relative_generator(real: Tensor, fake: Tensor, weight: Weight) -> Tensor:
    return _mean(F.softplus(real - fake), weight)


GAMES: Mapping[str, Game] = {
    "cross-entropy": Game(_cross_entropy_critic, _cross_entropy_generator),
    "least-squares": Game(_squares_critic, _squares_generator),
    "hinge": Game(_hinge_critic, _hinge_generator),
    # A pair of one picture, real beside fake: restoration has the pairs that the relativistic game asks for.
    "relativistic": Game(_relative_critic, _relative_generator),
}


def r1(critic: nn.Module, real: Tensor) -> Tensor:
    """The squared slope of the critic at real pictures (Mescheder et al. 2018), half its mean: keeps it from spikes."""
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(real).mean((1, 2, 3)).sum(), real, create_graph=True)
    return 0.5 * slope.square().sum((1, 2, 3)).mean()
