"""The loop: tone first (minutes), then detail until the steps or the seconds are used up.

A run is a function of its config: batch `n` is drawn from (seed, n), so a run stopped at any checkpoint and resumed
takes the same steps as one that was not. Only the learning rate may follow the clock, when `max_seconds` is given.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stylizer.errors import StylizerError
from stylizer.models import channels_last, restorer
from stylizer.training import losses, state, tone
from stylizer.training.config import Restore
from stylizer.training.pairs import Pool
from stylizer.training.sheet import write_sheet


class TrainingDiverged(StylizerError):
    """The loss is no longer a number; weights after this would be worthless."""

    code = "training-diverged"


@dataclass(frozen=True)
class Progress:
    """Where a run ended: detail steps taken, seconds spent in total, the checkpoint."""

    step: int
    seconds: float
    checkpoint: Path


class RestoreRun:
    """One training run of the restorer in a folder: checkpoint.pt, log.jsonl, sheet.png, pairs/."""

    def __init__(
        self,
        config: Restore,
        paths: Sequence[Path],
        out: Path,
        *,
        workers: int = 2,
        max_seconds: float | None = None,
    ) -> None:
        self.config, self.paths, self.out, self.max_seconds = config, list(paths), out, max_seconds
        self.workers = workers
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.network = channels_last(restorer(**config.architecture))
        self.average = state.Average(self.network, config.ema)
        body = [p for name, p in self.network.named_parameters() if not name.startswith("tone_net.")]
        self.body = body
        self.optimiser = torch.optim.AdamW(
            body, lr=config.rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.tone_optimiser = torch.optim.AdamW(
            self.network.tone_net.parameters(), lr=config.tone_rate, weight_decay=config.tone_decay
        )
        self.step = self.tone_step = 0
        self.seconds = 0.0
        self.pool = Pool(paths, config, out / "pairs", workers=workers)

    # ---- records

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint.pt"

    def save(self) -> None:
        state.save(
            self.checkpoint,
            {
                "network": self.network.state_dict(), "average": self.average.network.state_dict(),
                "optimiser": self.optimiser.state_dict(), "tone_optimiser": self.tone_optimiser.state_dict(),
                "step": self.step, "tone_step": self.tone_step, "seconds": self.seconds,
                "config": json.dumps(self.config.to_dict()),
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
        self.tone_optimiser.load_state_dict(saved["tone_optimiser"])
        self.step, self.tone_step, self.seconds = saved["step"], saved["tone_step"], saved["seconds"]

    def start_from(self, checkpoint: Path) -> None:
        """Begin with the averaged detail network of another run; its tone network, steps and rates start anew.

        Raises:
            FileNotFoundError: there is no such checkpoint.
            RuntimeError: its detail network is of another architecture.
        """
        other = state.load(checkpoint)["average"]
        mine = {key: value for key, value in self.network.state_dict().items() if key.startswith("tone_net.")}
        weights = {key: value for key, value in other.items() if not key.startswith("tone_net.")} | mine
        self.network.load_state_dict(weights)
        self.average.network.load_state_dict(weights)

    def log(self, **figures: Any) -> None:
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(
                json.dumps({k: round(v, 6) if isinstance(v, float) else v for k, v in figures.items()}) + "\n"
            )

    # ---- stages

    def train(self) -> Progress:
        """Both stages; returns where it ended. Raises TrainingDiverged when the loss is not a number."""
        try:
            self._train_tone()
            self._train_detail()
        finally:
            self.pool.close()
        return Progress(self.step, self.seconds, self.checkpoint)

    def _train_tone(self) -> None:
        config = self.config
        if self.tone_step >= config.tone_steps:
            return
        stock = tone.thumbnails(self.paths, seed=config.seed)
        whole = tone.lessons(self.paths, config, workers=self.workers)
        begun = time.monotonic()
        weights, half = list(self.network.tone_net.parameters()), config.tone_batch // 2
        while self.tone_step < config.tone_steps:
            share = self.tone_step / config.tone_steps
            _set_rate(self.tone_optimiser, config.tone_rate * _shape(share, self.tone_step, 100, 0.01))
            seed = (config.seed * 1_000_003 + self.tone_step) % 2**62
            torch.manual_seed(seed)  # what dropout forgets is a function of the step too
            seen, toned, clean = tone.pair(stock, config.damage, count=half, seed=seed)
            quick, _ = tone.loss(self.network.tone_net, seen, toned, toned, clean)
            full, figures = tone.loss(self.network.tone_net, *tone.lesson(whole, count=half, seed=seed))
            loss = quick + full
            self._advance(loss, self.tone_optimiser, weights, self.tone_step)
            self.average.update(self.network, self.tone_step)
            self.tone_step += 1
            if self.tone_step % config.log_every == 0:
                self.log(stage="tone", step=self.tone_step, loss=float(loss.detach()), **figures)
        self.seconds += time.monotonic() - begun
        self.save()

    def _train_detail(self) -> None:
        config = self.config
        if self.step >= config.steps:
            return
        self.pool.batch(self.step)  # fills the pool, before the clock of the schedule starts
        begun = time.monotonic() - self.seconds
        while self.step < config.steps:
            self.seconds = time.monotonic() - begun
            share = self.step / config.steps
            if self.max_seconds is not None:
                share = max(share, self.seconds / self.max_seconds)
            if share >= 1:
                break
            floor = config.final_rate / config.rate
            _set_rate(self.optimiser, config.rate * _shape(share, self.step, config.warmup, floor))
            damaged, toned, mask = self.pool.batch(self.step)
            loss, figures = self._detail_loss(damaged, toned, mask)
            norm = self._advance(loss, self.optimiser, self.body, self.step)
            self.average.update(self.network, self.tone_step + self.step)
            self.step += 1
            if self.step % config.log_every == 0:
                self.log(stage="detail", step=self.step, seconds=self.seconds, loss=float(loss.detach()),
                         gradient=norm, rate=self.optimiser.param_groups[0]["lr"], **figures())  # fmt: skip
            if self.step in (50, 200):
                self.log(stage="health", step=self.step, **health(self.network, damaged))
            if self.step % config.save_every == 0:
                self.save()
                write_sheet(self.out / "sheet.png", self.average.network, damaged, toned, mask)
        self.save()

    def _detail_loss(self, damaged: Tensor, toned: Tensor, mask: Tensor) -> tuple[Tensor, Any]:
        config = self.config
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
            out = self.network(damaged)
        # Before the losses: cross-entropy answers a NaN with an error about its range, which helps nobody.
        self._expect_number(out.residual.sum() + out.gate.sum() + out.damage.sum(), self.optimiser, self.step)
        result = damaged + out.residual
        pixel = losses.charbonnier(result, toned)
        share = losses.relative(result, toned, damaged)
        spectrum = losses.frequency(result, toned)
        marks = losses.mask_loss(out.damage, mask, positive=config.mask_positive)
        needed = losses.needs_change(damaged, toned)
        gate = losses.mask_loss(out.gate, needed, positive=1.0)
        total = (
            pixel
            + config.relative_weight * share
            + config.frequency_weight * spectrum
            + config.mask_weight * marks
            + config.gate_weight * gate
        )

        def figures() -> dict[str, float]:
            with torch.no_grad():
                after = ((result - toned) ** 2).mean((1, 2, 3)).clamp(min=1e-7)
                before = ((damaged - toned) ** 2).mean((1, 2, 3)).clamp(min=1e-7)
                gain = 10 * (torch.log10(before) - torch.log10(after))
                touched = before > 1e-6
            return {
                "pixel": pixel.item(), "left": share.item(), "mask": marks.item(), "gate": gate.item(),
                "gain_db": float(gain[touched].mean()) if touched.any() else 0.0,
                "clean_db": float(-10 * torch.log10(after[~touched]).mean()) if (~touched).any() else 0.0,
            }  # fmt: skip

        return total, figures

    def _expect_number(self, value: Tensor, optimiser: torch.optim.Optimizer, step: int) -> None:
        if not torch.isfinite(value):
            raise TrainingDiverged(
                f"the loss at step {step} is {value.item()}, expected a finite number; resume from "
                f"{self.checkpoint} with a lower rate (now {optimiser.param_groups[0]['lr']:.2g})"
            )

    def _advance(
        self, loss: Tensor, optimiser: torch.optim.Optimizer, weights: list[nn.Parameter], step: int
    ) -> float:
        self._expect_number(loss, optimiser, step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(weights, self.config.clip))
        optimiser.step()
        return norm


def _shape(share: float, step: int, warmup: int, floor: float) -> float:
    """Warm-up by step, then a cosine from 1 to `floor` as `share` of the run goes from 0 to 1."""
    cosine = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    return min(1.0, (step + 1) / max(1, warmup)) * cosine


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def health(network: nn.Module, x: Tensor) -> dict[str, float]:
    """Worst layer's largest activation and share of zero inputs: early signs of a dying network."""
    largest, dead = [0.0], [0.0]

    def watch(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        largest.append(float(output.detach().abs().max()))
        dead.append(float((inputs[0].detach() == 0).float().mean()))

    hooks = [m.register_forward_hook(watch) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        network(x)
    for hook in hooks:
        hook.remove()
    return {"largest_activation": max(largest), "most_zero_inputs": max(dead)}
