"""What people decide after an order was given: policies, sensitivity and roles are asked again before more is made."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive.accounts.models import Membership, Role, User
from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection, Item, Version
from archive.jobs import claims, services, sweep
from archive.jobs.models import Attempt, Job, JobItem, Worker
from tests.archive import factories

pytestmark = pytest.mark.django_db
S = JobItem.State


@pytest.fixture(autouse=True)
def _release(db: None) -> None:
    catalogue.register_release(
        factories.CARD,
        catalogue.register_file(factories.CARD.weights, size=1, media_type="application/octet-stream"),
    )


@pytest.fixture
def worker(db: None) -> Worker:
    return Worker.objects.create(name="w", kind="gpu", last_seen=timezone.now())


@pytest.fixture
def album(db: None) -> Collection:
    return factories.collection("album", access="private")


def order(by: User, *sources: Version, **terms: object) -> Job:
    scope = services.Scope(versions=tuple(source.pk for source in sources))
    return services.order(scope, "restore", by=by, terms=services.Terms(**terms))  # type: ignore[arg-type]


def taken(worker: Worker) -> claims.Claim:
    [held] = claims.claim(worker, limit=1)
    return held


def lose_role(person: User, *, keep: str | None = None) -> User:
    """Take a person's roles; they keep one elsewhere, if so said. A new object, as every request has one."""
    Membership.objects.filter(user=person).delete()
    if keep:
        Membership.objects.create(user=person, role=keep, collection=factories.collection())
    return User.objects.get(pk=person.pk)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


# ---- what may be made -------------------------------------------------------------------------------------------


