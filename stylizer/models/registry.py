"""Architectures by the name on a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import nn

from stylizer.cards import Card
from stylizer.errors import UnknownModel
from stylizer.models.classic import ClassicGenerator
from stylizer.models.colourist import Colourist
from stylizer.models.enlarger import Enlarger
from stylizer.models.judged import JudgedRestorer
from stylizer.models.restorer import Restorer
from stylizer.models.stylist import Stylist
from stylizer.models.translator import Translator

ARCHITECTURES: Mapping[str, Callable[..., nn.Module]] = {
    "restorer": Restorer,
    "judged-restorer": JudgedRestorer,
    "classic": ClassicGenerator,
    "stylist": Stylist,
    "colourist": Colourist,
    "enlarger": Enlarger,
    "translator": Translator,
}

# Parts that see the whole picture, or say how all of it is coloured.
WHOLE = {"tone_net", "encoder", "colour", "brain"}

Network = TypeVar("Network", bound=nn.Module)


def create(architecture: str, /, **arguments: Any) -> nn.Module:
    """A network with fresh weights. Raises UnknownModel naming the known architectures."""
    if architecture not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise UnknownModel(
            f"Architecture {architecture!r}: expected one of {known}; a newer release may have it."
        )
    return ARCHITECTURES[architecture](**{key: _frozen(value) for key, value in arguments.items()})


def restorer(**arguments: Any) -> Restorer:
    """A restorer with fresh weights, its arguments as they stand on a card or in a training's settings."""
    return Restorer(**{key: _frozen(value) for key, value in arguments.items()})


def build(card: Card) -> nn.Module:
    """The network of a card, its weights not yet loaded; in evaluation mode."""
    return create(card.architecture, **card.arguments).eval()


def _frozen(value: Any) -> Any:
    # JSON and TOML have lists only; what a network is made of does not change after.
    return tuple(value) if isinstance(value, list) else value


def channels_last(network: Network) -> Network:
    """The same network with its weights in the order of memory that is fastest for its convolutions."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    return network


def lowered(network: nn.Module) -> nn.Module:
    """The same network in bf16, for the fast precision. What sees the whole picture stays in single precision.

    The pictures that go in and come out stay in single precision too: a network adds its residual to what it was given.
    """
    for name, part in network.named_children():
        if name not in WHOLE:
            part.to(torch.bfloat16)
    return network
