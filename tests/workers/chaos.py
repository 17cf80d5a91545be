"""Chaos: an archive of its own with real workers, to which everything happens that happens at night.

    python -m tests.workers.chaos HOME SECONDS

Workers are killed at random, Redis is flushed and shut down, PostgreSQL is restarted, the store refuses to be written
or is full (where this process may mount: under `unshare --mount`), messages come twice. Then it is left alone, and what
is so at the end is printed as JSON.
"""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SCANS, WORKERS, POISON = 60, 2, 3
PATIENCE = 240.0  # seconds to come to rest afterwards
ROOT = Path(__file__).resolve().parents[2]


def main(home: Path, seconds: float) -> dict[str, Any]:
    os.environ |= {
        "PALIMPSEST_HOME": str(home), "DJANGO_SETTINGS_MODULE": "archive.settings", "PALIMPSEST_LEASE_SECONDS": "3",
        "PALIMPSEST_LOG_LEVEL": "ERROR", "SMALL_PAUSE": "0.03", "PYTHONWARNINGS": "ignore",
        "PALIMPSEST_SECRET_KEY": "only for chaos, and long enough for the framework's own check of it",
    }  # fmt: skip
    for name in ("DATABASE_URL", "REDIS_URL", "PALIMPSEST_STORE", "PALIMPSEST_RENDITIONS"):
        os.environ.pop(name, None)
    from archive.embedded import Addresses, Servers

    with Servers(Addresses.of(home), postgres=True, redis=True):
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0, interactive=False)
        job = _order()
        night = Night(home)
        try:
            night.pass_over(seconds)
            return night.morning(job)
        finally:
            night.end()


def _order() -> Any:
    from archive.accounts.models import Role
    from archive.catalogue.services import register_file, register_release
    from archive.jobs import services
    from archive.store import get_store
    from stylizer.cards import Card
    from tests.archive import factories

    weights = ROOT / "pyproject.toml"  # any bytes: the small engine does not look at them
    kept = get_store().put_path(weights)
    file = register_file(kept.sha256, size=kept.size, media_type="application/octet-stream")
    register_release(
        Card(
            name="restore", version="99.9.9", operation="restore", architecture="small", weights=kept.sha256
        ),
        file,
    )
    place = factories.collection("portraits")
    for seed in range(SCANS):
        values = factories.pixels(seed=seed)
        values[0, 0, 0] = 13 if seed < POISON else 14
        factories.master_of(place, values)
    odo = factories.user("odo", Role.ADMIN)
    return services.order(services.Scope(collection="portraits"), "restore", by=odo)


