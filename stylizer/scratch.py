"""A folder for files on their way, beside where they are going: gone when the work ends, however it ends.

Whoever works in one holds a lock on it, which the system lets go of when a process ends, even one that was killed. The
next run for the same place finds such a folder without a holder, and clears it away.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "in-use"


@contextmanager
def scratch(out: Path, name: str) -> Iterator[Path]:
    """A folder in `out`, hidden, on the same file system. What killed runs left in `out` for `name` goes first."""
    prefix = f".{name[:40]}."
    for left in out.glob(f"{_literally(prefix)}*/{LOCK}"):
        _clear_abandoned(left)
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=out) as folder,
        (Path(folder) / LOCK).open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(folder)


def _clear_abandoned(lock: Path) -> None:
    try:
        with lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
    except (BlockingIOError, FileNotFoundError):  # in use; or its owner has just ended
        return


def _literally(text: str) -> str:
    """A name as a pattern that matches it alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)
