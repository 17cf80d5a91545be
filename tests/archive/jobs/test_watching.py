"""Watching a job: its head and the list of its items tell of the same moment."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue.models import Collection
from archive.jobs.models import Job, JobItem
from tests.archive import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def his(odo: User) -> Client:
    client = Client()
    client.force_login(odo)
    return client


def job_of(portraits: Collection, by: User, *states: str, state: str = "running") -> Job:
    job = Job.objects.create(title="restore", recipe=factories.recipe(), ordered_by=by, state=state)
    for place, one in enumerate(states, start=1):
        code = "x" if one in {"failed", "excluded"} else ""
        JobItem.objects.create(
            job=job, source=factories.master(portraits), position=place, state=one, code=code, sentence=code
        )
    return job


def follows(page: str) -> str:
    """Where the page asks how the job goes."""
    found = re.search(r'id="progress".*?hx-get="([^"]+)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_the_head_of_a_job_and_its_items_are_asked_for_at_once_and_tell_of_one_moment(
    portraits: Collection, odo: User, his: Client
) -> None:
    job = job_of(portraits, odo, "queued", "queued")
    page = his.get(reverse("jobs:job", args=[job.pk])).content.decode()
    assert page.count("hx-get") == 2  # how it goes, with its items; and the buttons
    his.get(follows(page))
    job.items.filter(position=2).update(state="failed", code="x", sentence="It is torn.")
    with CaptureQueriesContext(connection) as asked:
        answer = his.get(follows(page))
    told = answer.content.decode()
    assert "1 of 2" in told
    assert '<div id="item-rows" hx-swap-oob="true">' in told
    assert "It is torn." in told
    assert follows(told) == follows(page)
    assert len(asked) <= 12


def test_the_items_that_come_with_the_head_are_those_in_the_state_looked_at(
    portraits: Collection, odo: User, his: Client
) -> None:
    job = job_of(portraits, odo, "excluded", "queued", "queued")
    page = his.get(reverse("jobs:job", args=[job.pk]), {"state": "queued"}).content.decode()
    told = his.get(follows(page)).content.decode()
    assert told.count("<tr>") == 1 + 2


@pytest.mark.parametrize("asked", [{"after": "1"}, {"state": "failed"}], ids=["a later page", "ticks"])
def test_a_later_page_of_items_and_what_somebody_ticks_stay_as_they_are(
    asked: dict[str, str], portraits: Collection, odo: User, his: Client
) -> None:
    job = job_of(portraits, odo, "failed", "failed", state="finished")
    page = his.get(reverse("jobs:job", args=[job.pk]), asked).content.decode()
    answer = his.get(follows(page))
    told = answer.content.decode()
    assert "item-rows" not in told
    assert follows(told) == follows(page)
    assert his.get(follows(page), headers={"If-None-Match": answer["ETag"]}).status_code == 304
