"""Restoring on the CPU: bf16 in channels_last against the same network in fp32, contiguous, in one run. A report."""

import time

import torch

from benchmarks.setting import say
from stylizer.cards import packaged
from stylizer.models import build, channels_last

SIDE, ROUNDS = 512, 5  # pixels; the best of so many rounds counts, since other work on the machine only slows


def best(network: torch.nn.Module, picture: torch.Tensor, *, fast: bool) -> float:
    """Seconds for one picture."""
    seconds = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
        network(picture)
        for _round in range(ROUNDS):
            started = time.perf_counter()
            network(picture)
            seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    card = next(card for card in packaged() if card.name == "restore")
    torch.manual_seed(7)
    network = build(card).eval()
    picture = torch.rand(1, 3, SIDE, SIDE)
    slow = best(network, picture, fast=False)
    network = channels_last(network)
    fast = best(network, picture.contiguous(memory_format=torch.channels_last), fast=True)
    figures = {"fp32 s": slow, "bf16 s": fast, "times faster": slow / fast}
    say(f"bf16 channels_last against fp32 contiguous, {SIDE}×{SIDE}, aim 3.5", figures, passed=None)


if __name__ == "__main__":
    main()