class Night:
    """Workers, and what befalls them. The same seed, the same night (as far as clocks allow)."""

    def __init__(self, home: Path) -> None:
        self.home, self.random = home, random.Random(8)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.befell: dict[str, int] = {}
        for _n in range(WORKERS):
            self.hire()

    def hire(self) -> None:
        with (self.home / "workers.log").open("ab") as log:
            name = f"chaos{self.random.randrange(10**9)}@{self.home.name}"
            self.workers.append(
                subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "celery",
                        "-A",
                        "tests.workers.small:app",
                        "worker",
                        "-Q",
                        "gpu",
                        "--pool",
                        "solo",
                        "-n",
                        name,
                        "--loglevel",
                        "ERROR",
                    ],
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def pass_over(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        time.sleep(8)  # let them begin
        for befalls in self._order_of_things(until):
            self.befell[befalls.__name__] = self.befell.get(befalls.__name__, 0) + 1
            befalls()
            self.sweep()
            time.sleep(self.random.uniform(1, 4))

    def _order_of_things(self, until: float) -> Any:
        """Each of them once at least; then at random."""
        things = [
            self.kill,
            self.flush,
            self.shut_redis,
            self.restart_postgres,
            self.close_store,
            self.deliver_twice,
            *([self.fill_store] if may_mount() else []),
        ]
        yield from things
        while time.monotonic() < until:
            yield self.random.choice(things)

    def kill(self) -> None:
        doomed = self.workers.pop(self.random.randrange(len(self.workers)))
        os.killpg(doomed.pid, signal.SIGKILL)
        doomed.wait()
        self.hire()

    def flush(self) -> None:
        self._redis("FLUSHALL")

    def shut_redis(self) -> None:
        self._redis("SHUTDOWN", "NOSAVE")

    def restart_postgres(self) -> None:
        pid = int((self.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGINT)  # a fast shutdown; its keeper starts it again

    def close_store(self) -> None:
        """What arrives cannot be written: a folder's place is taken, which stops root too."""
        incoming = self.home / "store" / "incoming"
        aside = incoming.with_name("aside")
        incoming.rename(aside)
        incoming.write_bytes(b"")
        time.sleep(3)
        incoming.unlink()
        aside.rename(incoming)

    def fill_store(self) -> None:
        """No room is left: a small file system, and a full one, lies where files arrive."""
        incoming = self.home / "store" / "incoming"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "full", str(incoming)], check=True)
        try:
            with contextlib.suppress(OSError):
                (incoming / "what fills it").write_bytes(bytes(1 << 16))
            time.sleep(3)
        finally:
            subprocess.run(["umount", "--lazy", str(incoming)], check=True)

    def deliver_twice(self) -> None:
        from archive.jobs import dispatch

        for _n in range(6):
            with contextlib.suppress(Exception):
                dispatch.work()

    def sweep(self) -> None:
        from django.db import Error, connection

        from archive.jobs import sweep

        with contextlib.suppress(Error):
            sweep.sweep()
        connection.close()

    def _redis(self, *words: str) -> None:
        import redis
        from django.conf import settings

        with contextlib.suppress(redis.RedisError):
            redis.Redis.from_url(settings.REDIS_URL).execute_command(*words)  # type: ignore[no-untyped-call]

    def morning(self, job: Any) -> dict[str, Any]:
        """Leave it alone until nothing is open, then look at everything."""
        from archive.jobs.models import Job

        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.sweep()
            with contextlib.suppress(Exception):
                job.refresh_from_db()
                if job.state == Job.State.FINISHED:
                    break
            time.sleep(1)
        return self.found(job)

    def found(self, job: Any) -> dict[str, Any]:
        from django.db.models import Count

        from archive.catalogue.models import Event, StoredFile, Version
        from archive.jobs.models import Attempt, JobItem
        from archive.jobs.progress import counts_of
        from archive.preservation import orphans
        from archive.store import get_store

        made = Version.objects.filter(derived_from__isnull=False)
        doubles = made.values("derived_from").annotate(n=Count("pk")).filter(n__gt=1).count()
        wrong = [f.sha256 for f in StoredFile.objects.all() if digest(get_store().open(f.sha256)) != f.sha256]
        counted: dict[str, int] = {}
        for state in job.items.values_list("state", flat=True):
            counted[state] = counted.get(state, 0) + 1
        events = Event.objects.filter(type="derivation", objects_linked__role="outcome").count()
        outcomes = dict(Attempt.objects.order_by().values_list("outcome").annotate(n=Count("pk")))
        for orphan in orphans.files_without_rows():
            orphans.remove(orphan, older_than=-1.0)
        return {
            "state": job.state, "counts": counted, "tally": counts_of(job.pk), "versions": made.count(),
            "doubles": doubles, "events": events, "wrong bytes": wrong, "attempts": outcomes,
            "codes": sorted(set(JobItem.objects.filter(state="failed").values_list("code", flat=True))),
            "rows without files": sum(1 for _ in orphans.rows_without_files()),
            "files without rows": sum(1 for _ in orphans.files_without_rows()), "befell": self.befell,
        }  # fmt: skip

    def end(self) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def may_mount() -> bool:
    """Was this started in a mount namespace of its own, in which nobody else sees what is mounted?"""
    return os.environ.get("CHAOS_MAY_MOUNT") == "yes"


def digest(stream: Any) -> str:
    with stream:
        return hashlib.sha256(stream.read()).hexdigest()


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(main(Path(sys.argv[1]), float(sys.argv[2]))) + "\n")
