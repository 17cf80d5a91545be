"""What the engine adds to its network: a 24 MP 16-bit TIFF end to end, against the network alone on the same tiles."""

import os
import tempfile
import time
from pathlib import Path

import torch

from benchmarks import _scans
from benchmarks.setting import say
from stylizer.cards import packaged_card
from stylizer.engine import Engine, Source
from stylizer.recipe import resolve

WIDTH, HEIGHT = 6000, 4000
MOST = 1.15


def main() -> None:
    torch.set_num_threads(os.cpu_count() or 1)
    engine, recipe = Engine(device="cpu"), resolve("restore", cards=packaged_card)
    network = engine.stage(recipe.steps[0], recipe.precision).network
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        scan = _scans.write(Path(folder) / "scan.tif", WIDTH, HEIGHT)
        started = time.perf_counter()
        report = engine.apply(Source(scan), recipe, out=Path(folder)).report
        whole = time.perf_counter() - started
        tile = torch.rand(1, 3, *report.tile).contiguous(memory_format=torch.channels_last)
        network(tile)
        started = time.perf_counter()
        for _tile in range(report.tiles):
            network(tile)
        alone = time.perf_counter() - started
    rows, columns = report.tile
    figures = {
        "engine s": whole, "network s": alone, "engine / network": whole / alone, "tiles": report.tiles,
        "halo cost": report.tiles * rows * columns / (WIDTH * HEIGHT),
    }  # fmt: skip
    passed = figures["engine / network"] <= MOST and figures["halo cost"] <= 1.4
    say("engine / network ≤ 1.15 and halo ≤ 1.4 at 24 MP, 16 bit, fp32", figures, passed=passed)


if __name__ == "__main__":
    main()
