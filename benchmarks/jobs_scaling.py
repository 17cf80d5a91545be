"""How throughput grows with workers: 1 to 16 of them, with an engine that takes a set time and no processor."""

from benchmarks._jobs import clear, people, release, run, scans
from benchmarks.setting import archive, say

WORKERS, ENGINE, SECONDS = (1, 2, 4, 8, 16), 0.25, 12.0  # an engine as fast as a GPU on a small scan


def main() -> None:
    with archive():
        from django.db import connections

        from archive.jobs import freezing, services

        odo = people()
        release()
        scans(3_000)
        figures: dict[str, float] = {}
        for workers in WORKERS:
            clear()
            job = services.order(services.Scope(collection="bench"), "restore", by=odo, again=True)
            freezing.freeze(job.pk)
            connections.close_all()
            ran = run(workers, ENGINE, SECONDS)
            figures[f"{workers} workers, items/s"] = ran.items / ran.wall
            figures[f"{workers}, of what is possible"] = ran.items / ran.wall * ENGINE / workers
        say("items a second with 1 to 16 workers and an engine of a quarter second", figures, passed=None)


if __name__ == "__main__":
    main()
