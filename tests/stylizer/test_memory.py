"""Memory does not grow with the picture: measured by the operating system, in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import _scans
from stylizer.cards import Weights
from stylizer.recipe import Recipe

APPLY = """
import json, resource, sys
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
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
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
def test_three_times_the_picture_takes_no_more_memory(
    tmp_path: Path, weights: Weights, recipe: Recipe
) -> None:
    # Two bands and six: whatever is kept of a band after it was written would show.
    two, six = (peak(tmp_path, weights, recipe, 4000, height) for height in (2000, 6000))
    assert six < two + 120
    assert six < 1000