def test_what_a_donor_objects_to_at_noon_is_not_made_at_night(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    closed = catalogue.create_collection("closed", title="Closed", by=None, parent=portraits)
    job = order(odo, factories.master(closed))
    held = taken(worker)
    catalogue.change_collection(closed, by=odo, ai_policy="none")
    assert not claims.begin(held, worker=worker)
    item = job.items.get()
    assert (item.state, item.code, item.tries) == (S.EXCLUDED, "policy", 0)
    assert item.sentence == "The collection “Closed” allows no AI derivatives."
    assert not Attempt.objects.exists()
    claims.release([held])  # as the worker does with whatever it did not begin
    assert job.items.get().state == S.EXCLUDED
    assert services.close_if_ended(job.pk)


@pytest.mark.parametrize(("wanted", "state"), [(False, S.EXCLUDED), (True, S.RUNNING)])
def test_what_becomes_sensitive_is_left_out_unless_sensitive_ones_were_ordered(
    portraits: Collection, odo: User, worker: Worker, wanted: bool, state: str
) -> None:
    job = order(odo, factories.master(portraits), with_sensitive=wanted)
    Item.objects.update(sensitive=True)
    assert claims.begin(taken(worker), worker=worker) is wanted
    assert (job.items.get().state, job.items.get().code) == (state, "" if wanted else "sensitive")


def test_a_licence_that_forbids_derivatives_counts_from_when_it_is_written_down(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    job = order(odo, factories.master(portraits))
    Item.objects.update(description={"rights": [{"value": "CC BY-ND 4.0", "lang": "en"}]})
    assert not claims.begin(taken(worker), worker=worker)
    assert job.items.get().code == "rights"


def test_restoration_goes_on_where_only_restoration_is_allowed(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    order(odo, factories.master(portraits))
    catalogue.change_collection(portraits, by=odo, ai_policy="restore-only")
    assert claims.begin(taken(worker), worker=worker)


def test_a_paused_job_leaves_nothing_out_and_a_lost_lease_writes_nothing(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    job = order(odo, factories.master(portraits))
    held = taken(worker)
    services.pause(job, by=odo)
    catalogue.change_collection(portraits, by=odo, ai_policy="none")
    assert not claims.begin(held, worker=worker)
    claims.release([held])
    assert job.items.get().state == S.QUEUED
    services.resume(job, by=odo)
    assert not claims.begin(held, worker=worker)
    assert job.items.get().state == S.QUEUED


def test_asking_again_costs_no_further_statement(portraits: Collection, odo: User, worker: Worker) -> None:
    order(odo, factories.master(portraits))
    held = taken(worker)
    with CaptureQueriesContext(connection) as asked:
        assert claims.begin(held, worker=worker)
    assert len(asked) == 1


# ---- who may go on with it --------------------------------------------------------------------------------------


def test_whoever_lost_their_role_neither_sees_nor_steers_the_job_they_ordered(
    portraits: Collection, ada: User
) -> None:
    job = order(ada, factories.master(portraits))
    ada = lose_role(ada)
    client = signed_in(ada)
    for name in ("jobs:job", "jobs:progress", "jobs:buttons", "jobs:csv", "jobs:sheet"):
        assert client.get(reverse(name, args=[job.pk])).status_code == 404, name
    for action in ("pause", "cancel", "retry"):
        assert client.post(reverse("jobs:steer", args=[job.pk, action])).status_code == 404
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING


def test_a_role_elsewhere_shows_no_titles_of_a_private_collection_and_resumes_nothing_there(
    portraits: Collection, album: Collection, ada: User, odo: User
) -> None:
    Membership.objects.create(user=ada, role=Role.ARCHIVIST, collection=album)
    sources = [
        factories.master(portraits, title="The mill"),
        factories.master(album, title="A wedding night"),
    ]
    job = services.pause(order(ada, *sources), by=ada)
    hidden = job.items.get(source=sources[1])
    Membership.objects.filter(user=ada, collection=album).delete()
    ada = User.objects.get(pk=ada.pk)
    client = signed_in(ada)
    for name in ("jobs:job", "jobs:progress", "jobs:csv"):
        answer = client.get(reverse(name, args=[job.pk]), {"rows": "1"})
        page = answer.getvalue().decode()
        assert ("The mill" in page, "A wedding night" in page) == (True, False), name
    assert client.get(reverse("jobs:item", args=[job.pk, hidden.pk])).status_code == 404
    page = client.post(reverse("jobs:steer", args=[job.pk, "resume"]), follow=True).content.decode()
    assert "may not order these pictures any more" in page
    job.refresh_from_db()
    assert job.state == Job.State.PAUSED
    assert services.resume(job, by=odo).state == Job.State.RUNNING


def test_what_is_tried_again_is_asked_for_by_itself(
    portraits: Collection, album: Collection, ada: User
) -> None:
    Membership.objects.create(user=ada, role=Role.ARCHIVIST, collection=album)
    job = order(ada, factories.master(portraits), factories.master(album))
    job.items.update(state=S.FAILED, code="x")
    assert services.close_if_ended(job.pk)
    Membership.objects.filter(user=ada, collection=album).delete()
    ada = User.objects.get(pk=ada.pk)
    with pytest.raises(services.NotAllowed):
        services.retry(job, by=ada)
    assert set(job.items.values_list("state", flat=True)) == {S.FAILED}
    seen = job.items.get(source__scan__item__collection=portraits)
    assert services.retry(job, by=ada, items=[seen.pk]) == 1


def test_an_order_too_large_for_an_archivist_is_not_resumed_by_a_former_admin(
    portraits: Collection, odo: User, settings: object
) -> None:
    settings.ORDER_LIMIT = 1  # type: ignore[attr-defined]
    job = services.pause(order(odo, factories.master(portraits), factories.master(portraits)), by=odo)
    Membership.objects.filter(user=odo).update(role=Role.ARCHIVIST)
    with pytest.raises(services.NotAllowed):
        services.resume(job, by=User.objects.get(pk=odo.pk))


def test_a_pause_of_somebody_without_the_right_does_not_end_by_itself(
    portraits: Collection, ada: User
) -> None:
    job = order(ada, factories.master(portraits))
    services.pause(job, by=ada, until=timezone.now() - timedelta(minutes=1))
    lose_role(ada, keep=Role.ARCHIVIST)
    sweep.sweep()
    job.refresh_from_db()
    assert (job.state, job.paused_until) == (Job.State.PAUSED, None)
    assert "Ada may not order these pictures any more" in job.state_note


def test_a_sample_starts_nothing_by_itself_that_may_not_be_ordered_any_more(
    portraits: Collection, ada: User, odo: User
) -> None:
    job = order(ada, *[factories.master(portraits) for _n in range(3)], sample=1, auto_start=True)
    lose_role(ada, keep=Role.READER)
    job.items.filter(sample=True).update(state=S.EXCLUDED, code="policy")
    assert services.close_if_ended(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.WAITING
    assert "may not order" in job.state_note
    with pytest.raises(services.NotAllowed):
        services.start(job, by=User.objects.get(pk=ada.pk))
    assert services.start(job, by=odo).state == Job.State.RUNNING


def test_who_may_order_nowhere_any_more_finds_no_job_of_theirs_over_rest_either(
    portraits: Collection, ada: User
) -> None:
    job = order(ada, factories.master(portraits))
    client = Client()
    client.force_login(ada)
    address = reverse("api:job", args=[job.pk])
    assert client.get(address).status_code == 200
    lose_role(ada, keep=Role.READER)
    assert client.get(address).status_code == 404
    assert client.get(reverse("api:jobs")).json()["results"] == []


def test_what_a_worker_is_at_is_named_to_who_ordered_it_and_to_admins(
    portraits: Collection, ada: User, cai: User, odo: User, worker: Worker
) -> None:
    order(ada, factories.master(portraits, title="A letter nobody else may read"))
    [held] = claims.claim(worker, limit=1)
    Worker.objects.update(current_item=held.item, last_error="lost the letter")
    told = {}
    for person in (ada, cai, odo):
        client = Client()
        client.force_login(person)
        told[person.username] = client.get(reverse("jobs:list")).content.decode()
    assert "A letter nobody" in told[ada.username]
    assert "A letter nobody" in told[odo.username]
    assert "A letter nobody" not in told[cai.username]
    assert "a picture not shown to you" in told[cai.username]
    assert [name for name, page in told.items() if "lost the letter" in page] == [odo.username]
    portraits.items.update(sensitive=True)
    lose_role(ada, keep=Role.ARCHIVIST)  # elsewhere
    client = Client()
    client.force_login(User.objects.get(pk=ada.pk))
    assert "a picture not shown to you" in client.get(reverse("jobs:list")).content.decode()
