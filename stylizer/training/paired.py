"""Learning from pairs: pictures of one kind, and the same of another that lie exactly over them (pix2pix).

A folder of `NAME_A.…` and `NAME_B.…`, or two folders `A` and `B` with the same names in both; 8 or 16 bits, grey or
colour, which is kept: a picture of 16 bits is learnt from in 16 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from stylizer.imageio import open_picture
from stylizer.pixels import colours
from stylizer.training import losses, photos, report
from stylizer.training.course import Figures
from stylizer.training.lesson import Answer, Example, Parts, Supervised, SupervisedLesson
from stylizer.training.style_pictures import DataMissing

SHOWN = 6
SIDE = 192  # of the sheet's pictures
WORDS = "Put NAME_A and NAME_B into one folder, or NAME into two folders “A” and “B”."


@dataclass(frozen=True)
class Paired(Supervised):
    """pixel: weight of the difference of pixels beside the critic's verdict."""

    pixel: float = 1.0
    flip: bool = True  # whether a mirrored pair is still one of its kind


@dataclass(frozen=True)
class Pair:
    """Stored pixels (H, W, bands) of both kinds, of one size, and the largest value that each can hold."""

    name: str
    given: NDArray[np.uint8] | NDArray[np.uint16]
    target: NDArray[np.uint8] | NDArray[np.uint16]

    @property
    def is_grey(self) -> bool:
        return len(self.target[0, 0]) == 1


