"""On a GPU: the engine end to end, the network alone, and the network's share of the matrix peak, all in one run.

Without a GPU there is nothing to measure, and it says so. Aim: 100 MP/s end to end on an H200-class GPU with 16 cores.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import _scans
from benchmarks.setting import say
from stylizer.cards import packaged_card
from stylizer.engine import BATCHES, Engine, Source
from stylizer.recipe import resolve

WIDTH, HEIGHT = 8000, 8000
MATRIX = 8192
AIM = 100.0


def seconds(run: Callable[[], object], rounds: int) -> float:
    """Of one round, after one that does not count."""
    run()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _round in range(rounds):
        run()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / rounds


def matrix_peak(dtype: torch.dtype) -> float:
    """Floating-point operations a second that a plain product of two large matrices reaches."""
    a, b = (torch.rand(MATRIX, MATRIX, device="cuda", dtype=dtype) for _ in range(2))
    return float(2 * MATRIX**3 / seconds(lambda: a @ b, 20))


def main() -> None:
    if not torch.cuda.is_available():
        say("restore on a GPU, aim 100 MP/s end to end: no GPU here, nothing was measured", {}, passed=None)
        return
    torch.set_num_threads(os.cpu_count() or 1)
    megapixels, figures = WIDTH * HEIGHT / 1e6, {}
    engine = Engine(device="cuda")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        scan = _scans.write(Path(folder) / "scan.tif", WIDTH, HEIGHT)
        for precision, dtype in (("archival", torch.float32), ("fast", torch.bfloat16)):
            recipe = resolve("restore", cards=packaged_card, precision=precision)
            engine.apply(Source(scan), recipe, out=Path(folder))  # warm
            started = time.perf_counter()
            report = engine.apply(Source(scan), recipe, out=Path(folder)).report
            figures[f"{precision} MP/s"] = megapixels / (time.perf_counter() - started)
            network = engine.stage(recipe.steps[0], precision).network
            tiles = torch.rand(BATCHES["cuda"], 3, *report.tile, device="cuda")
            tiles = tiles.contiguous(memory_format=torch.channels_last)
            with FlopCounterMode(display=False) as counter:
                network(tiles)
            once = seconds(lambda net=network, x=tiles: net(x), 10)  # type: ignore[misc]
            figures[f"{precision} network MP/s"] = tiles.shape[0] * tiles[0, 0].numel() / 1e6 / once
            figures[f"{precision} share of matrix peak"] = (
                counter.get_total_flops() / once / matrix_peak(dtype)
            )
    say(f"restore on {torch.cuda.get_device_name()}, aim {AIM:g} MP/s end to end in fast", figures,
        passed=figures["fast MP/s"] >= AIM)  # fmt: skip


if __name__ == "__main__":
    main()
