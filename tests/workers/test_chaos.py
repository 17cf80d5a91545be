"""A night in which everything goes wrong. `PALIMPSEST_CHAOS_SECONDS` makes it longer."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers.chaos import POISON, ROOT, SCANS

SECONDS = float(os.environ.get("PALIMPSEST_CHAOS_SECONDS", "120"))


def may_unshare() -> bool:
    """Can the night have a mount namespace of its own? Then its store can be full without anybody else's being so."""
    program = shutil.which("unshare")
    trial = ["--mount", "mount", "-t", "tmpfs", "trial", "/tmp"]
    return program is not None and subprocess.run([program, *trial], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 500)
def test_after_a_night_of_chaos_every_item_is_done_once_or_failed_with_a_true_reason(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PALIMPSEST_")}
    alone = ["unshare", "--mount"] if may_unshare() else []
    done = subprocess.run(
        [*alone, sys.executable, "-m", "tests.workers.chaos", str(tmp_path / "home"), str(SECONDS)],
        cwd=ROOT, env=kept | ({"CHAOS_MAY_MOUNT": "yes"} if alone else {}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["state"] == "finished", found
    assert found["counts"] == found["tally"] == {"done": SCANS - POISON, "failed": POISON}, found
    assert found["codes"] == ["engine-bad-tile"], found
    assert (found["versions"], found["events"]) == (SCANS - POISON, SCANS - POISON), found
    assert (found["doubles"], found["wrong bytes"]) == (0, []), found
    assert (found["rows without files"], found["files without rows"]) == (0, 0), found
    assert len(found["befell"]) == (7 if alone else 6), found
