"""Age a batch of clean pictures: print, ageing, handling, scanning, each stage on the pictures that chance picks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stylizer.damage import ageing, handling, printing, scanning
from stylizer.damage.draw import Draw
from stylizer.damage.ranges import DEFAULT, Ranges


@dataclass(frozen=True)
class Aged:
    """A batch of aged pictures, all (B, C, H, W) in 0…1.

    damaged: what a scanner would see; clean: the original as printed (perhaps grey or toned); toned: the original
    carried into the aged tone, with no other damage (what repairing detail alone should give); mask: (B, 1, H, W) local
    damage as a person would paint it; applied: the names of the stages that touched each picture.
    """

    damaged: Tensor
    toned: Tensor
    clean: Tensor
    mask: Tensor
    applied: tuple[tuple[str, ...], ...]


Plain = Callable[[Tensor, Draw, Ranges], Tensor]
Marking = Callable[[Tensor, Draw, Ranges], tuple[Tensor, Tensor]]

_PRINT: dict[str, Plain] = {"grain": printing.grain, "halftone": printing.halftone}
_LOCAL: dict[str, Marking] = {
    "stain": ageing.stain,
    "foxing": ageing.foxing,
    "silvering": ageing.silvering,
    "crease": handling.crease,
    "hole": handling.hole,
    "tear": handling.tear,
    "corner": handling.corner,
    "scratches": handling.scratches,
    "dust": handling.dust,
    "smear": handling.smear,
}
_SCAN: dict[str, Plain] = {
    "blur": scanning.soften,
    "defocus": scanning.defocus,
    "motion": scanning.shake,
    "resample": scanning.resample,
    "noise": scanning.noise,
    "jpeg": scanning.jpeg,
}

STAGES = (*_PRINT, "tone", "uneven", *_LOCAL, *_SCAN)


def stages(ranges: Ranges) -> tuple[str, ...]:
    """The kinds there are: without smears, the dice of older settings fall as they always fell."""
    return STAGES if ranges.smear else tuple(name for name in STAGES if name != "smear")


class _Log:
    """Which pictures each stage touches: never those of `identity`, seldom those of `few`, once those of `single`."""

    def __init__(self, free: Tensor, draw: Draw, ranges: Ranges) -> None:
        self.free, self.draw, self.ranges = free, draw, ranges
        self.names: list[list[str]] = [[] for _ in free]
        self.few = draw.chance(ranges.few, free.numel())
        # The dice of `single` are thrown only where there are any: older settings draw what they always drew.
        self.lone = (
            draw.chance(ranges.single, free.numel()) if ranges.single else torch.zeros_like(free)
        ) & ~self.few
        self.stages = stages(ranges)
        self.kind = torch.tensor(
            [draw.integer(0, len(self.stages) - 1) if lone else -1 for lone in self.lone]
        )

    def spared(self, name: str) -> Tensor:
        """(B,) bool: pictures that a stage leaves alone whatever its own chance says."""
        others = self.lone & (self.kind != self.stages.index(name))
        return ~self.free | others | (self.few & ~self.draw.chance(self.ranges.few_keep, self.free.numel()))

    def pick(self, name: str) -> Tensor:
        certain = self.lone & (self.kind == self.stages.index(name))
        chosen = self.draw.chance(getattr(self.ranges, name), self.free.numel()) | certain
        chosen &= ~self.spared(name)
        places = chosen.nonzero()[:, 0]
        for place in places.tolist():
            self.names[place].append(name)
        return places


def age(pictures: Tensor, generator: torch.Generator, *, ranges: Ranges = DEFAULT) -> Aged:
    """Age clean pictures (B, 3, H, W), float32 in 0…1. The same generator state gives the same result."""
    draw = Draw(generator)
    count = pictures.shape[0]
    clean = printing.process(pictures, draw, ranges)
    log = _Log(~draw.chance(ranges.identity, count), draw, ranges)
    tone = ageing.Tone(count, draw, ranges)
    held = ~log.spared("tone").reshape(-1, 1, 1, 1)
    out = _plain(clean.clone(), _PRINT, log)
    out = torch.where(held, tone(out.clamp(0, 1)), clean)
    toned = torch.where(held, tone(clean), clean)
    places = log.pick("uneven")
    if places.numel():
        out[places] = ageing.uneven(out[places], draw, ranges)
    mask = torch.zeros(count, 1, *pictures.shape[2:])
    for name, stage in _LOCAL.items():
        if name not in log.stages:
            continue
        places = log.pick(name)
        if places.numel():
            changed, cover = stage(out[places], draw, ranges)
            out[places] = changed.clamp(0, 1)
            mask[places] = torch.maximum(mask[places], cover.clamp(0, 1))
    out = _plain(out, _SCAN, log)
    return Aged(out.clamp(0, 1), toned.clamp(0, 1), clean, mask, tuple(tuple(names) for names in log.names))


def _plain(out: Tensor, stages: dict[str, Plain], log: _Log) -> Tensor:
    for name, stage in stages.items():
        places = log.pick(name)
        if places.numel():
            out[places] = stage(out[places], log.draw, log.ranges).clamp(0, 1)
    return out
