"""Learning to enlarge: photographs reduced to a half, and the way back.

Nobody knows how a scan came to be as coarse as it is, so examples are reduced by several kernels, from an average of
four pixels to Lanczos' and a little blur; some have a little noise, which must not be drawn larger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylizer.models import features
from stylizer.models.chroma import luma
from stylizer.models.enlarger import FACTOR, enlarge, lanczos
from stylizer.training import losses, photos, report
from stylizer.training.course import Figures
from stylizer.training.lesson import Answer, Example, Parts, Supervised, SupervisedLesson
from stylizer.training.style_pictures import Folder, load

SHOWN = 6
EDGE = 4  # pixels that no loss is taken of: what lies beyond a crop is not known there


@dataclass(frozen=True)
class Upscale(Supervised):
    """noisy: the share of examples with noise, of at most `noise` (in 1/255); spectrum: weight of the loss of spectra;
    shares: how often each of KERNELS reduces."""

    noisy: float = 0.2
    noise: float = 2.0
    spectrum: float = 0.05
    shares: tuple[float, ...] = (0.35, 0.35, 0.15, 0.15)


def _cubic(distance: float) -> float:
    x = abs(distance)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def _taps(name: str) -> Tensor:
    """Weights of the pixels around the middle of two, for half the size; an even number of them, summing to 1."""
    distances = [at + 0.5 for at in range(-6, 6)]
    kernels: Mapping[str, Callable[[float], float]] = {
        "box": lambda d: 1.0 if abs(d) < 1 else 0.0,
        "bicubic": lambda d: _cubic(d / FACTOR),
        "lanczos": lambda d: lanczos(d / FACTOR),
        "soft": lambda d: float(np.exp(-0.5 * (d / 1.0) ** 2)),
    }
    values = torch.tensor([kernels[name](distance) for distance in distances])
    return values / values.sum()


KERNELS = {name: _taps(name) for name in ("box", "bicubic", "lanczos", "soft")}


def reduced(picture: Tensor, kernel: str) -> Tensor:
    """(B, 3, 2 H, 2 W) → (B, 3, H, W) by one of KERNELS, mirrored at the edges."""
    taps, channels = KERNELS[kernel], picture.shape[1]
    pad = len(taps) // 2 - 1
    wide = F.pad(picture, (pad,) * 4, mode="reflect")
    rows = F.conv2d(
        wide, taps.reshape(1, 1, -1, 1).expand(channels, 1, -1, 1), stride=(2, 1), groups=channels
    )
    return F.conv2d(
        rows, taps.reshape(1, 1, 1, -1).expand(channels, 1, 1, -1), stride=(1, 2), groups=channels
    )


class UpscaleLesson(SupervisedLesson):
    kind = "enlarger"
    words = "Photographs kept back: enlarged by Lanczos' kernel, by the network, as they are."
    panels: report.Panels = (
        ("Loss", "step", ("loss",)),
        ("Pixels", "step", ("pixel",)),
        ("Critic", "step", ("critic", "critic_right", "verdict")),
        ("Kept back: dB above Lanczos", "validation", ("gain", "gain_box", "gain_bicubic")),
        ("Kept back: distance of features", "validation", ("seen", "seen_lanczos")),
    )

    def __init__(self, config: Upscale, photographs: Folder, folder: Path | None = None) -> None:
        super().__init__(config, folder)
        self.settings = config
        self.pictures = load(photographs.paths, side=768)
        self.kept = load(photographs.kept, side=320)[:12]
        self.facts = {"Photographs": len(self.pictures), "Kept back": len(self.kept)}

    def example(self, rng: np.random.Generator) -> Example:
        config, names = self.settings, list(KERNELS)
        kernel = names[int(rng.choice(len(names), p=np.asarray(config.shares) / sum(config.shares)))]
        squares = []
        for place in rng.integers(0, len(self.pictures), config.batch):
            square = photos.cut(self.pictures[int(place)][None].float() / 255, config.crop, rng)
            square = torch.rot90(square, int(rng.integers(0, 4)), (2, 3))
            squares.append(square.flip(3) if rng.random() < 0.5 else square)
        target = torch.cat(squares)
        small = reduced(target, kernel)
        scale = (rng.random(config.batch) < config.noisy) * rng.uniform(0, config.noise / 255, config.batch)
        generator = torch.Generator().manual_seed(int(rng.integers(0, 2**62)))
        noise = torch.randn(small.shape, generator=generator)
        small = small + noise * torch.from_numpy(scale).float()[:, None, None, None]
        return Example((small * 255).round().div(255).clamp(0, 1), target)

    def answer(self, network: nn.Module, example: Example) -> Answer:
        given = example.given.contiguous(memory_format=torch.channels_last)
        return Answer(enlarge(given) + network(given))

    def parts(self, answer: Answer, example: Example) -> Parts:
        made, wanted = (part[:, :, EDGE:-EDGE, EDGE:-EDGE] for part in (answer.picture, example.target))
        return {
            "pixel": (1.0, losses.charbonnier(made, wanted)),
            "spectrum": (self.settings.spectrum, losses.frequency(made, wanted)),
        }

    def beside(self, example: Example) -> Tensor:
        return enlarge(example.given).clamp(0, 1)

    @torch.no_grad()
    def judge(self, network: nn.Module) -> Figures:
        """How many dB of luma nearer the photographs kept back than Lanczos' kernel comes; with a feature network, how
        far from them both look to it."""
        found: dict[str, list[float]] = {"box": [], "bicubic": []}
        seen: dict[str, list[float]] = {"seen": [], "seen_lanczos": []}
        for stored in self.kept:
            picture = stored[None, :, : stored.shape[1] // 2 * 2, : stored.shape[2] // 2 * 2].float() / 255
            for kernel, gains in found.items():
                small = (reduced(picture, kernel) * 255).round().div(255).clamp(0, 1)
                plain = enlarge(small).clamp(0, 1)
                made = self.answer(network, Example(small, picture)).picture.clamp(0, 1)
                gains.append(_psnr(made, picture) - _psnr(plain, picture))
                if self.eye is not None:
                    for name, one in (("seen", made), ("seen_lanczos", plain)):
                        seen[name].append(float(features.distance(self.eye, one, picture)))
        figures = {f"gain_{kernel}": float(np.mean(gains)) for kernel, gains in found.items()}
        looks = {name: float(np.mean(values)) for name, values in seen.items() if values}
        return figures | {"gain": float(np.mean(list(figures.values())))} | looks

    def samples(self, network: nn.Module) -> Sequence[Sequence[Tensor]]:
        rows = []
        for stored in (self.kept or self.pictures)[:SHOWN]:
            picture = stored[None, :, 40:232, 40:232].float() / 255
            small = reduced(picture, "bicubic").clamp(0, 1)
            made = self.answer(network, Example(small, picture)).picture
            rows.append([enlarge(small)[0], made[0], picture[0]])
        return rows


def _psnr(made: Tensor, wanted: Tensor) -> float:
    error = (luma(made) - luma(wanted))[:, :, EDGE:-EDGE, EDGE:-EDGE].square().mean()
    return float(-10 * torch.log10(error.clamp(min=1e-10)))
