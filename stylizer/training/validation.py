"""Judging a run while it runs: the averaged network on photographs kept back from training, always the same pairs.

The damage is the simulator's own (the held-out generators are for releases, not for choosing when to stop), one kind at
a time for half of the pictures, so that a kind that is being spoilt shows under its own name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from stylizer.damage import age
from stylizer.training import photos
from stylizer.training.config import Restore
from stylizer.training.objective import Batch, Figures

_GROUP = 8
EQUAL = 1e-7  # 70 dB: closer than 8 bits can tell


class Validation:
    """The pairs of a run's settings; `judge` gives the figures, `sample` a batch to show."""

    def __init__(self, paths: Sequence[Path], config: Restore) -> None:
        rng = np.random.default_rng((config.seed, 4))
        generator = torch.Generator().manual_seed(int(rng.integers(0, 2**62)))
        ranges = replace(config.damage, identity=0.1, few=0.0, single=0.5)
        self.batches: list[Batch] = []
        self.kinds: list[str] = []
        for start in range(0, config.watch.pictures, _GROUP):
            count = min(_GROUP, config.watch.pictures - start)
            chosen = [paths[i] for i in rng.integers(0, len(paths), count)]
            aged = age(
                torch.cat([photos.cut(photos.read(path), config.side, rng) for path in chosen]),
                generator,
                ranges=ranges,
            )
            target = {"toned": aged.toned, "clean": aged.clean}[config.target]
            self.batches.append(Batch(aged.damaged, target, aged.mask))
            self.kinds += [_kind(names) for names in aged.applied]

    def sample(self, count: int = 8) -> Batch:
        """The first few pairs."""
        first = self.batches[0]
        return Batch(*(part[:count] for part in first))

    @torch.no_grad()
    def judge(self, network: nn.Module, *, device: torch.device) -> Figures:
        """Mean gain in dB, the gain of each single kind, the PSNR of sound pictures, the share that got worse."""
        before, after = [], []
        for batch in self.batches:
            damaged, target = batch.damaged.to(device), batch.target.to(device)
            result = (damaged + network(damaged).residual).clamp(0, 1)
            before.append(_error(damaged, target))
            after.append(_error(result, target))
        return _figures(torch.cat(before), torch.cat(after), self.kinds)


def _kind(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else "mixed" if names else "sound"


def _error(one: Tensor, other: Tensor) -> Tensor:
    error: Tensor = (one.double() - other.double()).square().mean((1, 2, 3)).clamp(min=EQUAL).cpu()
    return error


def _figures(before: Tensor, after: Tensor, kinds: Sequence[str]) -> Figures:
    gain = 10 * (before / after).log10()
    touched = before > 1e-6
    figures = {
        "psnr_input": float(-10 * before[touched].log10().mean()) if touched.any() else 0.0,
        "psnr": float(-10 * after[touched].log10().mean()) if touched.any() else 0.0,
        "gain_db": float(gain[touched].mean()) if touched.any() else 0.0,
        "clean_db": float(-10 * after[~touched].log10().mean()) if (~touched).any() else 70.0,
        "worse_share": float((gain[touched] < -0.3).double().mean()) if touched.any() else 0.0,
    }
    places = defaultdict(list)
    for place, kind in enumerate(kinds):
        if touched[place]:
            places[kind].append(place)
    return figures | {f"gain_{kind}": float(gain[found].mean()) for kind, found in sorted(places.items())}
