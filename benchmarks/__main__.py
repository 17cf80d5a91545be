"""`make bench`: run every script of this folder by itself, keep what it says, and print a table.

A script prints one JSON object as its last line: `{"claim", "figures": {name: number}, "passed"}`, where null for
`passed` marks a report without a threshold. Each runs in a process of its own, so that none warms a cache for the next.
"""

import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def scripts() -> list[str]:
    return sorted(
        path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_") and path.stem != "setting"
    )


def run(name: str) -> dict[str, Any]:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}"],
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    try:
        found: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        found = {
            "claim": name,
            "figures": {},
            "passed": False,
            "problem": f"ended with status {done.returncode}",
        }
    return found | {"seconds": round(time.monotonic() - started, 1), "machine": platform.platform()}


def main() -> int:
    RESULTS.mkdir(exist_ok=True)
    failed = 0
    for name in scripts():
        found = run(name)
        (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
        figures = ", ".join(f"{key} {value:g}" for key, value in found["figures"].items())
        verdict = {True: "kept", False: "MISSED", None: "report"}[found["passed"]]
        failed += found["passed"] is False
        sys.stdout.write(f"{verdict:<7} {name:<18} {found['claim']}: {figures or found.get('problem', '')}\n")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
