"""Previews: asked for under an order's rules, kept for who asked, replaced by the next, and gone without a trace."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue.models import Collection, Event, ModelRelease, StoredFile, Version
from archive.catalogue.services import change_collection, register_file, register_release
from archive.jobs.masks import Area, Where
from archive.jobs.orders import NotAllowed
from archive.previews import board, services
from archive.previews.services import Region
from stylizer.cards import Card
from stylizer.errors import RecipeError
from tests.archive import factories

MADE = {"region": {"x": 0, "y": 0, "width": 9, "height": 9}, "changed_share": 0.25}


@pytest.fixture(autouse=True)
def _clean_board() -> Iterator[None]:
    line = redis.Redis.from_url(settings.REDIS_URL)
    for key in line.scan_iter(f"{board.PREFIX}*"):
        line.delete(key)
    yield
    line.close()


@pytest.fixture
def release(db: None) -> ModelRelease:
    file = register_file("d" * 64, size=9, media_type="application/octet-stream")
    return register_release(
        Card(name="restore", version="9", operation="restore", architecture="small", weights="d" * 64), file
    )


@pytest.fixture
def scan(portraits: Collection, release: ModelRelease) -> Version:
    return factories.master(portraits)


def test_what_is_asked_is_taken_once_and_answered_to_who_asked(scan: Version, ada: User, max_: User) -> None:
    preview = services.ask(scan, "restore", Region(5, 6), by=ada)
    assert services.standing(preview, by=ada) == board.Standing(preview, "waiting")
    taken = board.take()
    assert taken is not None
    assert taken.id == preview
    assert taken.request["version"] == str(scan.pk)
    assert taken.request["region"] == {"x": 5, "y": 6, "width": 512, "height": 512}
    assert json.loads(taken.request["recipe"])["steps"][0]["model"] == "restore"
    assert board.take() is None
    board.answer(preview, MADE, {"before": b"b", "after": b"a", "damage": b"d"})
    found = services.standing(preview, by=ada)
    assert found is not None
    assert (found.state, found.answer) == ("ready", MADE)
    assert board.picture(preview, "after", by=ada.pk) == b"a"
    assert services.standing(preview, by=max_) is None
    assert board.picture(preview, "after", by=max_.pk) is None
    assert board.picture(preview, "request", by=ada.pk) is None


def test_the_next_preview_replaces_the_one_before_and_its_late_answer_is_dropped(
    scan: Version, ada: User
) -> None:
    first = services.ask(scan, "restore", Region(0, 0), by=ada)
    taken = board.take()
    assert taken is not None
    second = services.ask(scan, "restore", Region(1, 1), by=ada)
    assert not board.is_wanted(first)
    board.answer(first, MADE, {})
    assert services.standing(first, by=ada) is None
    third = services.ask(scan, "restore", Region(2, 2), by=ada)
    taken = board.take()
    assert taken is not None
    assert taken.id == third
    assert services.standing(second, by=ada) is None


def test_a_failure_is_told_and_a_silent_worker_is_told_again(
    scan: Version, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = services.ask(scan, "restore", Region(0, 0), by=ada)
    taken = board.take()
    assert taken is not None
    monkeypatch.setattr(board, "MOST_WORK", -1)
    found = services.standing(preview, by=ada)
    assert found is not None
    assert found.stuck
    again = board.take()
    assert again is not None
    assert again.id == preview
    board.fail(preview, code="engine-bad-tile", sentence="Not a number.")
    found = services.standing(preview, by=ada)
    assert found is not None
    assert (found.state, found.code, found.sentence) == ("failed", "engine-bad-tile", "Not a number.")


def test_nobody_gets_a_preview_of_what_they_could_not_order(
    scan: Version, ada: User, rea: User, max_: User, odo: User, portraits: Collection
) -> None:
    for person in (rea, max_):
        with pytest.raises(NotAllowed):
            services.ask(scan, "restore", Region(0, 0), by=person)
    change_collection(portraits, by=odo, ai_policy=Collection.AIPolicy.NONE)
    scan.refresh_from_db()
    scan = Version.objects.select_related("scan__item__collection").get(pk=scan.pk)
    with pytest.raises(NotAllowed, match="allows no AI"):
        services.ask(scan, "restore", Region(0, 0), by=odo)


@pytest.mark.parametrize(
    "region",
    [None, [], {"x": 0}, {"x": -1, "y": 0}, {"x": 0, "y": True}, {"x": 0, "y": 0, "width": 1025},
     {"x": 0, "y": 0, "z": 1}],
)  # fmt: skip
def test_a_region_that_is_none_is_refused_by_name(region: Any) -> None:
    with pytest.raises(RecipeError, match="region"):
        Region.parse(region)


def test_a_recipe_may_not_name_a_mask_or_reference_by_digest(scan: Version, ada: User) -> None:
    for name in ("mask", "reference"):
        spec = {"steps": [{"model": "restore"}], name: "a" * 64}
        with pytest.raises(RecipeError, match="given with the order"):
            services.ask(scan, spec, Region(0, 0), by=ada)


def test_a_preview_leaves_no_row_and_no_event(scan: Version, ada: User) -> None:
    before = (Event.objects.count(), StoredFile.objects.count(), Version.objects.count())
    services.ask(scan, "restore", Region(0, 0), by=ada, where=Where.INSIDE, areas=[Area(0, 0, 4, 4)])
    assert (Event.objects.count(), StoredFile.objects.count(), Version.objects.count()) == before


def test_the_api_follows_a_preview_from_asking_to_its_pictures(
    scan: Version, ada: User, max_: User, client: Client
) -> None:
    client.force_login(ada)
    body = {"version": str(scan.pk), "recipe": "restore", "region": {"x": 0, "y": 0}}
    asked = client.post(reverse("api:previews"), body, content_type="application/json")
    assert asked.status_code == 202
    address = reverse("api:preview", args=[asked.json()["id"]])
    assert client.get(address).json()["state"] == "waiting"
    assert board.take() is not None
    board.answer(asked.json()["id"], MADE, {"before": b"b", "after": b"a", "damage": b"d"})
    found = client.get(address).json()
    assert found["changed_share"] == 0.25
    picture = client.get(found["pictures"]["after"])
    assert (picture.content, picture["Content-Type"]) == (b"a", "image/png")
    assert "AI" in picture["Content-Disposition"]
    assert "private" in picture["Cache-Control"]
    client.force_login(max_)
    assert client.get(address).status_code == 404
    assert client.get(found["pictures"]["after"]).status_code == 404
    client.logout()
    assert client.get(address).status_code in {401, 403}


@pytest.mark.parametrize(
    ("change", "status"),
    [({"version": "x"}, 400), ({"version": "0" * 32}, 404), ({"recipe": 3}, 400), ({"recipe": "magic"}, 400),
     ({"region": {"x": 1}}, 400), ({"where": "nowhere"}, 400), ({"where": "inside"}, 400),
     ({"where": "inside", "areas": [{"x": 0, "y": 0, "width": 0, "height": 1}]}, 400), ({"more": 1}, 400)],
)  # fmt: skip
def test_bad_requests_are_answered_with_a_sentence(
    scan: Version, ada: User, client: Client, change: dict[str, Any], status: int
) -> None:
    client.force_login(ada)
    body = {"version": str(scan.pk), "recipe": "restore", "region": {"x": 0, "y": 0}} | change
    answer = client.post(reverse("api:previews"), body, content_type="application/json")
    assert answer.status_code == status
    assert answer.json()["type"].startswith("/problems/")


def test_without_redis_a_preview_is_not_available_and_says_so(
    scan: Version, ada: User, client: Client, settings: Any
) -> None:
    client.force_login(ada)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    began = time.monotonic()
    body = {"version": str(scan.pk), "recipe": "restore", "region": {"x": 0, "y": 0}}
    answer = client.post(reverse("api:previews"), body, content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/preview-unavailable")
    assert "Ordering is not affected" in answer.json()["detail"]
    assert time.monotonic() - began < 20
