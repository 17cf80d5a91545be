"""Undoing beside people at work: what a curator decides in the same moment is not taken away."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from archive.accounts.models import User
from archive.catalogue.models import Collection, Version
from archive.jobs import undoing
from archive.jobs.models import Job, JobItem
from archive.review.models import Decision, Review
from archive.review.services import decide
from tests.archive import factories

pytestmark = pytest.mark.django_db(transaction=True)


def made_by_a_job(portraits: Collection, by: User, *states: str) -> tuple[Job, list[Version]]:
    """A finished job with a derivative in each of these states."""
    recipe = factories.recipe()
    job = Job.objects.create(title="restore", recipe=recipe, ordered_by=by, state=Job.State.FINISHED)
    made = []
    for place, state in enumerate(states):
        source = factories.master(portraits)
        made.append(factories.derivative(source, state=state, of=recipe))
        JobItem.objects.create(job=job, source=source, position=place, state="done", result=made[-1])
    return job, made


def states_of(versions: list[Version]) -> list[str]:
    return [Review.objects.get(pk=version.pk).state for version in versions]


def beside(act: Callable[[], object]) -> threading.Thread:
    """Begin something on a connection of its own, and wait until it waits for a lock of ours."""

    def run() -> None:
        act()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone() != (0,):
                return thread
            time.sleep(0.02)
    raise AssertionError("it did not wait for the row")


def test_what_a_curator_publishes_while_its_job_is_undone_stays_published(
    portraits: Collection, odo: User, cai: User
) -> None:
    job, made = made_by_a_job(portraits, odo, "approved", "approved", "draft")
    with transaction.atomic():
        decide(made[0], "publish", by=cai)
        undoes = beside(lambda: undoing.undo(job, by=odo))
    undoes.join(timeout=10)
    assert states_of(made) == ["published", "withdrawn", "withdrawn"]
    assert Job.objects.get(pk=job.pk).state == Job.State.UNDONE


def test_what_somebody_withdraws_in_the_same_moment_does_not_stop_the_undo(
    portraits: Collection, odo: User, cai: User
) -> None:
    job, made = made_by_a_job(portraits, odo, "draft", "draft")
    with transaction.atomic():
        decide(made[0], "withdraw", by=cai, note="a face was invented")
        undoes = beside(lambda: undoing.undo(job, by=odo))
    undoes.join(timeout=10)
    assert states_of(made) == ["withdrawn", "withdrawn"]
    assert Job.objects.get(pk=job.pk).state == Job.State.UNDONE
    assert Decision.objects.get(review=made[0].pk).note == "a face was invented"
