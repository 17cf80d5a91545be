"""Training the judge of a restorer that is otherwise finished: where does its own repair make a picture better?

The frozen network sees some thousand damaged pictures once; what it made of them is kept, and the judge learns on that,
minutes instead of hours. Each pixel votes for what would be gained or lost around it, measured by its picture's own
damage; the floor of the gate (chosen on the tuning pictures) then says how much surer than even the judge must be.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylizer.models import channels_last, create
from stylizer.models.judged import JudgedHead, JudgedRestorer, from_plain
from stylizer.training import photos, schedule, state
from stylizer.training.config import Restore
from stylizer.training.pairs import make_shard
from stylizer.training.records import Records

EASE = 2e-5  # 47 dB: errors below it are not worth a risk
LARGEST = 20.0  # no pixel's vote counts for more
CHUNK = 8
CROP = 96


@dataclass(frozen=True)
class Cases:
    """What the frozen network saw and proposed: fine (n, C, s/2, s/2) half precision; damaged, target uint8."""

    fine: Tensor
    damaged: Tensor
    target: Tensor

    def __len__(self) -> int:
        return len(self.fine)

    def cut(self, places: Sequence[int], rng: np.random.Generator) -> Cases:
        """A random square of CROP px (or all of a smaller one) of each of these."""
        parts: list[tuple[Tensor, Tensor, Tensor]] = []
        span = min(CROP, self.damaged.shape[2])
        for place in places:
            top, left = (8 * int(rng.integers(0, (side - span) // 8 + 1)) for side in self.damaged.shape[2:])
            rows, columns = slice(top, top + span), slice(left, left + span)
            half = slice(top // 2, (top + span) // 2), slice(left // 2, (left + span) // 2)
            parts.append((self.fine[place][(slice(None), *half)], self.damaged[place][:, rows, columns],
                          self.target[place][:, rows, columns]))  # fmt: skip
        return Cases(*(torch.stack(column) for column in zip(*parts, strict=True)))


def proposed(head: JudgedHead, cases: Cases) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Damaged and target in 0…1, the whole residual, and the judge's logits."""
    residual, verdict, _ = head(cases.fine.float()).split((3, 1, 1), 1)
    return cases.damaged.float() / 255, cases.target.float() / 255, residual, verdict


def gain(damaged: Tensor, target: Tensor, residual: Tensor) -> Tensor:
    """(B, 1, H, W): what repair gains around each pixel (negative: loses), in shares of its picture's mean error."""
    before = (damaged - target).square().mean(1, keepdim=True)
    after = (damaged + residual - target).square().mean(1, keepdim=True)
    around = F.avg_pool2d(before - after, 5, 1, 2, count_include_pad=False)
    share: Tensor = (around / (before.mean((1, 2, 3), keepdim=True) + EASE)).clamp(-LARGEST, LARGEST)
    return share


def loss(verdict: Tensor, gained: Tensor, *, harm: float = 1.0) -> Tensor:
    """Cross-entropy in which each pixel counts for what is at stake there, a loss for `harm` times an equal gain.

    The judge so learns the odds of help against harm; it is even where `harm` times as much would be lost as gained.
    """
    return (gained.relu() * F.softplus(-verdict) + harm * (-gained).relu() * F.softplus(verdict)).mean()


