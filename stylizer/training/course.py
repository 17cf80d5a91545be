"""The loop that every kind of training but the restorer's shares: steps, average, validation, checkpoint, report.

What is learnt is a `Lesson`. A step is a function of the settings and its number, so that a run stopped at a checkpoint
and resumed takes the same steps as one that was not. Only the learning rate may follow the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from stylizer.training import report, schedule, state
from stylizer.training.config import Watch as WatchSettings
from stylizer.training.records import Records
from stylizer.training.watch import Watch

Figures = dict[str, float]
WATCH = WatchSettings(metric="nearer")
LONGEST = 45.0  # seconds that a step, with what is judged and written after it, may count for


@dataclass(frozen=True)
class Pace:
    """How a run goes: steps, rates per step, the decay of the average, and how often it writes and is judged."""

    steps: int = 1_000_000
    rate: float = 1e-3
    final_rate: float = 2e-5
    warmup: int = 50
    clip: float = 1.0
    ema: float = 0.995
    log_every: int = 20
    save_every: int = 100
    watch: WatchSettings = WATCH


class Lesson(Protocol):
    """What is learnt: a network, its loss at a step, how it is judged and shown."""

    @property
    def network(self) -> nn.Module: ...

    def loss(self, step: int) -> tuple[Tensor, Callable[[], Figures]]:
        """A scalar to go down, and a function that works out figures for the log. A critic takes its turn in here."""

    def judge(self, network: nn.Module) -> Figures:
        """Figures of the averaged network on pictures kept back; empty where there are none."""

    def sheet(self, network: nn.Module, path: Path) -> None:
        """A PNG of how it looks."""

    def page(self) -> report.Page:
        """What the report says beside the curves."""

    def state(self) -> dict[str, Any]: ...

    def restore(self, saved: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Ended:
    """Where a run ended and why."""

    step: int
    seconds: float
    checkpoint: Path
    words: str


class Course:
    """One run in a folder: checkpoint.pt, best.pt, log.jsonl, sheet.png, curves.png, report.html."""

    def __init__(self, lesson: Lesson, pace: Pace, out: Path, *, max_seconds: float | None = None) -> None:
        self.lesson, self.pace, self.out, self.max_seconds = lesson, pace, out, max_seconds
        out.mkdir(parents=True, exist_ok=True)
        self.network = lesson.network
        self.average = state.Average(self.network, pace.ema)
        self.weights = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.weights, lr=pace.rate, betas=(0.9, 0.99), weight_decay=0.0)
        self.step, self.seconds = 0, 0.0
        self.records, self.watch = Records(out), Watch(pace.watch)

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint.pt"

    def save(self) -> None:
        """Everything that is needed to go on as if nothing had happened; atomic."""
        state.save(
            self.checkpoint,
            {
                "network": self.network.state_dict(), "average": self.average.network.state_dict(),
                "optimiser": self.optimiser.state_dict(), "lesson": self.lesson.state(),
                "watch": self.watch.state(), "step": self.step, "seconds": self.seconds,
                "config": state.text(dict(self.lesson.page().settings)),
            },
        )  # fmt: skip

    def resume(self) -> None:
        """Go on from the folder's checkpoint, if it has one."""
        if not self.checkpoint.exists():
            return
        saved = state.load(self.checkpoint)
        self.network.load_state_dict(saved["network"])
        self.average.network.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.lesson.restore(saved["lesson"])
        self.watch.restore(saved["watch"])
        self.step, self.seconds = saved["step"], saved["seconds"]

    def train(self) -> Ended:
        """Until the steps, the seconds or the patience are used up. Raises TrainingDiverged or TrainingCollapsed."""
        pace, last = self.pace, time.monotonic()
        self.records.bar("step", pace.steps if self.max_seconds is None else None, self.step)
        words = ""
        try:
            while not words:
                now = time.monotonic()
                # A process that was stopped for a while, or a machine that slept, has not been learning.
                self.seconds, last = self.seconds + min(now - last, LONGEST), now
                behind = schedule.share(self.step, pace.steps, self.seconds, self.max_seconds)
                if behind >= 1:
                    words = self._spent("steps" if self.step >= pace.steps else "seconds")
                    break
                shape = schedule.shape(behind, self.step, pace.warmup, pace.final_rate / pace.rate)
                schedule.set_rate(self.optimiser, pace.rate * shape)
                self._step()
                words = self._after_step() or ""
        finally:
            self.records.close()
        self.save()
        self._report(words)
        return Ended(self.step, self.seconds, self.checkpoint, words)

    def _step(self) -> None:
        loss, figures = self.lesson.loss(self.step)
        rate = self.optimiser.param_groups[0]["lr"]
        self.watch.expect_number(float(loss.detach()), step=self.step, rate=rate, where=str(self.checkpoint))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(self.weights, self.pace.clip))
        self.optimiser.step()
        self.average.update(self.network, self.step)
        self.step += 1
        self.records.advance()
        if self.step % self.pace.log_every == 0:
            told = figures()
            self.records.log(stage="step", step=self.step, seconds=self.seconds, loss=float(loss.detach()),
                             gradient=norm, rate=rate, **told)  # fmt: skip
            self.watch.expect_game(told, step=self.step)

    def _after_step(self) -> str | None:
        """Validation and checkpoint where they are due; why the run ends, if it does."""
        ended = None
        if self.pace.watch.every and self.step % self.pace.watch.every == 0:
            self._validate()
            ended = self.watch.ending()
        if self.step % self.pace.save_every == 0:
            self.save()
            self._report("The run goes on.")
        return ended

    def _spent(self, what: str) -> str:
        if self.step and (not self.pace.watch.every or self.step % self.pace.watch.every):
            self._validate()
        return self.watch.exhausted(what)

    def _validate(self) -> None:
        figures = self.lesson.judge(self.average.network)
        if not figures:
            return
        self.records.log(stage="validation", step=self.step, seconds=self.seconds, **figures)
        if self.watch.validated(self.step, figures):
            best = {"average": self.average.network.state_dict(), "step": self.step, "figures": figures}
            state.save(self.out / "best.pt", best)

    def _report(self, ended: str) -> None:
        if not self.step:
            return
        self.lesson.sheet(self.average.network, self.out / "sheet.png")
        report.publish(self.out, self.lesson.page(), ended=ended, validation=self.watch.latest)
