"""One run of the engine in a process of its own: `python -m benchmarks._apply SCAN [PRECISION]` prints its figures.

The seconds are those of `Engine.apply` with the network warm: reading, hashing, the network, encoding, sidecars. The
memory is the most the process ever had, as the operating system counts it.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.setting import peak_mebibytes
from stylizer.cards import packaged_card
from stylizer.engine import Engine, Source
from stylizer.recipe import resolve


def main(scan: Path, precision: str) -> None:
    torch.set_num_threads(os.cpu_count() or 1)
    engine = Engine(device="cpu")
    recipe = resolve("restore", cards=packaged_card, precision=precision)
    engine.stage(recipe.steps[0], precision)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        report = engine.apply(Source(scan), recipe, out=Path(folder)).report
        seconds = time.perf_counter() - started
    rows, columns = report.tile
    read = report.tiles * rows * columns / (report.width * report.height)
    found = {"seconds": seconds, "peak": peak_mebibytes(), "halo": read, "tiles": report.tiles}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "archival")
