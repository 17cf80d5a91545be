"""The tone stage: small thumbnails and loose pixels; minutes, not hours.

Two kinds of lesson, half a batch each:
1. thumbnails aged in tone on the fly, endlessly different, judged on the thumbnail itself;
2. pictures aged in full beforehand (`Lessons`), judged on loose pixels of the picture as repair would leave it. What
   repair leaves is amplified by a steep curve, so curves must learn to be no steeper than pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylizer.damage import age, ageing, handling, printing
from stylizer.damage.draw import Draw
from stylizer.models.tone import ToneNet, apply_curves
from stylizer.training import photos
from stylizer.training.config import Restore

SIDE = 64
PIXELS = 32  # loose pixels are a square of this side, so that they have the shape of a picture
LEFT = 0.5  # share of the local damage that repair is taken to leave


@dataclass(frozen=True)
class Lessons:
    """uint8: thumbnails of damaged pictures (n, 3, 64, 64); pixels of damaged, toned and clean (n, 9, 32, 32)."""

    seen: Tensor
    pixels: Tensor


def varied(pictures: Tensor, draw: Draw, *, muted: float = 0.0) -> Tensor:
    """Photographs as other cameras, days and tastes would have them: exposure, contrast, haze, saturation, balance.

    Without it the network takes every muted photograph for a faded one. `muted` is the share that has no full black and
    no full white and is sound all the same: fog, an overcast day, a soft print.
    """
    count = pictures.shape[0]
    one = (count, 1, 1, 1)
    out = pictures.clamp(min=1e-4) ** draw.uniform(0.75, 1.35, *one)
    grey = out.mean(1, keepdim=True)
    out = grey + (out - grey) * draw.uniform(0.5, 1.3, *one)
    out = out * (1 + draw.uniform(-0.06, 0.06, count, 3, 1, 1))
    middle = out.mean((1, 2, 3), keepdim=True)
    out = middle + (out - middle) * draw.uniform(0.7, 1.15, *one)
    mixed = torch.where(draw.chance(0.75, *one), out, pictures)
    if muted:
        black, white = draw.uniform(0, 0.1, *one), draw.uniform(0.7, 1.0, *one)
        soft = black + mixed.clamp(0, 1) * (white - black)
        mixed = torch.where(draw.chance(muted, *one), soft, mixed)
    return mixed.clamp(0, 1)


def thumbnails(paths: Sequence[Path], *, seed: int, each: int = 4) -> Tensor:
    """Several random framings of each photograph as uint8 (n, 3, 64, 64)."""
    rng = np.random.default_rng((seed, 2))
    out = []
    for path in paths:
        picture = photos.read(path)
        for _ in range(each):
            span = [int(length * rng.uniform(0.6, 1.0)) for length in picture.shape[2:]]
            top, left = (
                int(rng.integers(0, n - s + 1)) for n, s in zip(picture.shape[2:], span, strict=True)
            )
            framed = picture[:, :, top : top + span[0], left : left + span[1]]
            out.append(F.adaptive_avg_pool2d(framed, SIDE).mul(255).round().byte())
    return torch.cat(out)


def make_lessons(paths: Sequence[Path], config: Restore, index: int, count: int) -> tuple[Tensor, Tensor]:
    """Part `index` of the lessons: aged in full at the size of the pairs, then reduced to what `Lessons` keeps."""
    torch.set_num_threads(1)
    rng = np.random.default_rng((config.seed, 3, index))
    generator = torch.Generator().manual_seed(int(rng.integers(0, 2**62)))
    seen, pixels = [], []
    for _ in range(0, count, 8):
        chosen = [paths[i] for i in rng.integers(0, len(paths), 8)]
        clean = torch.cat([photos.cut(photos.read(path), config.side, rng) for path in chosen])
        draw = Draw(generator)
        clean = varied(clean, draw, muted=config.tone_muted)
        # Tone and all other damage must be strangers, or dust alone would be taken for a sign of fading.
        kept = replace(config.damage, fade=0.0, yellow=0.0)
        aged = age(clean, generator, ranges=kept if draw.yes(config.tone_sound) else config.damage)
        seen.append(F.adaptive_avg_pool2d(aged.damaged, SIDE))
        stack = torch.cat([aged.damaged, aged.toned, aged.clean], 1).flatten(2)
        pixels.append(stack[:, :, torch.randperm(stack.shape[2], generator=generator)[: PIXELS**2]])
    loose = torch.cat(pixels).reshape(-1, 9, PIXELS, PIXELS)
    return torch.cat(seen).mul(255).round().byte(), loose.mul(255).round().byte()


def lessons(paths: Sequence[Path], config: Restore, *, workers: int, part: int = 200) -> Lessons:
    """All lessons of a run, made by worker processes where there are any."""
    parts = range(-(-config.tone_pictures // part))
    sizes = [min(part, config.tone_pictures - index * part) for index in parts]
    if workers:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
            many = len(sizes)
            made = list(executor.map(make_lessons, [list(paths)] * many, [config] * many, parts, sizes))
    else:
        made = [make_lessons(paths, config, index, size) for index, size in zip(parts, sizes, strict=True)]
    return Lessons(torch.cat([seen for seen, _ in made]), torch.cat([pixels for _, pixels in made]))


def pair(stock: Tensor, config: Restore, *, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Seen thumbnail, its tone without local damage, and the clean one; (count, 3, 64, 64) in 0…1 each."""
    ranges = config.damage
    generator = torch.Generator().manual_seed(seed)
    draw = Draw(generator)
    chosen = stock[torch.randint(0, len(stock), (count,), generator=generator)].float() / 255
    chosen = torch.where(draw.chance(0.5, count, 1, 1, 1), chosen, chosen.flip(3))
    clean = printing.process(varied(chosen, draw, muted=config.tone_muted), draw, ranges)
    # Most of what an archive scans is not faded; a network that rarely sees sound pictures takes them for faded ones.
    spared = ranges.identity + (1 - ranges.identity) * ranges.few * (1 - ranges.few_keep)
    sound = spared + (1 - spared) * config.tone_sound
    touched = (~draw.chance(sound, count)).reshape(-1, 1, 1, 1)
    worn = touched[:, 0, 0, 0] if not config.tone_sound else ~draw.chance(spared, count)
    tone = ageing.Tone(count, draw, ranges)
    toned = torch.where(touched, tone(clean), clean)
    # What local damage, grain and scanning leave of themselves in an area-averaged thumbnail: patches, a little noise.
    seen = toned.clone()
    for stage, chance in ((ageing.stain, ranges.stain), (handling.hole, ranges.hole)):
        places = (worn & draw.chance(chance, count)).nonzero()[:, 0]
        if places.numel():
            seen[places] = stage(seen[places], draw, ranges)[0]
    spread = 0.02 * draw.uniform(0, 1, count) * (worn & draw.chance(0.5, count))
    seen = seen + draw.normal(count, 3, SIDE, SIDE) * spread.reshape(-1, 1, 1, 1)
    return seen.clamp(0, 1), toned, clean


