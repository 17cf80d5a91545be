"""A worker that meets what was forbidden since it was ordered: it makes nothing of it, and the job comes to its end."""

from typing import Any

import pytest

from archive.accounts.models import User
from archive.catalogue.models import Collection
from archive.catalogue.services import change_collection
from archive.jobs import services
from archive.jobs.models import Job, JobItem
from stylizer.cards import Card
from tests.archive import factories
from workers.presence import Presence
from workers.runner import stretch

pytestmark = pytest.mark.django_db(transaction=True)


class Never:
    """An engine that must not be asked."""

    def apply(self, *_given: object, **_named: object) -> Any:
        raise AssertionError("the engine was at a picture that nobody may make")


def test_a_night_of_what_was_forbidden_at_noon_makes_nothing_and_ends(
    portraits: Collection, odo: User, release: Card
) -> None:
    for _n in range(3):
        factories.master(portraits)
    job = services.order(services.Scope(collection="portraits"), "restore", by=odo)
    change_collection(portraits, by=odo, ai_policy="none")
    presence = Presence("gpu")
    try:
        assert stretch(5, engine=Never(), presence=presence).items == 0  # type: ignore[arg-type]
    finally:
        presence.stop()
    assert set(job.items.values_list("state", "code")) == {(JobItem.State.EXCLUDED, "policy")}
    job.refresh_from_db()
    assert job.state == Job.State.FINISHED
