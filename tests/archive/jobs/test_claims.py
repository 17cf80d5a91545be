"""Claims and their ends: who is served next, what is never used again, and what a stopped job leaves behind."""

import threading
import time
from uuid import UUID

import pytest
from django.db import connection, transaction

from archive.accounts.models import User
from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection, Version
from archive.jobs import claims, endings, services
from archive.jobs.models import Job, JobItem, Worker
from archive.review.services import decide
from tests.archive import factories

pytestmark = pytest.mark.django_db
S = JobItem.State


@pytest.fixture(autouse=True)
def _release() -> None:
    catalogue.register_release(
        factories.CARD,
        catalogue.register_file(factories.CARD.weights, size=1, media_type="application/octet-stream"),
    )


@pytest.fixture
def worker() -> Worker:
    from django.utils import timezone

    return Worker.objects.create(name="w", kind="gpu", last_seen=timezone.now())


def order(portraits: Collection, by: User, *, again: bool = False) -> Job:
    return services.order(services.Scope(collection=portraits.ref), "restore", by=by, again=again)


def made_of(source: Version) -> catalogue.NewDerivative:
    return catalogue.NewDerivative(
        file=factories.stored(factories.tiff_bytes()),
        width=source.width, height=source.height, bands=source.bands, bits=source.bits, report={},
    )  # fmt: skip


def make_one(worker: Worker) -> Version:
    [held] = claims.claim(worker, limit=1)
    version = finish(held)
    assert version is not None
    services.close_if_ended(held.item.job_id)
    return Version.objects.get(pk=version)


def finish(held: claims.Claim) -> UUID | None:
    """End an item with a picture; raises KeyError where it was not held any more."""
    claims.begin(held, worker=held.item.worker)  # type: ignore[arg-type]
    made = endings.Made(held, made_of(held.item.source), {"torch": "2.13.0"})
    return endings.finish([made])[held.token]


@pytest.mark.parametrize("decision", ["reject", "withdraw"])
def test_what_was_rejected_or_withdrawn_is_made_anew_and_never_handed_out_again(
    portraits: Collection, odo: User, worker: Worker, decision: str
) -> None:
    factories.master(portraits)
    order(portraits, odo)
    first = make_one(worker)
    decide(first, decision, by=odo)
    job = order(portraits, odo)
    second = make_one(worker)
    item = job.items.get()
    assert (item.state, item.result_id) == (S.DONE, second.pk)
    assert (first.run, second.run) == (1, 2)
    third = order(portraits, odo).items.get()
    assert (third.state, third.result_id) == (S.REUSED, second.pk)


def test_of_two_jobs_for_one_picture_the_second_uses_what_the_first_made(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    factories.master(portraits)
    jobs = [order(portraits, odo), order(portraits, odo)]
    made = {make_one(worker).pk for _job in jobs}
    assert len(made) == Version.objects.exclude(role="master").count() == 1
    assert sorted(JobItem.objects.values_list("state", flat=True)) == [S.DONE, S.REUSED]


def test_made_again_on_purpose_is_a_run_of_its_own(portraits: Collection, odo: User, worker: Worker) -> None:
    factories.master(portraits)
    order(portraits, odo)
    first = make_one(worker)
    order(portraits, odo, again=True)
    assert (first.run, make_one(worker).run) == (1, 2)


def test_a_small_job_does_not_wait_for_a_large_one(portraits: Collection, odo: User, worker: Worker) -> None:
    for _n in range(12):
        factories.master(portraits)
    order(portraits, odo)
    small = services.order(
        services.Scope(versions=(factories.master().pk,)), "restore", by=odo, title="one picture"
    )
    served = []
    for _n in range(4):  # one worker, one item at a time
        [held] = claims.claim(worker, limit=1)
        served.append(held.item.job_id)
        finish(held)
    assert small.pk in served


def test_nothing_of_a_cancelled_job_is_queued_or_kept(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    for _n in range(2):
        factories.master(portraits)
    job = order(portraits, odo)
    failing, ending = claims.claim(worker, limit=2)
    services.cancel(job, by=odo)
    endings.fail(failing, code="store-unavailable", sentence="The disk is away.", transient=True)
    assert finish(ending) is None
    assert set(job.items.values_list("state", flat=True)) == {S.CANCELLED}
    assert not Version.objects.exclude(role="master").exists()


def test_a_lost_lease_writes_nothing(portraits: Collection, odo: User, worker: Worker) -> None:
    factories.master(portraits)
    order(portraits, odo)
    [held] = claims.claim(worker, limit=1)
    JobItem.objects.update(state=S.QUEUED, lease_token=None, lease_until=None, worker=None)
    [_again] = claims.claim(worker, limit=1)
    assert not claims.renew({held: (1, 2)})
    with pytest.raises(KeyError):
        finish(held)
    assert not Version.objects.exclude(role="master").exists()


def test_a_transient_failure_waits_longer_each_time_and_ends_after_the_last_try(
    portraits: Collection, odo: User, worker: Worker, settings: object
) -> None:
    settings.MAX_TRIES = 2  # type: ignore[attr-defined]
    factories.master(portraits)
    item = order(portraits, odo).items.get()
    for expected in (S.QUEUED, S.FAILED):
        JobItem.objects.update(not_before=None)
        [held] = claims.claim(worker, limit=1)
        claims.begin(held, worker=worker)
        endings.fail(held, code="engine-out-of-memory", sentence="No memory.", transient=True)
        item.refresh_from_db()
        assert item.state == expected
        assert (item.not_before is not None) == (expected == S.QUEUED)
        assert not claims.claim(worker, limit=1)
    assert list(item.attempts.values_list("outcome", flat=True)) == ["failed", "failed"]
    assert endings.back_off(8).total_seconds() > endings.back_off(1).total_seconds()


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_that_meets_the_end_of_its_item_gives_no_lease_to_a_finished_one(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    factories.master(portraits)
    order(portraits, odo)
    [held] = claims.claim(worker, limit=1)
    renewed: list[bool] = []

    def beat() -> None:
        renewed.append(bool(claims.renew({held: (1, 2)})))
        connection.close()

    with transaction.atomic():
        finish(held)
        heart = threading.Thread(target=beat)
        heart.start()
        time.sleep(0.3)  # it waits for the row by now
    heart.join(timeout=10)
    assert renewed == [False]
    assert JobItem.objects.get().lease_until is None