def lesson(stock: Lessons, *, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Seen thumbnails (count, 3, 64, 64); pixels as repaired, as toned and clean (count, 3, 32, 32)."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(0, len(stock.seen), (count,), generator=generator)
    seen = stock.seen[places].float() / 255
    seen = seen.flip(3) if seed % 2 else seen
    damaged, toned, clean = (stock.pixels[places].float() / 255).split(3, 1)
    return seen, toned + LEFT * (damaged - toned), toned, clean


def loss(
    network: ToneNet,
    seen: Tensor,
    repaired: Tensor,
    toned: Tensor,
    clean: Tensor,
    *,
    harm: float = 0.0,
    sure: float = 0.1,
    votes: bool = False,
) -> tuple[Tensor, dict[str, float]]:
    """Error of the corrected pixels, cross-entropy of the gate; and figures for the log.

    `harm` weighs what the curves have made worse than it was, picture by picture: taking a sound picture for a faded
    one costs more than leaving a faded one as it is. `sure` weighs the verdict whether tone is damaged at all, or with
    `votes` whether correcting it helps.
    """
    curves, gate = network.judge(seen)
    corrected = apply_curves(repaired, curves)
    changed = ((toned - clean).abs().mean((1, 2, 3)) > 2 / 255).float()
    error = ((corrected - clean) ** 2).mean((1, 2, 3))
    certain = gate.clamp(1e-5, 1 - 1e-5)
    verdict = F.binary_cross_entropy(certain, changed)
    if votes:
        gained = _gained(network, seen, repaired, clean)
        stake = gained.relu() * -certain.log() + (-gained).relu() * -(1 - certain).log()
        verdict = stake.mean()
    # The root makes a picture that is nearly right worth perfecting: one without damage must come back as it is.
    total = (error + 1e-5).sqrt().mean() + 2 * error.mean() + sure * verdict + 0.1 * _wiggle(curves)
    if harm:
        had = ((repaired - clean) ** 2).mean((1, 2, 3))
        total = total + harm * F.relu((error + 1e-5).sqrt() - (had + 1e-5).sqrt()).mean()
    with torch.no_grad():
        before = -10 * torch.log10(((repaired - clean) ** 2).mean((1, 2, 3)).clamp(min=1e-6))
        after = -10 * torch.log10(error.clamp(min=1e-6))
        aged, well = changed > 0.5, changed < 0.5
        figures = {
            "aged_before": float(before[aged].mean()), "aged_after": float(after[aged].mean()),
            "well_before": float(before[well].mean()), "well_after": float(after[well].mean()),
            "verdict": float(verdict),
        }  # fmt: skip
    return total, figures


@torch.no_grad()
def _gained(network: ToneNet, seen: Tensor, repaired: Tensor, clean: Tensor) -> Tensor:
    """(B,): what the curves would gain with the gate wide open, in units of 3 dB; negative where they would harm."""
    floor, network.floor = network.floor, -1e4  # so far below every verdict that all of them count as certain
    try:
        corrected = apply_curves(repaired, network(seen))
    finally:
        network.floor = floor
    before, after = (((x - clean) ** 2).mean((1, 2, 3)) + 1e-5 for x in (repaired, corrected))
    gained: Tensor = (10 / 3 * (before / after).log10()).clamp(-4, 4)
    return gained


class Stage:
    """The lessons of a run; `loss` is a function of the step alone."""

    def __init__(self, paths: Sequence[Path], config: Restore, *, workers: int) -> None:
        self.config = config
        self.stock = thumbnails(paths, seed=config.seed)
        self.whole = lessons(paths, config, workers=workers)

    def loss(self, network: ToneNet, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Half a batch of thumbnails, half a batch of pictures aged in full."""
        config, half = self.config, self.config.tone_batch // 2
        seed = (config.seed * 1_000_003 + step) % 2**62
        torch.manual_seed(seed)  # what dropout forgets is a function of the step too
        weights: dict[str, Any] = {
            "harm": config.tone_harm,
            "sure": config.tone_sure,
            "votes": config.tone_votes,
        }
        seen, toned, clean = (x.to(device) for x in pair(self.stock, config, count=half, seed=seed))
        quick, _ = loss(network, seen, toned, toned, clean, **weights)
        taught = (x.to(device) for x in lesson(self.whole, count=half, seed=seed))
        full, figures = loss(network, *taught, **weights)
        return quick + full, figures


def _wiggle(curves: Tensor) -> Tensor:
    """Curves must rise and bend gently: falling steps and second differences cost."""
    step = curves.diff(dim=2)
    return F.relu(-step).mean() + step.diff(dim=2).abs().mean()
