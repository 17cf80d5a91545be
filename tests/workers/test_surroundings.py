"""What surrounds a picture fails: the GPU, its memory, the disk. No picture is blamed, and nobody has to be woken."""

import pytest

from archive.accounts.models import User
from archive.catalogue.models import Collection, Version
from archive.jobs import services
from archive.jobs.models import Attempt, Job, JobItem, Worker
from stylizer.cards import Card
from tests.archive import factories
from tests.workers.conftest import Start, wait_until
from tests.workers.test_jobs_survive import finished, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

S = JobItem.State


def ordered(portraits: Collection, odo: User, count: int) -> Job:
    for seed in range(count):
        factories.master(portraits, seed=2000 + seed)
    return services.order(services.Scope(collection="portraits"), "restore", by=odo)


def test_a_worker_that_loses_its_gpu_ends_itself_and_the_next_goes_on(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 4)
    doomed = worker(SMALL_BEFALLS="device")
    wait_until(lambda: doomed.poll() is not None, seconds=90)
    told = Attempt.objects.get(item__job=job, code="device-lost")
    assert (told.outcome, told.item.state, told.item.tries) == ("returned", S.QUEUED, 0)
    assert not job.items.filter(state=S.FAILED).exists()
    worker()
    wait_until(lambda: finished(job), seconds=120)
    assert states(job) == {S.DONE: 4}
    assert Version.objects.filter(derived_from__isnull=False).count() == 4


def test_a_picture_that_met_too_little_memory_is_made_later(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 3)
    worker(SMALL_BEFALLS="memory")
    wait_until(lambda: finished(job), seconds=120)
    assert states(job) == {S.DONE: 3}
    again = Attempt.objects.get(item__job=job, code="engine-out-of-memory")
    assert again.outcome == "failed"
    outcomes = Attempt.objects.filter(item=again.item).order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["failed", "done"]


def test_with_too_little_room_left_nothing_is_begun_and_the_reason_is_said(
    portraits: Collection, odo: User, release: Card, worker: Start
) -> None:
    job = ordered(portraits, odo, 2)
    worker(PALIMPSEST_LEAST_FREE=str(10**15))
    wait_until(lambda: Worker.objects.filter(resting_why__startswith="store-full").exists(), seconds=90)
    assert states(job) == {S.QUEUED: 2}
    assert not Attempt.objects.filter(item__job=job).exists()
    resting = Worker.objects.get(resting_why__startswith="store-full")
    assert resting.resting_until is not None
    assert "Make room; jobs then go on by themselves." in resting.resting_why
    worker()  # where there is room
    wait_until(lambda: finished(job), seconds=120)
    assert states(job) == {S.DONE: 2}
