"""Ordering 50 000 items: the request under a second, the list within 5 s and 200 MB; a job's page under 150 ms."""

import statistics
import time
import tracemalloc

from benchmarks._jobs import people, release, scans, timed
from benchmarks.setting import archive, peak_mebibytes, say

ITEMS = 50_000


def main() -> None:
    with archive():
        from django.db import connection
        from django.test import Client
        from django.test.utils import CaptureQueriesContext
        from django.urls import reverse

        from archive.jobs import freezing, services
        from archive.jobs.models import Job

        odo = people()
        release()
        scans(ITEMS)
        before = peak_mebibytes()
        tracemalloc.start()
        job, request = timed(lambda: services.order(services.Scope(collection="bench"), "restore", by=odo))
        assert job.state == Job.State.FREEZING
        _none, list_ = timed(lambda: freezing.freeze(job.pk))
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        job.refresh_from_db()
        assert (job.state, job.expected, job.items.count()) == (Job.State.RUNNING, ITEMS, ITEMS)
        client = Client(HTTP_HOST="localhost")
        client.force_login(odo)
        address = reverse("jobs:job", args=[job.pk])
        client.get(address)
        took = [timed(lambda: client.get(address))[1] for _ in range(15)]
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        started = time.perf_counter()
        services.cancel(job, by=odo)
        cancelled = time.perf_counter() - started
        page = statistics.median(took) * 1000
        figures = {
            "request s": request, "list s": list_, "MiB traced": peak, "MiB grown": peak_mebibytes() - before,
            "page ms": page, "page queries": float(len(seen)), "cancel s": cancelled,
        }  # fmt: skip
        kept = request < 1 and list_ <= 5 and figures["MiB grown"] < 200 and page < 150 and len(seen) <= 12
        say(f"ordering {ITEMS} items ≤ 5 s, the request < 1 s, the page < 150 ms", figures,
            passed=kept and cancelled <= 5)  # fmt: skip


if __name__ == "__main__":
    main()
