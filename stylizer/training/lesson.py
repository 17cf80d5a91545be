"""What the lessons with a right answer have in common: an example, what the network makes of it, and how far that is.

Colour, enlargement and pairs of one's own differ in where the examples come from and in what counts; the critic, the
perceptual loss, the sheet and the report are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from stylizer.models import channels_last, create, features
from stylizer.training import report
from stylizer.training.adversary import Adversary
from stylizer.training.config import Adversary as Game
from stylizer.training.config import Watch
from stylizer.training.course import Figures, Pace

PACE = Pace(watch=Watch(every=200, metric="gain"))
NO_GAME = Game()
Parts = dict[str, tuple[float, Tensor]]


@dataclass(frozen=True)
class Supervised:
    """Settings of a lesson with a right answer. `perceptual` is the weight of a distance of features; `kept` the share
    of the pictures that nothing is learnt from."""

    seed: int = 20261127
    architecture: Mapping[str, Any] = field(default_factory=dict)
    pace: Pace = PACE
    crop: int = 96
    batch: int = 8
    kept: float = 0.03
    perceptual: float = 0.0
    sees: str = "alexnet"
    adversary: Game = NO_GAME

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Example(NamedTuple):
    """What the network is given and the right answer, both (B, C, H, W) in 0…1."""

    given: Tensor
    target: Tensor


class Answer(NamedTuple):
    """The picture made, and whatever else the network said of it."""

    picture: Tensor
    more: Tensor | None = None


class SupervisedLesson:
    """A `Lesson` for `Course`; what differs between kinds is in the methods that raise here."""

    kind = ""
    panels: report.Panels = ()
    words = ""

    def __init__(self, config: Supervised, folder: Path | None) -> None:
        """folder: with the feature network's weights, where the settings ask for a perceptual loss."""
        self.config = config
        torch.manual_seed(config.seed)
        self.network: nn.Module = channels_last(create(self.kind, **self.architecture))
        self.eye = features.load(config.sees, folder) if config.perceptual else None
        game = config.adversary
        self.adversary = (
            Adversary(game, seed=config.seed, device=torch.device("cpu")) if game.weight else None
        )
        self.facts: dict[str, object] = {}

    # ---- what a kind says

    @property
    def architecture(self) -> dict[str, Any]:
        """Arguments of the network: those of the settings, and what the pictures ask for."""
        return dict(self.config.architecture)

    def example(self, rng: np.random.Generator) -> Example:
        raise NotImplementedError

    def answer(self, network: nn.Module, example: Example) -> Answer:
        raise NotImplementedError

    def parts(self, answer: Answer, example: Example) -> Parts:
        """What counts, each with its weight."""
        raise NotImplementedError

    def beside(self, example: Example) -> Tensor:
        """What the critic sees beside a picture, (B, 3, H, W) of the answer's size."""
        raise NotImplementedError

    def judge(self, network: nn.Module) -> Figures:
        raise NotImplementedError

    def samples(self, network: nn.Module) -> Sequence[Sequence[Tensor]]:
        """Rows of pictures (3, H, W) for the sheet, all of one size."""
        raise NotImplementedError

    # ---- what all share

    def loss(self, step: int) -> tuple[Tensor, Callable[[], Figures]]:
        rng = np.random.default_rng((self.config.seed, 2, step))
        example = self.example(rng)
        answer = self.answer(self.network, example)
        inside = answer.picture.clamp(0, 1)
        parts = self.parts(answer, example)
        if self.eye is not None:
            parts["perceptual"] = (
                self.config.perceptual, features.distance(self.eye, inside, example.target)
            )  # fmt: skip
        total = torch.stack([weight * value for weight, value in parts.values() if weight]).sum()
        told: Figures = {}
        if self.adversary and self.adversary.active(step):
            beside, everywhere = self.beside(example), torch.ones_like(inside[:, :1])
            told = self.adversary.turn(step, beside, inside, example.target, everywhere)
            if (weight := self.adversary.weight(step)) > 0:
                verdict = self.adversary.verdict(step, beside, inside, example.target, everywhere)
                total, told["verdict"] = total + weight * verdict, float(verdict.detach())
        return total, lambda: {name: float(value.detach()) for name, (_, value) in parts.items()} | told

    @torch.no_grad()
    def sheet(self, network: nn.Module, path: Path) -> None:
        rows = [torch.cat([cell.clamp(0, 1) for cell in row], 2) for row in self.samples(network)]
        pixels = torch.cat(rows, 1).mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()
        Image.fromarray(pixels).save(path, format="PNG")

    def page(self) -> report.Page:
        game = self.config.adversary
        facts = {
            "Network": f"{self.kind} {self.architecture}",
            **self.facts,
            "Adversarial": f"{game.loss}, {game.critic}" if game.weight else "no",
        }
        return report.Page(facts, self.config.to_dict(), self.panels, self.words)

    def state(self) -> dict[str, Any]:
        return {"adversary": self.adversary.state() if self.adversary else None}

    def restore(self, saved: Mapping[str, Any]) -> None:
        if self.adversary and saved["adversary"]:
            self.adversary.restore(saved["adversary"])
