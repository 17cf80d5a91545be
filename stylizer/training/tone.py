"""The tone stage: small thumbnails, aged in tone on the fly; minutes, not hours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylizer.damage import Ranges, ageing, handling, printing
from stylizer.damage.draw import Draw
from stylizer.models.tone import ToneNet, apply_curves
from stylizer.training import photos

SIDE = 64


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


def pair(stock: Tensor, ranges: Ranges, *, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Seen thumbnail, its tone without local damage, and the clean one; (count, 3, 64, 64) in 0…1 each."""
    generator = torch.Generator().manual_seed(seed)
    draw = Draw(generator)
    chosen = stock[torch.randint(0, len(stock), (count,), generator=generator)].float() / 255
    chosen = torch.where(draw.chance(0.5, count, 1, 1, 1), chosen, chosen.flip(3))
    clean = printing.process(chosen, draw, ranges)
    touched = (~draw.chance(ranges.identity, count)).reshape(-1, 1, 1, 1)
    tone = ageing.Tone(count, draw, ranges)
    toned = torch.where(touched, tone(clean), clean)
    # What local damage, grain and scanning leave of themselves in an area-averaged thumbnail: patches, a little noise.
    seen = toned.clone()
    for stage, chance in ((ageing.stain, ranges.stain), (handling.hole, ranges.hole)):
        places = (touched[:, 0, 0, 0] & draw.chance(chance, count)).nonzero()[:, 0]
        if places.numel():
            seen[places] = stage(seen[places], draw, ranges)[0]
    spread = 0.02 * draw.uniform(0, 1, count) * (touched[:, 0, 0, 0] & draw.chance(0.5, count))
    seen = seen + draw.normal(count, 3, SIDE, SIDE) * spread.reshape(-1, 1, 1, 1)
    return seen.clamp(0, 1), toned, clean


def loss(network: ToneNet, seen: Tensor, toned: Tensor, clean: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Squared and absolute error of the corrected thumbnail, cross-entropy of the gate; and figures for the log."""
    curves, gate = network.judge(seen)
    corrected = apply_curves(toned, curves)
    changed = ((toned - clean).abs().mean((1, 2, 3)) > 2 / 255).float()
    error = ((corrected - clean) ** 2).mean((1, 2, 3))
    verdict = F.binary_cross_entropy(gate.clamp(1e-5, 1 - 1e-5), changed)
    # The root makes a picture that is nearly right worth perfecting: pictures without damage must come back as they are.
    total = (error + 1e-5).sqrt().mean() + 2 * error.mean() + 0.05 * verdict + 0.1 * _wiggle(curves)
    figures = {
        "tone_psnr": float(-10 * torch.log10(error.detach().clamp(min=1e-6)).mean()),
        "tone_psnr_before": float(
            -10 * torch.log10(((toned - clean) ** 2).mean((1, 2, 3)).clamp(min=1e-6)).mean()
        ),
        "tone_verdict": float(verdict.detach()),
    }
    return total, figures


def _wiggle(curves: Tensor) -> Tensor:
    """Curves must rise and bend gently: falling steps and second differences cost."""
    step = curves.diff(dim=2)
    return F.relu(-step).mean() + step.diff(dim=2).abs().mean()