def find(data: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The files of each pair, by name: in one folder, in its folders `A` and `B`, or in two folders given in order.

    Raises:
        DataMissing: there are none, or one has no counterpart.
    """
    if len(data) == 2:
        return _matched(_by_name(data[0], ""), _by_name(data[1], ""), data)
    if len(data) != 1:
        raise DataMissing(f"Name one folder of pairs, or two folders, with --data. {WORDS}")
    folder = data[0]
    if (folder / "A").is_dir() and (folder / "B").is_dir():
        return _matched(_by_name(folder / "A", ""), _by_name(folder / "B", ""), data)
    return _matched(_by_name(folder, "_A"), _by_name(folder, "_B"), data)


def _by_name(folder: Path, ending: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataMissing(f"{folder}: there is no such folder. {WORDS}")
    found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in photos.SUFFIXES]
    return {path.stem.removesuffix(ending): path for path in found if path.stem.endswith(ending)}


def _matched(
    first: dict[str, Path], second: dict[str, Path], data: Sequence[Path]
) -> list[tuple[Path, Path]]:
    alone = sorted(set(first) ^ set(second))
    if alone:
        raise DataMissing(f"{data[0]}: {len(alone)} without a counterpart, the first “{alone[0]}”. {WORDS}")
    if not first:
        raise DataMissing(f"{data[0]}: no pairs in it. {WORDS}")
    return [(first[name], second[name]) for name in sorted(first)]


def read(paths: tuple[Path, Path]) -> Pair:
    """Both pictures of a pair.

    Raises:
        DataMissing: they are of different size.
        ImageError: one cannot be read.
    """
    given, target = (_pixels(path) for path in paths)
    if given.shape[:2] != target.shape[:2]:
        sizes = " and ".join(f"{one.shape[1]} × {one.shape[0]}" for one in (given, target))
        raise DataMissing(f"{paths[0].name}: the two of a pair must be of one size, got {sizes} px.")
    return Pair(paths[0].stem, given, target)


def _pixels(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    with open_picture(path) as picture:
        facts = picture.facts
        pixels = picture.read(0, facts.height)[..., : facts.bands - facts.alpha]
        same = facts.colour == "grey" or bool(np.ptp(pixels.astype(np.int32), axis=2).max() == 0)
        kept: NDArray[np.uint8] = pixels[..., :1] if same else colours(pixels, facts)
        return np.ascontiguousarray(kept)


def to_tensor(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Tensor:
    """(1, 3, H, W) in 0…1."""
    values = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    return torch.from_numpy(values).permute(2, 0, 1)[None].expand(-1, 3, -1, -1)


class PairedLesson(SupervisedLesson):
    kind = "translator"
    words = "Pairs kept back: what is given, what the network makes of it, what is right."
    panels: report.Panels = (
        ("Loss", "step", ("loss",)),
        ("Pixels", "step", ("pixel",)),
        ("Critic", "step", ("critic", "critic_right", "verdict")),
        ("Kept back: dB nearer than what is given", "validation", ("gain",)),
        ("Kept back: dB", "validation", ("psnr",)),
    )

    def __init__(
        self, config: Paired, pairs: Sequence[tuple[Path, Path]], folder: Path | None = None
    ) -> None:
        self.settings = config
        first = [one for one, _other in pairs]
        learnt, held = photos.kept_back(first, config.kept) if len(pairs) >= 8 else (first, [])
        every = {one.name: read((one, other)) for one, other in pairs}
        self.pairs = [every[path.name] for path in learnt]
        self.kept = [every[path.name] for path in held]
        self.grey = all(pair.is_grey for pair in every.values())
        super().__init__(config, folder)
        self.facts = {"Pairs": len(self.pairs), "Kept back": len(self.kept)}

    @property
    def architecture(self) -> dict[str, Any]:
        return {**self.config.architecture, "grey": self.grey}

    def example(self, rng: np.random.Generator) -> Example:
        given, targets = [], []
        for place in rng.integers(0, len(self.pairs), self.config.batch):
            pair = self.pairs[int(place)]
            both = torch.cat([to_tensor(pair.given), to_tensor(pair.target)], 1)
            both = _cut(both, self.config.crop, rng)
            both = both.flip(3) if self.settings.flip and rng.random() < 0.5 else both
            given.append(both[:, :3])
            targets.append(both[:, 3:])
        return Example(torch.cat(given), torch.cat(targets))

    def answer(self, network: nn.Module, example: Example) -> Answer:
        return Answer(network(example.given.contiguous(memory_format=torch.channels_last)))

    def parts(self, answer: Answer, example: Example) -> Parts:
        return {"pixel": (self.settings.pixel, losses.charbonnier(answer.picture, example.target))}

    def beside(self, example: Example) -> Tensor:
        return example.given

    @torch.no_grad()
    def judge(self, network: nn.Module) -> Figures:
        """PSNR of pairs kept back, and how much nearer the right answer is than what was given."""
        gains, found = [], []
        for pair in self.kept[:24]:
            given, target = to_tensor(pair.given), to_tensor(pair.target)
            made = whole(network, given).clamp(0, 1)
            before, after = (float((one - target).square().mean()) for one in (given, made))
            found.append(-10 * np.log10(max(after, 1e-10)))
            gains.append(found[-1] + 10 * np.log10(max(before, 1e-10)))
        return {"psnr": float(np.mean(found)), "gain": float(np.mean(gains))} if found else {}

    def samples(self, network: nn.Module) -> Sequence[Sequence[Tensor]]:
        rows = []
        for pair in (self.kept or self.pairs)[:SHOWN]:
            given, target = to_tensor(pair.given), to_tensor(pair.target)
            cells = [given, whole(network, given), target]
            rows.append([F.interpolate(cell, size=(SIDE, SIDE), mode="area")[0] for cell in cells])
        return rows


def whole(network: nn.Module, given: Tensor) -> Tensor:
    """A picture of any size through the network, mirrored beyond its edges as the engine does."""
    stride = int(network.stride)  # type: ignore[arg-type]
    height, width = given.shape[2:]
    mode = "reflect" if min(height, width) > stride else "replicate"
    filled = F.pad(given, (0, -width % stride, 0, -height % stride), mode=mode)
    made: Tensor = network(filled.contiguous(memory_format=torch.channels_last))
    return made[:, :, :height, :width]


def _cut(both: Tensor, side: int, rng: np.random.Generator) -> Tensor:
    """A random square, in its own size; of a picture that is smaller, mirrored beyond its edges."""
    height, width = both.shape[2:]
    if height < side or width < side:
        both = F.pad(both, (0, max(0, side - width), 0, max(0, side - height)), mode="replicate")
        height, width = both.shape[2:]
    top, left = (int(rng.integers(0, length - side + 1)) for length in (height, width))
    return both[:, :, top : top + side, left : left + side]
