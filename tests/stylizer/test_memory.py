"""Memory does not grow with the picture: measured by the operating system, in processes of their own."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import _scans
from stylizer.cards import Weights
from stylizer.recipe import Recipe

# Not ru_maxrss: a new process inherits that of the one that started it.
APPLY = r"""
import json, re, sys
from pathlib import Path
import torch
from stylizer.cards import Card, Weights
from stylizer.engine import Engine, Source
from stylizer.recipe import Recipe
torch.set_num_threads(2)
weights, card, recipe, source, out = sys.argv[1:6]
found = Weights(Path(weights), Card.from_json(card))
engine = Engine(device="cpu", weights=lambda _: found)
report = engine.apply(Source(Path(source)), Recipe.from_json(recipe), out=Path(out)).report
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"peak": peak, "width": report.width, "height": report.height}))
"""


def peak(folder: Path, weights: Weights, recipe: Recipe, width: int, height: int) -> float:
    """The most memory one run ever had, in MiB."""
    scan = _scans.write(folder / f"{height}.tif", width, height)
    arguments = [str(weights.path), json.dumps(weights.card.to_dict()), recipe.canonical().decode()]
    done = subprocess.run(
        [sys.executable, "-c", APPLY, *arguments, str(scan), str(folder / "out")],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert (found["width"], found["height"]) == (width, height)
    return float(found["peak"])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_four_times_the_picture_takes_no_more_memory(
    tmp_path: Path, weights: Weights, recipe: Recipe
) -> None:
    # Read and written whole, six thousand rows more would take 288 MB; the same tiles, so that only that can differ.
    recipe = replace(recipe, tile=1024)
    two, eight = (peak(tmp_path, weights, recipe, 4000, height) for height in (2000, 8000))
    assert eight < two + 200
    assert eight < 1200