class JudgeRun:
    """Gather cases, train the judge, write a checkpoint that a release can be made of."""

    def __init__(
        self, config: Restore, paths: Sequence[Path], out: Path, *, weights: Path, workers: int = 0
    ) -> None:
        self.config, self.out = config, out
        self.paths, self.held = photos.kept_back(paths, config.watch.share)
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        plain = state.weights(weights)
        fresh = cast(JudgedRestorer, create("judged-restorer", **config.architecture))
        self.network = channels_last(from_plain(plain, fresh)).eval()
        self.records = Records(out)

    @torch.inference_mode()
    def gather(self, paths: Sequence[Path], shards: Sequence[int]) -> Cases:
        """The pictures of these shards through everything before the judge."""
        fine, damaged, target = [], [], []
        head = self.network.head
        kept: list[Tensor] = []
        hook = head.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0].half()))
        side = self.config.side // 8 * 8
        for index in shards:
            shard = torch.from_numpy(make_shard(paths, self.config, index))[:, :, :side, :side]
            for start in range(0, len(shard), CHUNK):
                part = shard[start : start + CHUNK]
                seen = part[:, :3].float() / 255
                self.network(seen.contiguous(memory_format=torch.channels_last))
                damaged.append(part[:, :3])
                target.append(part[:, 3:6])
            fine += kept
            kept.clear()
        hook.remove()
        return Cases(torch.cat(fine), torch.cat(damaged), torch.cat(target))

    def train(self) -> Path:
        """The steps of the settings; returns the checkpoint."""
        config, begun = self.config, time.monotonic()
        count = config.pool
        cases = self.gather(self.paths, range(count))
        test = self.gather(self.held, [count])
        head = self.network.head
        assert isinstance(head, JudgedHead)  # noqa: S101  # JudgedRestorer puts it there
        head.propose.requires_grad_(False)
        weights = list(head.judge.parameters())
        optimiser = torch.optim.AdamW(weights, lr=config.rate, weight_decay=config.weight_decay)
        average = state.Average(head.judge, config.ema)
        self.records.bar("judge", config.steps, 0)
        for step in range(config.steps):
            behind = step / config.steps
            schedule.set_rate(optimiser, config.rate * schedule.shape(behind, step, config.warmup, 0.02))
            rng = np.random.default_rng((config.seed, 5, step))
            part = cases.cut(rng.integers(0, len(cases), config.batch).tolist(), rng)
            damaged, target, residual, verdict = proposed(head, part)
            total = loss(verdict, gain(damaged, target, residual.detach()), harm=config.judge_harm)
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(weights, config.clip)
            optimiser.step()
            average.update(head.judge, step)
            self.records.advance()
            if (step + 1) % config.log_every == 0:
                told = {"loss": float(total.detach()), "opened": float((verdict > 0).float().mean())}
                self.records.log(stage="judge", step=step + 1, seconds=time.monotonic() - begun, **told)
        head.judge.load_state_dict(average.network.state_dict())
        for floor in (0.5, 0.7, 0.9):
            self.records.log(
                stage="validation", step=config.steps, floor=floor, **self.judge(test, floor=floor)
            )
        self.records.close()
        return self._save(config.steps, time.monotonic() - begun)

    @torch.inference_mode()
    def judge(self, cases: Cases, *, floor: float = 0.5) -> dict[str, float]:
        """Gain in dB on pictures with damage, the share that got worse by 0.3 dB, PSNR of sound ones."""
        head = self.network.head
        assert isinstance(head, JudgedHead)  # noqa: S101
        befores, afters = [], []
        for start in range(0, len(cases), CHUNK):
            some = slice(start, start + CHUNK)
            part = Cases(cases.fine[some], cases.damaged[some], cases.target[some])
            damaged, target, residual, verdict = proposed(head, part)
            opened = ((verdict.sigmoid() - floor) / (0.95 - floor)).clamp(0, 1)
            befores.append((damaged - target).square().mean((1, 2, 3)))
            afters.append((damaged + opened * residual - target).square().mean((1, 2, 3)))
        before, after = torch.cat(befores), torch.cat(afters)
        touched = before > 1e-6
        gained = 10 * ((before + 1e-7) / (after + 1e-7)).log10()
        return {
            "gain_db": float(gained[touched].mean()), "worse_share": float((gained[touched] < -0.3).float().mean()),
            "clean_db": float(-10 * (after[~touched] + 1e-7).log10().mean()),
        }  # fmt: skip

    def _save(self, steps: int, seconds: float) -> Path:
        path = self.out / "checkpoint.pt"
        weights = self.network.state_dict()
        state.save(path, {"network": weights, "average": weights, "step": steps, "tone_step": 0,
                          "seconds": seconds, "config": state.text(self.config.to_dict())})  # fmt: skip
        return path
