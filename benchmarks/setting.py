"""An empty archive on servers of its own, for as long as a benchmark runs."""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path


@contextlib.contextmanager
def archive(kept: Path | None = None) -> Iterator[Path]:
    """A migrated archive in a temporary home, or in one that is kept; as durable as a real one, or the figures would
    flatter us."""
    with contextlib.ExitStack() as stack:
        home = kept or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="palimpsest-bench-")))
        os.environ |= {"PALIMPSEST_HOME": str(home), "DJANGO_SETTINGS_MODULE": "archive.settings"}
        os.environ["PALIMPSEST_LOG_LEVEL"] = "WARNING"
        for name in ("DATABASE_URL", "REDIS_URL", "PALIMPSEST_STORE"):
            os.environ.pop(name, None)
        from archive.embedded import Addresses, Servers

        with Servers(Addresses.of(home), postgres=True, redis=True):
            import django
            from django.core.management import call_command
            from django.db import connections

            django.setup()
            call_command("migrate", verbosity=0, interactive=False)
            try:
                yield home
            finally:
                connections.close_all()


def peak_mebibytes() -> float:
    """The most memory this process ever had. Not `ru_maxrss`: a process inherits that of the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def say(claim: str, figures: Mapping[str, float], *, passed: bool | None) -> None:
    rounded = {name: round(value, 2) for name, value in figures.items()}
    sys.stdout.write(json.dumps({"claim": claim, "figures": rounded, "passed": passed}) + "\n")
