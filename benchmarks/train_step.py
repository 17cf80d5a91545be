"""Training steps a second: this trainer's way against the same networks in fp32, contiguous, in one run. A report.

A step is everything but the making of pictures: generator, all losses, the critic's turn and its verdict, both
optimisers. The other way is how pytorch-CycleGAN-and-pix2pix trains: the critic sees real and made pictures in two
passes, and nothing is in bf16 or channels_last. The two take turns, so that other work on the machine slows both.
"""

import time
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.setting import say
from stylizer.models import channels_last, create
from stylizer.models.discriminators import DISCRIMINATORS
from stylizer.training import adversarial, losses
from stylizer.training.adversary import Adversary
from stylizer.training.config import load
from stylizer.training.objective import Batch, Objective
from stylizer.training.team import gather, knows_bf16

CROP, BATCH, ROUNDS = 128, 4, 4
# The same work on both sides: no penalty, no augmentation.
GAME = replace(load(Path("perceptual")).adversary, r1=0.0, augment=())


def batch(device: torch.device) -> Batch:
    torch.manual_seed(1)
    shape = (BATCH, 3, CROP, CROP)
    target = torch.rand(shape, device=device)
    mask = (torch.rand(BATCH, 1, CROP, CROP, device=device) < 0.1).float()
    return Batch((target + 0.1 * torch.randn(shape, device=device)).clamp(0, 1), target, mask)


class Ours:
    """The step of the loop, without its records."""

    def __init__(self, device: torch.device) -> None:
        config = load(None)
        self.device, self.fast = device, knows_bf16(device)
        self.network = channels_last(create("restorer", **config.architecture).to(device))
        self.adversary = Adversary(GAME, seed=1, device=device)
        self.objective = Objective(config)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=1e-5)
        self.data = batch(device)

    def __call__(self) -> None:
        damaged, target, mask = self.data
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.fast):
            out = self.network(damaged.contiguous(memory_format=torch.channels_last))
        loss, _ = self.objective(out, self.data)
        fake = damaged + out.residual
        self.adversary.turn(0, damaged, fake, target, mask)
        loss = loss + 0.02 * self.adversary.verdict(0, damaged, fake, target, mask)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()


class Theirs:
    """The same networks and losses, fp32 and contiguous, the critic called for each set by itself."""

    def __init__(self, device: torch.device) -> None:
        config = load(None)
        self.network = create("restorer", **config.architecture).to(device)
        self.critic = DISCRIMINATORS["unet"](width=GAME.width).to(device)
        self.objective = Objective(config)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-5)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), lr=1e-5)
        self.data, self.game = batch(device), adversarial.GAMES[GAME.loss]

    def __call__(self) -> None:
        damaged, target, mask = self.data
        out = self.network(damaged)
        fake, places = damaged + out.residual, losses.around(mask, outside=0.1)
        made = self.critic(torch.cat([fake.detach(), damaged], 1))
        true = self.critic(torch.cat([target, damaged], 1))
        self.critic_optimiser.zero_grad()
        self.game.critic(true, made, places).backward()
        self.critic_optimiser.step()
        loss, _ = self.objective(out, self.data)
        made = self.critic(torch.cat([fake, damaged], 1))
        loss = loss + 0.02 * self.game.generator(true.detach(), made, places)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()


def main() -> None:
    device = gather().device
    ours, theirs = Ours(device), Theirs(device)
    best = {"ours": float("inf"), "theirs": float("inf")}
    for turn in range(ROUNDS + 1):
        for name, step in (("ours", ours), ("theirs", theirs)):
            started = time.perf_counter()
            step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if turn:
                best[name] = min(best[name], time.perf_counter() - started)
    ratio = best["theirs"] / best["ours"]
    figures = {"crops/s": BATCH / best["ours"], "fp32 contiguous crops/s": BATCH / best["theirs"],
               "times faster": ratio, "bf16": float(ours.fast)}  # fmt: skip
    say(f"training with a critic, {CROP} px crops, against fp32 contiguous, aim 3", figures, passed=None)


if __name__ == "__main__":
    main()
