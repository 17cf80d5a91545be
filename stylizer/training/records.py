"""What a run writes while it runs: one JSON object a line, and a bar where somebody is looking."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm


class Records:
    """log.jsonl of a run's folder, and the progress bar. Only the process that `writes` leaves a trace."""

    def __init__(self, out: Path, *, writes: bool = True) -> None:
        self._path, self._writes = out / "log.jsonl", writes
        self._bar: tqdm[Any] | None = None

    def log(self, **figures: Any) -> None:
        if not self._writes:
            return
        rounded = {
            key: round(value, 6) if isinstance(value, float) else value for key, value in figures.items()
        }
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(rounded) + "\n")
        if self._bar is not None:
            shown = {k: rounded[k] for k in ("loss", "gain_db", "psnr") if k in rounded}
            if shown:
                self._bar.set_postfix(shown, refresh=False)

    def bar(self, stage: str, steps: int | None, done: int) -> None:
        """Begin the bar of a stage; without `steps` it counts only."""
        self.close()
        silent = not self._writes or not sys.stderr.isatty()
        self._bar = tqdm(total=steps, initial=done, desc=stage, unit="step", disable=silent)

    def advance(self) -> None:
        if self._bar is not None:
            self._bar.update()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def read(out: Path) -> Iterator[dict[str, Any]]:
    """The lines of a run's log, oldest first; a line cut off by a crash is left out."""
    path = out / "log.jsonl"
    if not path.exists():
        return
    for line in path.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue
