"""When a run should end, and what to say about it: guards against collapse, early stopping, the target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stylizer.errors import StylizerError
from stylizer.training.config import Watch as Settings

LARGEST = 1e4  # activations beyond this end in infinity soon
DEAD = 0.9999


class TrainingDiverged(StylizerError):
    """The run is broken; weights after this would be worthless."""

    code = "training-diverged"


class TrainingCollapsed(TrainingDiverged):
    """The adversarial game is over: one side has won and teaches the other nothing."""

    code = "training-collapsed"


class Watch:
    """Remembers the best validation and the state of the game; everything in it is saved with the run."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.best: float | None = None
        self.best_step = self.waited = self.certain = 0
        self.latest: dict[str, float] = {}

    # ---- validation

    def validated(self, step: int, figures: Mapping[str, float]) -> bool:
        """Take note of a validation; True when it is the best so far. Raises ValueError for a metric not among them."""
        metric = self.settings.metric
        if metric not in figures:
            raise ValueError(f"watch.metric: expected one of {', '.join(sorted(figures))}; got {metric!r}")
        self.latest = dict(figures)
        if self.best is None or figures[metric] > self.best:
            self.best, self.best_step, self.waited = figures[metric], step, 0
            return True
        self.waited += 1
        return False

    def ending(self) -> str | None:
        """Why the run should end now, as a sentence, or None."""
        settings = self.settings
        if self.best is None:
            return None
        if settings.target is not None and self.best >= settings.target:
            return (
                f"{settings.metric} reached its target: {self.best:.3f} at step {self.best_step}, "
                f"{settings.target:g} were asked for."
            )
        if settings.patience and self.waited >= settings.patience:
            return f"{settings.metric} has not risen for {self.waited} validations{self._short()}."
        return None

    def exhausted(self, what: str) -> str:
        """The sentence for a run that ends because its steps or its time are used up."""
        return f"The {what} are used up{self._short()}."

    def _short(self) -> str:
        settings = self.settings
        if self.best is None:
            return "; nothing was validated"
        best = f"; the best {settings.metric} is {self.best:.3f}, at step {self.best_step}"
        if settings.target is None or self.best >= settings.target:
            return best
        rising = "still rising" if self.waited == 0 else f"not risen for {self.waited} validations"
        return f"{best}, {settings.target - self.best:.3f} short of its target {settings.target:g}, {rising}"

    # ---- guards

    def expect_number(self, value: float, *, step: int, rate: float, where: str) -> None:
        """Raises TrainingDiverged when a loss is not finite."""
        if not math.isfinite(value):
            raise TrainingDiverged(
                f"the loss at step {step} is {value}, expected a finite number; resume from "
                f"{where} with a lower rate (now {rate:.2g})"
            )

    def expect_health(self, figures: Mapping[str, float], *, step: int) -> None:
        """Raises TrainingDiverged when activations run away or a whole layer has died."""
        if figures["largest_activation"] > LARGEST:
            raise TrainingDiverged(
                f"an activation at step {step} is {figures['largest_activation']:.3g}, expected below {LARGEST:g}; "
                "lower the rate or lengthen the warm-up"
            )
        if figures["most_zero_inputs"] > DEAD:
            raise TrainingDiverged(
                f"a layer at step {step} gets nothing but zeros; lower the rate and start from these weights "
                "again with --start-from and --revive"
            )

    def expect_game(self, figures: Mapping[str, float], *, step: int) -> None:
        """Raises TrainingCollapsed when the critic has been right about everything for too long."""
        if "critic_right" not in figures:
            return
        self.certain = self.certain + 1 if figures["critic_right"] >= self.settings.collapse else 0
        if self.certain >= self.settings.collapse_steps:
            raise TrainingCollapsed(
                f"the critic has told every made picture from its original at {self.certain} logged steps in a row "
                f"up to step {step}: it teaches nothing any more. Lower adversary.rate, raise adversary.r1, or let "
                "it see less (adversary.augment)"
            )

    # ---- records

    def state(self) -> dict[str, Any]:
        return {
            "best": self.best, "best_step": self.best_step, "waited": self.waited,
            "certain": self.certain, "latest": self.latest,
        }  # fmt: skip

    def restore(self, saved: Mapping[str, Any]) -> None:
        for name, value in saved.items():
            setattr(self, name, value)
