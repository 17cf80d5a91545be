"""What things in photographs are, as a network that knows many things sees them: asked of a network that has seen few.

A few hundred photographs tell which colours go with which brightness, and little of what skin, leaves and skies look
like. So the deepest level of the network that learns is asked, beside its own task, for what a feature network sees at
the same places, in as many channels as matter most (principal components, each of variance one). Only training looks
there: what is learnt needs no feature network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from stylizer.models.features import Features, unit

CELL = 16  # pixels of the picture to one of the feature network's last layer (VGG16)
SIDE = 160  # the long side at which pictures are looked at
SAMPLES = 20_000  # places that the components are found from


class Frame(NamedTuple):
    """A part of a picture in pixels, and whether it is mirrored."""

    top: int
    left: int
    height: int
    width: int
    mirrored: bool


class Meaning:
    """Of each picture, (K, h, w) in half precision: what the last layer of `network` sees, in K components."""

    def __init__(self, pictures: Sequence[Tensor], network: Features, *, components: int) -> None:
        """pictures: uint8 (3, H, W). One pass over all of them: some seconds a hundred."""
        layers = [_seen(picture, network) for picture in pictures]
        places = torch.cat([layer.flatten(1) for layer in layers], 1).T
        sample = places[:: max(1, len(places) // SAMPLES)].double()
        middle = sample.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((sample - middle).T))
        most = vectors[:, -components:].flip(1) / values[-components:].flip(0).clamp(min=1e-12).sqrt()
        turned = (-(middle @ most), most.T)
        self.sizes = [picture.shape[1:] for picture in pictures]
        self.seen = [
            (torch.einsum("kc,chw->khw", turned[1].float(), layer) + turned[0].float()[:, None, None]).half()
            for layer in layers
        ]

    def of(self, place: int, frame: Frame, size: Sequence[int]) -> Tensor:
        """What is seen in a part of a picture, (1, K, h, w) for h, w of `size`."""
        height, width = self.sizes[place]
        rows, columns = (
            (start + (torch.arange(count) + 0.5) / count * length) / whole * 2 - 1
            for start, length, whole, count in (
                (frame.top, frame.height, height, size[0]),
                (frame.left, frame.width, width, size[1]),
            )
        )
        if frame.mirrored:
            columns = columns.flip(0)
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), 2)[None]
        return F.grid_sample(self.seen[place][None].float(), grid, padding_mode="border", align_corners=False)


@torch.no_grad()
def _seen(picture: Tensor, network: Features) -> Tensor:
    """(C, h, w): the last layer, each place's channels of length one."""
    shown = picture[None].float() / 255
    scale = SIDE / max(shown.shape[2:])
    size = [max(CELL, round(side * scale / CELL) * CELL) for side in shown.shape[2:]]
    shown = F.interpolate(shown, size=size, mode="bilinear", antialias=True, align_corners=False)
    return unit(network(shown.contiguous(memory_format=torch.channels_last))[-1])[0]
