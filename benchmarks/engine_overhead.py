"""What the engine adds to its network: a 24 MP 16-bit TIFF end to end, against the network alone on the same tiles.

And what halos cost: in multiplications and additions of all tiles over those of their cores alone (a network lets go of
its halo on the way), and in pixels read over those of the picture.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import cast

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import _scans
from benchmarks.setting import say
from stylizer.cards import packaged_card
from stylizer.engine import Engine, Source
from stylizer.models import Restorer
from stylizer.recipe import resolve

WIDTH, HEIGHT = 6000, 4000
MOST = 1.15


def main() -> None:
    torch.set_num_threads(os.cpu_count() or 1)
    engine, recipe = Engine(device="cpu"), resolve("restore", cards=packaged_card)
    network = cast(Restorer, engine.stage(recipe.steps[0], recipe.precision).network)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        scan = _scans.write(Path(folder) / "scan.tif", WIDTH, HEIGHT)
        started = time.perf_counter()
        report = engine.apply(Source(scan), recipe, out=Path(folder)).report
        whole = time.perf_counter() - started
        tile = torch.rand(1, 3, *report.tile).contiguous(memory_format=torch.channels_last)
        network(tile, network.halo)
        started = time.perf_counter()
        for _tile in range(report.tiles):
            network(tile, network.halo)
        alone = time.perf_counter() - started
        core = tile[..., network.halo : -network.halo, network.halo : -network.halo]
        halo = _operations(network, tile, network.halo) / _operations(network, core, 0)
    rows, columns = report.tile
    covered = report.tiles * (rows - 2 * network.halo) * (columns - 2 * network.halo) / (WIDTH * HEIGHT)
    figures = {
        "engine s": whole, "network s": alone, "engine / network": whole / alone, "tiles": report.tiles,
        "halo, arithmetic": halo * covered, "halo, pixels": report.tiles * rows * columns / (WIDTH * HEIGHT),
    }  # fmt: skip
    passed = figures["engine / network"] <= MOST and figures["halo, arithmetic"] <= 1.4
    say("engine / network ≤ 1.15 and halo ≤ 1.4 at 24 MP, 16 bit, fp32", figures, passed=passed)


def _operations(network: Restorer, x: torch.Tensor, halo: int) -> int:
    with FlopCounterMode(display=False) as counter:
        network(x, halo)
    return int(counter.get_total_flops())


if __name__ == "__main__":
    main()
