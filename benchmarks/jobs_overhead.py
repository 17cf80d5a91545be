"""Overhead per item besides the engine (claim, verify, store, record): at least 100 items a second on two cores."""

from benchmarks._jobs import people, release, run, scans
from benchmarks.setting import archive, say

ITEMS, WORKERS, SECONDS, LEAST = 5_000, 2, 40.0, 100.0
QUERIES = 6.0  # an item, at most


def main() -> None:
    with archive():
        from django.db import connections

        from archive.jobs import freezing, services
        from archive.jobs.models import JobItem

        odo = people()
        release()
        scans(ITEMS, files=ITEMS)
        job = services.order(services.Scope(collection="bench"), "restore", by=odo)
        freezing.freeze(job.pk)
        connections.close_all()
        ran = run(WORKERS, 0.0, SECONDS)
        rows = JobItem.objects.filter(state="done").order_by("ended").values_list("ended", flat=True)
        done = [at.timestamp() for at in rows if at]
        third = len(done) // 3
        first, last = ((len(part) - 1) / (part[-1] - part[0]) for part in (done[:third], done[2 * third :]))
        rate, asked = ran.items / ran.wall, ran.statements / ran.items
        say(
            f"items a second with a stand-in engine, {WORKERS} workers on two cores, at least {LEAST:.0f}",
            {
                "items/s": rate, "first third": first, "last third": last, "items": float(ran.items),
                "statements/item": asked,
            },
            passed=rate >= LEAST and asked <= QUERIES,
        )  # fmt: skip


if __name__ == "__main__":
    main()
