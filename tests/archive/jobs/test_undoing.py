"""Undoing beside people at work: what a curator decides in the same moment is not taken away."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue.models import Collection, Version
from archive.jobs import dispatch, undoing
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


def test_the_number_that_an_undo_names_is_what_was_withdrawn_and_not_what_was_counted_beforehand(
    portraits: Collection, odo: User, cai: User
) -> None:
    job, made = made_by_a_job(portraits, odo, "approved", "draft", "draft", "published")
    client, pages = Client(), []
    client.force_login(odo)
    address = reverse("jobs:steer", args=[job.pk, "undo"])
    with transaction.atomic():
        decide(made[0], "publish", by=cai)
        undoes = beside(lambda: pages.append(client.post(address, follow=True).content.decode()))
    undoes.join(timeout=10)
    assert states_of(made) == ["published", "withdrawn", "withdrawn", "published"]
    assert "2 derivatives were withdrawn." in pages[0]
    assert "2 published ones were left alone." in pages[0]


def test_an_undo_of_many_names_no_number_before_it_is_through(
    portraits: Collection, odo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "AT_ONCE", 2)
    monkeypatch.setattr(undoing, "BATCH", 2)
    nudged: list[object] = []
    monkeypatch.setattr(dispatch, "withdraw", nudged.append)
    job, made = made_by_a_job(portraits, odo, "draft", "draft", "draft")
    client = Client()
    client.force_login(odo)
    page = client.post(reverse("jobs:steer", args=[job.pk, "undo"]), follow=True).content.decode()
    assert "Its derivatives are being withdrawn" in page
    assert (states_of(made), nudged) == (["draft"] * 3, [job.pk])
    assert [undoing.withdraw_some(job.pk) for _ in range(2)] == [False, True]
    assert states_of(made) == ["withdrawn"] * 3
    assert Job.objects.get(pk=job.pk).state == Job.State.UNDONE
