"""The loop: tone first (minutes), then detail until the steps, the seconds, or the patience are used up.

A run is a function of its config: batch `n` is drawn from (seed, n), so a run stopped at any checkpoint and resumed
takes the same steps as one that was not. Only the learning rate may follow the clock, when `max_seconds` is given.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from stylizer.models import channels_last, create, features
from stylizer.training import photos, report, schedule, state, tone
from stylizer.training.adversary import Adversary
from stylizer.training.config import Restore
from stylizer.training.objective import Batch, Figures, Objective, health
from stylizer.training.pairs import Pool
from stylizer.training.records import Records
from stylizer.training.sheet import write_sheet
from stylizer.training.team import ALONE, Team, knows_bf16
from stylizer.training.validation import Validation
from stylizer.training.watch import TrainingCollapsed, TrainingDiverged, Watch

__all__ = ["Progress", "RestoreRun", "TrainingCollapsed", "TrainingDiverged"]
TONE_SHARE = 0.3  # of the seconds given, at most


@dataclass(frozen=True)
class Progress:
    """Where a run ended: detail steps taken, seconds spent in total, the checkpoint, and why it ended."""

    step: int
    seconds: float
    checkpoint: Path
    ended: str


class RestoreRun:
    """One training run in a folder: checkpoint.pt, best.pt, log.jsonl, sheet.png, curves.png, report.html, pairs/.

    feature_folder: where the weights of the perceptual loss's network lie; only asked for when the settings use them.
    """

    def __init__(
        self,
        config: Restore,
        paths: Sequence[Path],
        out: Path,
        *,
        workers: int = 2,
        max_seconds: float | None = None,
        feature_folder: Path | None = None,
        team: Team = ALONE,
    ) -> None:
        self.config, self.out, self.max_seconds, self.team = config, out, max_seconds, team
        self.paths, held = photos.kept_back(paths, config.watch.share if config.watch.every else 0)
        self.workers = workers
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.network = channels_last(create(config.network, **config.architecture).to(team.device))
        self.average = state.Average(self.network, config.ema)
        # A judge that was trained on its own is no part of the body: the other losses ask the gate another question.
        self.body = [
            p
            for name, p in self.network.named_parameters()
            if not name.startswith(("tone_net.", "head.judge."))
        ]
        self.optimiser = torch.optim.AdamW(
            self.body, lr=config.rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.tone_net = getattr(self.network, "tone_net", None)
        self.tone_optimiser = (
            torch.optim.AdamW(self.tone_net.parameters(), lr=config.tone_rate, weight_decay=config.tone_decay)
            if self.tone_net is not None
            else None
        )
        self.step = self.tone_step = 0
        self.seconds = 0.0
        self.records = Records(out, writes=team.writes)
        self.watch = Watch(config.watch)
        self.bf16 = config.bf16 and knows_bf16(team.device)
        game = config.adversary
        self.adversary = Adversary(game, seed=config.seed, device=team.device) if game.weight else None
        seeing = features.load(config.perceptual, feature_folder) if config.perceptual_weight else None
        self.objective = Objective(config, seeing.to(team.device) if seeing else None)
        self.pool = Pool(self.paths, config, out / "pairs", workers=workers, team=team)
        self.validation = Validation(held, config) if held else None
        # Compiled for speed only; what is saved and averaged is the plain network, and they share their weights.
        self.forward = torch.compile(self.network) if config.compile else self.network

    # ---- records

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint.pt"

    def save(self) -> None:
        """Everything that is needed to go on as if nothing had happened; atomic."""
        if not self.team.writes:
            return
        state.save(
            self.checkpoint,
            {
                "network": self.network.state_dict(), "average": self.average.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "tone_optimiser": self.tone_optimiser.state_dict() if self.tone_optimiser else None,
                "adversary": self.adversary.state() if self.adversary else None, "watch": self.watch.state(),
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
        if self.tone_optimiser:
            self.tone_optimiser.load_state_dict(saved["tone_optimiser"])
        if self.adversary:
            self.adversary.restore(saved["adversary"])
        self.watch.restore(saved["watch"])
        self.step, self.tone_step, self.seconds = saved["step"], saved["tone_step"], saved["seconds"]

    def start_tone_from(self, weights: Path) -> None:
        """Begin with the averaged tone network of another run, or of a release. Raises as `start_from` does."""
        tone_net = {k: v for k, v in state.weights(weights).items() if k.startswith("tone_net.")}
        merged = {**self.network.state_dict(), **tone_net}
        self.network.load_state_dict(merged)
        self.average.network.load_state_dict(merged)

    def start_from(self, weights: Path, *, revive: bool = False) -> None:
        """Begin with the averaged detail network of another run, or of a release (.safetensors).

        Its tone network, steps and rates start anew; with `revive`, its blocks that have died do too.

        Raises:
            FileNotFoundError: there is no such file.
            RuntimeError: its detail network is of another architecture.
        """
        other = state.weights(weights)
        mine = {key: value for key, value in self.network.state_dict().items() if key.startswith("tone_net.")}
        self.network.load_state_dict({k: v for k, v in other.items() if not k.startswith("tone_net.")} | mine)
        if revive and (begun_anew := state.revive(self.network, self.pool.batch(0)[0])):
            self.records.log(stage="start", begun_anew=begun_anew)
        self.average.network.load_state_dict(self.network.state_dict())

    # ---- stages

    def train(self) -> Progress:
        """Both stages; returns where it ended and why. Raises TrainingDiverged or TrainingCollapsed."""
        try:
            self._train_tone()
            ended = self._train_detail()
        finally:
            self.pool.close()
            self.records.close()
        self._report(ended)
        return Progress(self.step, self.seconds, self.checkpoint, ended)

    def _train_tone(self) -> None:
        config, net, optimiser = self.config, self.tone_net, self.tone_optimiser
        if net is None or optimiser is None or self.tone_step >= config.tone_steps or self.step:
            return
        lessons = tone.Stage(self.paths, config, workers=self.workers)
        begun = time.monotonic() - self.seconds
        weights = list(net.parameters())
        self.records.bar("tone", config.tone_steps, self.tone_step)
        limit = TONE_SHARE * self.max_seconds if self.max_seconds is not None else None
        while self.tone_step < config.tone_steps:
            self.seconds = self.team.agreed(time.monotonic() - begun)
            share = schedule.share(self.tone_step, config.tone_steps, self.seconds, limit)
            if share >= 1:
                break
            schedule.set_rate(optimiser, config.tone_rate * schedule.shape(share, self.tone_step, 100, 0.01))
            loss, figures = lessons.loss(net, self.tone_step, self.team.device)
            self._advance(loss, optimiser, weights, self.tone_step)
            self.average.update(self.network, self.tone_step)
            self.tone_step += 1
            self.records.advance()
            if self.tone_step % config.save_every == 0:
                self.save()
            if self.tone_step % config.log_every == 0:
                self.records.log(stage="tone", step=self.tone_step, loss=float(loss.detach()), **figures)
        self.save()

    def _train_detail(self) -> str:
        """Until it ends; returns why, as a sentence."""
        config = self.config
        if self.step >= config.steps:
            return self.watch.exhausted("steps")
        self.pool.batch(self.step)  # fills the pool, before the clock of the schedule starts
        begun = time.monotonic() - self.seconds
        self.records.bar("detail", config.steps if self.max_seconds is None else None, self.step)
        while self.step < config.steps:
            self.seconds = self.team.agreed(time.monotonic() - begun)
            share = schedule.share(self.step, config.steps, self.seconds, self.max_seconds)
            if share >= 1:
                self._validate()
                self.save()
                return self.watch.exhausted("seconds")
            schedule.set_rate(
                self.optimiser,
                config.rate
                * schedule.shape(share, self.step, config.warmup, config.final_rate / config.rate),
            )
            self._detail_step()
            if self._after_step() and (ended := self.watch.ending()):
                self.save()
                return ended
        if not config.watch.every or self.step % config.watch.every:
            self._validate()
        self.save()
        return self.watch.exhausted("steps")

    def _detail_step(self) -> None:
        config, step = self.config, self.step
        batch = Batch(*self.pool.batch(step))
        with torch.autocast(self.team.device.type, torch.bfloat16, enabled=self.bf16):
            out = self.forward(batch.damaged)
            sound = batch.target + self.forward(batch.target).residual if config.identity_weight > 0 else None
        # Before the losses: cross-entropy answers a NaN with an error about its range, which helps nobody.
        self._expect_number(out.residual.sum() + out.gate.sum() + out.damage.sum(), self.optimiser, step)
        loss, figures = self.objective(out, batch, sound=sound)
        game: Figures = {}
        if self.adversary and self.adversary.active(step):
            fake = batch.damaged + out.residual
            game = self.adversary.turn(step, batch.damaged, fake, batch.target, batch.mask, self.team)
            if (weight := self.adversary.weight(step)) > 0:
                verdict = self.adversary.verdict(step, batch.damaged, fake, batch.target, batch.mask)
                loss, game["verdict"] = loss + weight * verdict, float(verdict.detach())
        norm = self._advance(loss, self.optimiser, self.body, step)
        self.average.update(self.network, self.tone_step + step)
        self.step += 1
        self.records.advance()
        if self.step % config.log_every == 0:
            told = {**figures(), **game}
            self.records.log(stage="detail", step=self.step, seconds=self.seconds, loss=float(loss.detach()),
                             gradient=norm, rate=self.optimiser.param_groups[0]["lr"], **told)  # fmt: skip
            self.watch.expect_game(told, step=self.step)
        if self.step in (50, 200) or self.step % 500 == 0:
            signs = health(self.network, batch.damaged)
            self.records.log(stage="health", step=self.step, **signs)
            self.watch.expect_health(signs, step=self.step)

    def _after_step(self) -> bool:
        """Validation and checkpoint where they are due; True when there was a validation."""
        config = self.config
        due = bool(config.watch.every) and self.step % config.watch.every == 0
        if due:
            self._validate()
        if self.step % config.save_every == 0:
            self.save()
            self._report("The run goes on.")
        return due

    def _validate(self) -> None:
        if self.validation is None:
            return
        figures = self.validation.judge(self.average.network, device=self.team.device)
        self.records.log(stage="validation", step=self.step, seconds=self.seconds, **figures)
        if self.watch.validated(self.step, figures) and self.team.writes:
            state.save(
                self.out / "best.pt",
                {"average": self.average.network.state_dict(), "step": self.step, "figures": figures},
            )

    def _report(self, ended: str) -> None:
        if not self.team.writes or not self.step:
            return
        sample = self.validation.sample() if self.validation else Batch(*self.pool.batch(self.step - 1))
        write_sheet(self.out / "sheet.png", self.average.network, sample, device=self.team.device)
        report.write(self.out, self.config, ended=ended, validation=self.watch.latest)

    # ---- steps

    def _expect_number(self, value: Tensor, optimiser: torch.optim.Optimizer, step: int) -> None:
        rate = optimiser.param_groups[0]["lr"]
        self.watch.expect_number(float(value.detach()), step=step, rate=rate, where=str(self.checkpoint))

    def _advance(
        self, loss: Tensor, optimiser: torch.optim.Optimizer, weights: list[nn.Parameter], step: int
    ) -> float:
        """One step of an optimiser; returns the length of the gradient before it was clipped."""
        self._expect_number(loss, optimiser, step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.team.average_gradients(weights)
        norm = float(nn.utils.clip_grad_norm_(weights, self.config.clip))
        optimiser.step()
        return norm
