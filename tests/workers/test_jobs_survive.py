"""Jobs through real queues and real worker processes, and what happens when these are killed."""

import io
import os
import signal
from datetime import timedelta

import numpy as np
import pytest
import redis
from django.conf import settings
from django.utils import timezone
from PIL import Image

from archive.accounts.models import User
from archive.catalogue.models import Collection, Event, Version
from archive.jobs import dispatch, services, standing, sweep
from archive.jobs.masks import Area, Where
from archive.jobs.models import Attempt, Job, JobItem, StandingOrder, Worker
from archive.previews import board
from archive.previews import services as previews
from archive.review.models import Review
from stylizer.cards import Card
from tests.archive import factories
from tests.workers.conftest import Start, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

S = JobItem.State


def ordered(portraits: Collection, odo: User, count: int) -> Job:
    for seed in range(count):
        factories.master(portraits, title=f"Portrait {seed}", seed=1000 + seed)
    return services.order(services.Scope(collection="portraits"), "restore", by=odo)


def finished(job: Job) -> bool:
    sweep.sweep()
    job.refresh_from_db()
    return job.state == Job.State.FINISHED


def states(job: Job) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in job.items.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_a_job_ends_with_one_linked_version_each_and_ordering_again_adds_nothing(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 4)
    worker()
    wait_until(lambda: finished(job))
    assert states(job) == {S.DONE: 4}
    made = Version.objects.exclude(role="master")
    assert made.count() == 4
    for version in made.select_related("derived_from", "review", "recipe"):
        assert version.role == "restored"
        assert version.derived_from is not None
        assert version.derived_from.is_master
        assert version.review.state == Review.State.DRAFT
        assert Event.objects.filter(type="derivation", objects_linked__version=version).exists()
    again = services.order(services.Scope(collection="portraits"), "restore", by=odo)
    assert again.state == Job.State.FINISHED
    assert states(again) == {S.REUSED: 4}


def test_a_killed_worker_and_a_flushed_queue_lose_nothing_and_double_nothing(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 6)
    doomed = worker(SMALL_PAUSE="0.3")
    wait_until(lambda: job.items.filter(state=S.RUNNING).exists())
    os.killpg(doomed.pid, signal.SIGKILL)
    redis.Redis.from_url(settings.REDIS_URL).flushall()
    worker()
    wait_until(lambda: finished(job), seconds=90)
    assert states(job) == {S.DONE: 6}
    assert Version.objects.filter(derived_from__isnull=False).count() == 6
    assert Attempt.objects.filter(item__job=job, outcome="lost").count() >= 1
    assert not JobItem.objects.filter(state=S.RUNNING).exists()


def test_an_item_delivered_twice_makes_one_version(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 3)
    worker()
    worker()
    for _n in range(10):
        dispatch.work()
    wait_until(lambda: finished(job))
    assert Version.objects.filter(derived_from__isnull=False).count() == 3
    assert Attempt.objects.filter(item__job=job).count() == 3


def test_a_poison_item_fails_with_a_sentence_and_stops_nobody(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    poison = factories.pixels(seed=5)
    poison[0, 0, 0] = 13
    factories.master_of(portraits, poison)
    job = ordered(portraits, odo, 2)
    worker()
    wait_until(lambda: finished(job))
    assert states(job) == {S.DONE: 2, S.FAILED: 1}
    failed = job.items.get(state=S.FAILED)
    assert (failed.code, failed.sentence) == (
        "engine-bad-tile",
        "The first pixel is 13, which this engine cannot do.",
    )


def test_cancel_stops_the_running_item_between_tiles_and_undo_withdraws_what_was_made(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 3)
    worker(SMALL_PAUSE="0.4")
    wait_until(lambda: job.items.filter(state=S.DONE).exists())
    services.cancel(job, by=odo, note="enough")
    wait_until(lambda: not job.items.filter(state=S.RUNNING).exists(), seconds=10)
    assert set(states(job)) == {S.DONE, S.CANCELLED}
    touched = services.undo(job, by=odo)
    assert (touched.withdrawn, touched.published) == (states(job)[S.DONE], 0)
    assert set(Review.objects.values_list("state", flat=True)) == {Review.State.WITHDRAWN}


def test_a_source_whose_bytes_changed_is_refused_and_noted(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 1)
    file = Version.objects.get(role="master").file
    np.testing.assert_equal(file.condition, "intact")
    from archive.store import get_store

    get_store().remove(file.sha256)
    worker()
    wait_until(lambda: finished(job))
    assert job.items.get().code == "store-missing"


def test_workers_are_seen_and_a_silent_one_is_noticed(odo: User, home: dict[str, str], worker: Start) -> None:
    process = worker()
    wait_until(lambda: Worker.objects.filter(stopped=None, kind="gpu").exists())
    os.killpg(process.pid, signal.SIGTERM)
    wait_until(lambda: not Worker.objects.filter(stopped=None, kind="gpu").exists(), seconds=20)


def test_a_preview_is_made_between_two_items_of_a_long_job(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 12)
    scan = Version.objects.select_related("scan__item__collection").filter(role="master").first()
    assert scan is not None
    worker(SMALL_PAUSE="0.2")
    wait_until(lambda: job.items.filter(state=S.DONE).exists())
    area = Area(0, 0, scan.width, 1)
    preview = previews.ask(scan, "restore", previews.Region(2, 0), by=odo, where=Where.INSIDE, areas=[area])

    def answered() -> bool:
        found = previews.standing(preview, by=odo)
        return found is not None and found.state == "ready"

    wait_until(answered, seconds=20)
    assert job.items.filter(begun=None).count() > 2
    found = previews.standing(preview, by=odo)
    assert found is not None
    assert found.answer is not None
    assert found.answer["changed_share"] > 0.9
    before, after = (
        np.asarray(Image.open(io.BytesIO(board.picture(preview, kind, by=odo.pk) or b""), formats=["PNG"]))
        for kind in ("before", "after")
    )
    assert np.array_equal(before, 255 - after)
    assert b"compositeWithTrainedAlgorithmicMedia" in (board.picture(preview, "after", by=odo.pk) or b"")


def test_a_standing_order_makes_drafts_of_new_masters_by_itself(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    order = standing.make(portraits, "restore", by=odo)
    new = factories.master(portraits)
    StandingOrder.objects.filter(pk=order.pk).update(looked=timezone.now() - timedelta(days=1))
    worker()
    sweep.sweep()
    job = order.jobs.get()
    wait_until(lambda: finished(job))
    made = Version.objects.get(derived_from=new)
    assert made.review.state == Review.State.DRAFT
    sweep.sweep()
    assert order.jobs.count() == 1
