"""Standing orders: what is new gets a recipe once a day, what was seen is not ordered again, a change is an event."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive.accounts.models import Membership, Role, User
from archive.catalogue.models import Collection, Event
from archive.catalogue.services import change_collection, register_file, register_release
from archive.jobs import services, standing
from archive.jobs.models import Job, JobItem, StandingOrder
from archive.jobs.orders import NotAllowed
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.states import NotNow
from stylizer.cards import Card
from tests.archive import factories

TOMORROW = timedelta(days=1)


@pytest.fixture
def odo(db: None) -> User:
    return factories.user("odo", Role.ADMIN)


@pytest.fixture
def portraits(db: None) -> Collection:
    kept = factories.stored(b"weights", "application/octet-stream")
    card = Card(
        name="restore", version="9.9.9", operation="restore", architecture="small", weights=kept.sha256
    )
    register_release(card, register_file(kept.sha256, size=kept.size, media_type=kept.media_type))
    return factories.collection("portraits")


def looked(now: datetime) -> list[Job]:
    return standing.look_all(now)


def sources(job: Job) -> set[object]:
    return set(job.items.values_list("source", flat=True))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(ZoneInfo("UTC"))),
    st.integers(0, 23),
    st.floats(0, 96),
)
def test_an_hour_comes_once_a_day(looked_at: datetime, hour: int, later: float) -> None:
    now = looked_at + timedelta(hours=later)
    due = standing.is_due(now, hour, looked_at)
    passed = [
        at
        for day in range(-1, 6)
        if looked_at < (at := (looked_at + day * TOMORROW).replace(hour=hour, minute=0, second=0, microsecond=0)) <= now
    ]  # fmt: skip
    assert due == bool(passed)
    assert not standing.is_due(now, hour, now)


def test_every_new_master_is_ordered_once_and_what_was_there_before_is_left(
    portraits: Collection, odo: User
) -> None:
    factories.master(portraits)
    order = standing.make(portraits, "restore", by=odo, hours=(time(22), time(6)))
    now = timezone.now()
    assert looked(now + TOMORROW) == []
    new = {
        factories.master(portraits).pk,
        factories.master(factories.collection("below", parent=portraits)).pk,
    }
    (job,) = looked(now + 2 * TOMORROW)
    assert sources(job) == new
    assert (job.standing, job.ordered_by, job.mode) == (order, odo, Job.Mode.MISSING)
    assert (job.hours_from, job.hours_to) == (time(22), time(6))
    assert looked(now + 3 * TOMORROW) == []
    newest = factories.master(portraits)
    (another,) = looked(now + 4 * TOMORROW)
    assert sources(another) == {newest.pk}


def test_with_the_backlog_what_is_there_is_ordered_too(portraits: Collection, odo: User) -> None:
    old = factories.master(portraits)
    standing.make(portraits, "restore", by=odo, backlog="all")
    (job,) = looked(timezone.now() + TOMORROW)
    assert sources(job) == {old.pk}


def test_what_failed_is_not_tried_every_night(portraits: Collection, odo: User) -> None:
    standing.make(portraits, "restore", by=odo)
    factories.master(portraits)
    (job,) = looked(timezone.now() + TOMORROW)
    job.items.update(state=JobItem.State.FAILED, code="engine-bad-tile")
    assert looked(timezone.now() + 2 * TOMORROW) == []


def test_what_a_policy_left_out_is_looked_at_again(portraits: Collection, odo: User) -> None:
    standing.make(portraits, "restore", by=odo)
    closed = factories.collection("closed", parent=portraits, ai_policy="none")
    factories.master(closed)
    open_ = factories.master(portraits)
    now = timezone.now()
    (job,) = looked(now + TOMORROW)
    assert dict(job.items.values_list("source", "state"))[open_.pk] == JobItem.State.QUEUED
    assert looked(now + 2 * TOMORROW) == []
    change_collection(closed, by=odo, ai_policy="allowed")
    (later,) = looked(now + 3 * TOMORROW)
    assert later.items.get().state == JobItem.State.QUEUED


def test_before_its_hour_it_does_not_look_and_after_it_only_once(portraits: Collection, odo: User) -> None:
    order = standing.make(portraits, "restore", by=odo, hour=22)
    factories.master(portraits)
    evening = timezone.localtime().replace(hour=22, minute=0, second=0, microsecond=0) + TOMORROW
    StandingOrder.objects.filter(pk=order.pk).update(looked=evening - TOMORROW)
    assert looked(evening - timedelta(seconds=1)) == []
    assert len(looked(evening)) == 1
    factories.master(portraits)
    assert looked(evening + timedelta(hours=1)) == []


def test_paused_it_does_not_look_and_resumed_it_finds_what_came_meanwhile(
    portraits: Collection, odo: User
) -> None:
    order = standing.make(portraits, "restore", by=odo)
    standing.pause(order, by=odo)
    factories.master(portraits)
    now = timezone.now()
    assert looked(now + TOMORROW) == []
    with pytest.raises(NotNow):
        standing.look_now(order, by=odo)
    standing.resume(order, by=odo)
    assert len(looked(now + TOMORROW)) == 1
    standing.end(order, by=odo)
    factories.master(portraits)
    assert looked(now + 2 * TOMORROW) == []
    for change in (standing.pause, standing.resume, standing.end):
        with pytest.raises(NotNow):
            change(order, by=odo)


def test_every_change_is_in_the_history_of_the_collection(portraits: Collection, odo: User) -> None:
    order = standing.make(portraits, "restore", by=odo, hour=3)
    standing.pause(order, by=odo)
    standing.resume(order, by=odo)
    standing.end(order, by=odo)
    events = Event.objects.filter(type=Event.Type.POLICY_ASSIGNMENT, objects_linked__collection=portraits)
    told = list(events.order_by("at").values_list("detail__change", "detail__preset", "detail__hour"))
    assert told == [(change, "restore", 3) for change in ("given", "paused", "resumed", "ended")]
    assert set(events.values_list("agents_linked__agent__user", flat=True)) == {odo.pk}


def test_when_its_person_is_no_admin_any_more_it_pauses_and_says_why(
    portraits: Collection, odo: User
) -> None:
    order = standing.make(portraits, "restore", by=odo)
    factories.master(portraits)
    Membership.objects.filter(user=odo).delete()
    assert looked(timezone.now() + TOMORROW) == []
    order.refresh_from_db()
    assert not order.enabled
    assert "only in collections you work in" in order.note
    event = Event.objects.filter(type=Event.Type.POLICY_ASSIGNMENT).latest("at")
    assert event.detail["why"] == order.note


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"hour": 24}, "from 0 to 23"),
        ({"hour": -1}, "from 0 to 23"),
        ({"preset": "no-such"}, "not among the recipes"),
        ({"backlog": "perhaps"}, "new-only"),
    ],
)
def test_bad_terms_are_refused_with_a_sentence(
    portraits: Collection, odo: User, more: dict[str, object], says: str
) -> None:
    asked = {"preset": "restore", "hour": 22} | more
    with pytest.raises(NotAllowed, match=says):
        standing.make(portraits, by=odo, **asked)  # type: ignore[arg-type]
    assert not StandingOrder.objects.exists()


def test_one_of_a_kind_unless_the_other_is_ended(portraits: Collection, odo: User) -> None:
    first = standing.make(portraits, "restore", by=odo)
    with pytest.raises(NotAllowed, match="already"):
        standing.make(portraits, "restore", by=odo)
    standing.end(first, by=odo)
    assert standing.make(portraits, "restore", by=odo).pk != first.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        StandingOrder.objects.create(collection=portraits, preset="restore", ordered_by=odo)


def test_only_admins_keep_standing_orders(portraits: Collection, odo: User) -> None:
    cai = factories.user("cai", Role.CURATOR)
    with pytest.raises(NotAllowed):
        standing.make(portraits, "restore", by=cai)
    order = standing.make(portraits, "restore", by=odo)
    client = Client()
    client.force_login(cai)
    actions = {
        "pause": standing.pause, "resume": standing.resume, "end": standing.end, "look": standing.look_now,
    }  # fmt: skip
    for action, act in actions.items():
        with pytest.raises(NotAllowed):
            act(order, by=cai)
        assert client.post(reverse("jobs:standing-act", args=[order.pk, action])).status_code == 404
    assert client.get(reverse("jobs:standing")).status_code == 404
    order.refresh_from_db()
    assert order.enabled


def test_an_admin_gives_pauses_and_ends_one_on_the_page(portraits: Collection, odo: User) -> None:
    client, page = Client(), reverse("jobs:standing")
    client.force_login(odo)
    asked = {"collection": "portraits", "recipe": "restore", "hour": "1", "from": "22:00", "to": "06:00"}
    assert client.post(page, asked).status_code == 302
    order = StandingOrder.objects.get()
    assert (order.hour, order.hours_from, order.since is not None) == (1, time(22), True)
    assert "works from 22:00 to 06:00 only" in client.get(page).content.decode()
    refused = client.post(page, asked | {"to": ""})
    assert refused.status_code == 400
    assert "a beginning and an end" in refused.content.decode()
    assert client.post(page, {"recipe": "restore"}).status_code == 400
    factories.master(portraits)
    job = client.post(reverse("jobs:standing-act", args=[order.pk, "look"]))
    assert job["Location"] == reverse("jobs:job", args=[Job.objects.get().pk])
    client.post(reverse("jobs:standing-act", args=[order.pk, "pause"]))
    order.refresh_from_db()
    assert not order.enabled
    client.post(reverse("jobs:standing-act", args=[order.pk, "end"]))
    order.refresh_from_db()
    assert order.ended
    assert client.post(reverse("jobs:standing-act", args=[order.pk, "explode"])).status_code == 404


def test_a_scope_of_an_unknown_standing_order_is_refused(portraits: Collection, odo: User) -> None:
    scope = Scope.parse({"collection": "portraits", "new_for": 999_999})
    with pytest.raises(ScopeError, match="no standing order"):
        services.order(scope, "restore", by=odo)
    with pytest.raises(ScopeError):
        Scope.parse({"collection": "portraits", "new_for": "nine"})
