"""Fifty thousand items: pages ask for no more than with five, a cancel is quick, an order passes no rows through us."""

import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection
from archive.jobs import freezing, services
from archive.jobs.models import Job, JobItem
from archive.jobs.progress import counts_of
from tests.archive import factories

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MANY = 50_000


@pytest.fixture
def many(portraits: Collection) -> None:
    """Items and scans by the ORM, in bulk: their tables belong to others and change."""
    from archive.catalogue.models import Item, Scan, Version

    catalogue.register_release(
        factories.CARD,
        catalogue.register_file(factories.CARD.weights, size=1, media_type="application/octet-stream"),
    )
    file = factories.stored(factories.tiff_bytes())
    for start in range(0, MANY, 5_000):
        items = Item.objects.bulk_create(
            [Item(collection=portraits, sensitive=(start + n) % 1_000 == 0) for n in range(5_000)]
        )
        scans = Scan.objects.bulk_create([Scan(item=item, position=1) for item in items])
        Version.objects.bulk_create(
            [
                Version(scan=scan, number=1, role="master", file=file, width=64, height=48, bands=3, bits=8)
                for scan in scans
            ]
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE catalogue_scan s SET current_master_id = v.id FROM catalogue_version v WHERE v.scan_id = s.id"
        )
        cursor.execute("ANALYZE")


@pytest.mark.timeout(600)
def test_an_order_of_fifty_thousand_is_frozen_watched_and_cancelled(many: None, odo: User) -> None:
    started = time.monotonic()
    job = services.order(services.Scope(collection="portraits"), "restore", by=odo)
    assert (job.state, job.expected) == (Job.State.FREEZING, MANY)
    asked = time.monotonic() - started
    with CaptureQueriesContext(connection) as frozen:
        freezing.freeze(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    assert counts_of(job.pk) == {"queued": MANY - MANY // 1_000, "excluded": MANY // 1_000}
    assert len(frozen) < 150  # statements, whatever the number of rows
    assert list(job.items.order_by("position").values_list("position", flat=True)) == list(range(1, MANY + 1))

    client = Client()
    client.force_login(odo)
    for name, more in (
        ("jobs:job", ""),
        ("jobs:progress", ""),
        ("jobs:progress", "?rows=1"),
        ("jobs:buttons", ""),
    ):
        address = reverse(name, args=[job.pk]) + more
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(address)
        assert (answer.status_code, len(seen) <= 12) == (200, True), f"{name}: {len(seen)}"
    unchanged = client.get(reverse("jobs:buttons", args=[job.pk]), headers={"If-None-Match": answer["ETag"]})
    assert unchanged.status_code == 304

    started = time.monotonic()
    services.cancel(job, by=odo)
    cancelled = time.monotonic() - started
    assert not job.items.filter(state=JobItem.State.QUEUED).exists()
    assert counts_of(job.pk)["cancelled"] == MANY - MANY // 1_000
    # Bounds for a machine that does other things too; the figures are measured in benchmarks/.
    assert (asked < 10, cancelled < 60) == (True, True), (asked, cancelled)
