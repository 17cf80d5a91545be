"""Proofs: asked for as an order would be, taken by one worker at a time, kept as renditions, seen by who may order."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from archive.accounts.models import User
from archive.catalogue.models import Collection, ModelRelease, Recipe, Version
from archive.catalogue.services import change_collection, register_file, register_release
from archive.jobs.orders import NotAllowed
from archive.proofs import services
from archive.proofs.models import Proof
from archive.store import get_renditions
from stylizer.cards import Card
from tests.archive import factories


@pytest.fixture
def release(db: None) -> ModelRelease:
    file = register_file("d" * 64, size=9, media_type="application/octet-stream")
    return register_release(
        Card(name="restore", version="9", operation="restore", architecture="small", weights="d" * 64), file
    )


@pytest.fixture
def scan(portraits: Collection, release: ModelRelease) -> Version:
    return factories.master(portraits)


def page(scan: Version) -> str:
    return reverse("proofs:proofs", args=[scan.pk])


def asked(scan: Version, by: User) -> list[Proof]:
    services.want(scan, services.candidates(scan, by=by))
    return list(Proof.objects.order_by("pk"))


def test_every_recipe_is_asked_for_once_and_none_becomes_a_record(scan: Version, ada: User) -> None:
    first = asked(scan, ada)
    assert len(first) > 1
    assert {proof.state for proof in first} == {"wanted"}
    assert asked(scan, ada) == first
    assert not Recipe.objects.exists()


def test_asking_nudges_a_worker_after_the_commit(
    scan: Version, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as sent:
        asked(scan, ada)
    assert len(sent) == 1


def test_a_proof_is_taken_by_one_worker_and_comes_back_when_that_one_dies(scan: Version, ada: User) -> None:
    proofs = asked(scan, ada)
    taken = [services.take() for _proof in proofs]
    assert [one.pk for one in taken if one] == [one.pk for one in proofs]
    assert services.take() is None
    Proof.objects.filter(pk=proofs[0].pk).update(taken_until=timezone.now() - timedelta(seconds=1))
    again = services.take()
    assert again is not None
    assert (again.pk, again.tries) == (proofs[0].pk, 2)


def test_a_proof_that_takes_its_worker_with_it_is_given_up(scan: Version, ada: User) -> None:
    proof = asked(scan, ada)[0]
    Proof.objects.exclude(pk=proof.pk).delete()
    Proof.objects.update(tries=services.MOST_TRIES)
    assert services.take() is None
    proof.refresh_from_db()
    assert proof.state == "failed"
    assert "stopped every time" in proof.problem


def test_what_failed_is_made_again_when_asked_for_again(scan: Version, ada: User) -> None:
    proof = asked(scan, ada)[0]
    services.fail(proof, "The scan is in CMYK.")
    assert services.candidates(scan, by=ada)[0].proof is not None
    assert asked(scan, ada)[0].state == "wanted"


def test_where_ai_is_forbidden_a_reason_stands_in_the_proofs_place(
    scan: Version, ada: User, odo: User
) -> None:
    change_collection(scan.scan.item.collection, ai_policy="none", by=odo)
    scan = Version.objects.select_related("scan__item__collection").get(pk=scan.pk)
    found = services.candidates(scan, by=ada)
    assert all(one.refusal and one.recipe is None for one in found)
    assert asked(scan, ada) == []


def test_outsiders_and_readers_see_nothing_of_it(
    client: Client, scan: Version, ada: User, rea: User, max_: User
) -> None:
    proof = asked(scan, ada)[0]
    addresses = [
        page(scan), reverse("proofs:cards", args=[scan.pk]), reverse("proofs:styles", args=[scan.pk]),
        reverse("proofs:picture", args=[scan.pk, proof.pk]),
    ]  # fmt: skip
    for person in (rea, max_):
        client.force_login(person)
        assert [client.get(address).status_code for address in addresses] == [404] * 4
        assert client.post(page(scan)).status_code == 404
    with pytest.raises(NotAllowed):
        services.candidates(scan, by=max_)


def test_a_style_picture_one_may_not_see_is_not_there(client: Client, scan: Version, ada: User) -> None:
    hidden = factories.master(factories.collection("closed", access="private"))
    client.force_login(ada)
    assert client.get(page(scan), {"reference": str(hidden.pk)}).status_code == 404
    with pytest.raises(NotAllowed, match="style picture"):
        services.candidates(scan, by=ada, reference=hidden)


def test_an_ai_picture_among_the_styles_says_so(client: Client, scan: Version, ada: User) -> None:
    made = factories.derivative(scan, state="published")
    client.force_login(ada)
    listed = client.get(reverse("proofs:styles", args=[scan.pk])).content.decode()
    of_each = {row.split('"')[0]: row for row in listed.split("?reference=")[1:]}
    assert 'class="badge ai"' in of_each[str(made.pk)]
    assert 'class="badge' not in of_each[str(scan.pk)]


def test_the_page_follows_what_is_being_made_and_shows_it(
    client: Client, scan: Version, ada: User, tmp_path: Path
) -> None:
    client.force_login(ada)
    first = client.get(page(scan)).content.decode()
    assert "Make the proofs" in first
    assert 'hx-trigger="load"' in first
    assert not Proof.objects.exists()
    making = client.post(page(scan), headers={"hx-request": "true"}).content.decode()
    assert "every 1s" in making
    for proof in Proof.objects.all():
        made = tmp_path / "proof.webp"
        made.write_bytes(b"RIFF")
        services.keep(proof, made, width=64, height=48)
    cards = client.get(reverse("proofs:cards", args=[scan.pk])).content.decode()
    assert "every 1s" not in cards
    assert cards.count("Order at full size") == Proof.objects.count()
    proof = Proof.objects.order_by("pk")[0]
    picture = client.get(reverse("proofs:picture", args=[scan.pk, proof.pk]))
    assert (picture.content, picture["Content-Type"]) == (b"RIFF", "image/webp")
    assert "AI" in picture["Content-Disposition"]
    get_renditions().remove(proof.key)
    assert client.get(reverse("proofs:picture", args=[scan.pk, proof.pk])).status_code == 404


def test_what_is_missing_is_asked_for_though_other_proofs_are_being_made(
    client: Client, scan: Version, ada: User
) -> None:
    """A style picture chosen, or a recipe saved, while the first proofs were on their way was never asked for."""
    asked(scan, ada)[0].delete()
    client.force_login(ada)
    assert 'hx-trigger="load"' in client.get(page(scan)).content.decode()
    assert "every 1s" in client.post(page(scan), headers={"hx-request": "true"}).content.decode()
    assert Proof.objects.count() == len(asked(scan, ada))


def test_without_script_a_button_asks_and_the_page_comes_back(
    client: Client, scan: Version, ada: User
) -> None:
    client.force_login(ada)
    answer = client.post(page(scan))
    assert (answer.status_code, answer["Location"]) == (302, page(scan))
    assert Proof.objects.exists()


def test_the_page_takes_few_queries(client: Client, scan: Version, ada: User) -> None:
    asked(scan, ada)
    client.force_login(ada)
    client.get(page(scan))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(page(scan)).status_code == 200
    assert len(queries) <= 12
