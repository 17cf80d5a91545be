"""What surrounds a picture fails: the GPU, its memory, the disk. No picture is blamed, and nobody has to be woken."""

import signal
import subprocess
import sys

import psutil
import pytest
from django.db import connection

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


# It stops in the middle of taking work, with the rows of the job and of its items locked.
FREEZE = """
import workers.setup
import os, signal
from django.db import transaction
from django.utils import timezone
from archive.jobs import claims
from archive.jobs.models import Worker
with transaction.atomic():
    me = Worker.objects.create(name="frozen", kind="gpu", device="cpu", last_seen=timezone.now())
    assert claims.claim(me, limit=2)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_worker_that_freezes_with_rows_locked_does_not_keep_an_admin_from_cancelling(
    portraits: Collection, odo: User, release: Card, home: dict[str, str], worker: Start
) -> None:
    job = ordered(portraits, odo, 3)
    soon = (
        "&options=-c%20idle_in_transaction_session_timeout%3D2s"  # the test need not wait as long as a person
    )
    frozen = subprocess.Popen(
        [sys.executable, "-c", FREEZE],
        env=home | {"DATABASE_URL": home["DATABASE_URL"] + soon}, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        watched = psutil.Process(frozen.pid)
        wait_until(lambda: watched.status() == psutil.STATUS_STOPPED)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '20s'")
        services.cancel(job, by=odo)
        assert states(job) == {S.CANCELLED: 3}
        frozen.send_signal(signal.SIGCONT)
        _, told = frozen.communicate(timeout=30)
        assert b"OperationalError" in told  # the server ended its session; it took nothing
    finally:
        frozen.kill()
    services.retry(job, by=odo)
    worker()
    wait_until(lambda: finished(job), seconds=120)
    assert states(job) == {S.DONE: 3}


def test_every_session_is_ended_that_stays_silent_in_a_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("15s",)
