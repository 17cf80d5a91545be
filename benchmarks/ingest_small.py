"""Ingest of small JPEGs: at least 25 files a second, renditions queued and not made."""

import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.setting import archive, say

FILES, LEAST = 200, 25.0  # files; files a second


def pictures(folder: Path) -> list[Path]:
    random = np.random.default_rng(7)
    folder.mkdir()
    made = []
    for number in range(FILES):
        coarse = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        path = folder / f"{number:04}.jpg"
        Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC).save(path, quality=88)
        made.append(path)
    return made


def main() -> None:
    with archive() as home:
        from archive.catalogue.models import Version
        from archive.catalogue.services import create_collection
        from archive.ingest.services import receive

        collection = create_collection("bench", title="Benchmark", by=None)
        files = pictures(home / "scans")
        started = time.perf_counter()
        for path in files:
            receive(path, filename=path.name, collection=collection, by=None)
        seconds = time.perf_counter() - started
        assert Version.objects.count() == FILES
        rate = FILES / seconds
        say("small JPEGs ingested a second, at least 25", {"files/s": rate}, passed=rate >= LEAST)


if __name__ == "__main__":
    main()
