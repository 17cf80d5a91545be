"""Seconds and memory from 1 to 140 megapixels: time grows with the picture, memory does not. Draws docs/growth.svg."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import _plot, _scans
from benchmarks.setting import say

SIZES = [(1000, 1000), (2000, 2000), (4000, 4000), (8000, 8000), (10_000, 14_000)]
MOST_MEMORY = 1500.0  # MB
PLOT = Path(__file__).resolve().parent.parent / "docs" / "growth.svg"


def measure(folder: Path, width: int, height: int) -> dict[str, float]:
    scan = _scans.write(folder / "scan.tif", width, height)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._apply", str(scan)], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    figures: dict[str, float] = {}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            megapixels = width * height / 1e6
            found = measure(Path(folder), width, height)
            memory = found["peak"] * 2**20 / 1e6
            rows.append((megapixels, found["seconds"], memory))
            figures |= {
                f"{megapixels:g} MP s": found["seconds"], f"{megapixels:g} MP MB": memory,
                f"{megapixels:g} MP halo": found["halo"],
            }  # fmt: skip
    PLOT.write_text(_plot.draw(rows), "utf-8")
    largest, middle = rows[-1], rows[2]
    # Linear: the last megapixel costs what one of the first sixteen does, within a fifth.
    figures["s/MP at 140 / at 16"] = (largest[1] / largest[0]) / (middle[1] / middle[0])
    passed = max(memory for _, _, memory in rows) < MOST_MEMORY and figures["s/MP at 140 / at 16"] < 1.2
    say("1 to 140 MP in fp32: memory < 1500 MB, time linear", figures, passed=passed)


if __name__ == "__main__":
    main()
