"""Collections and recipes over REST: what cannot be is refused by name, and nothing is told of what one may not see."""

import json
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from archive.accounts.models import User
from archive.catalogue.models import Collection, Recipe
from archive.catalogue.services import create_collection

pytestmark = pytest.mark.django_db
COLLECTIONS = "/api/v1/collections/"


@pytest.fixture
def his(odo: User) -> Client:
    client = Client()
    client.force_login(odo)
    return client


def said(client: Client, method: str, address: str, **body: Any) -> Any:
    return client.generic(method, address, json.dumps(body), content_type="application/json")


def test_an_embargo_is_set_over_rest(his: Client, portraits: Collection) -> None:
    answer = said(his, "PATCH", f"{COLLECTIONS}{portraits.ref}/", embargo_until="2090-01-31")
    assert (answer.status_code, answer.json()["embargo_until"]) == (200, "2090-01-31")
    portraits.refresh_from_db()
    assert portraits.effective_embargo_until == date(2090, 1, 31)
    answer = said(his, "PATCH", f"{COLLECTIONS}{portraits.ref}/", embargo_until=None)
    assert (answer.status_code, answer.json()["embargo_until"]) == (200, None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"ai_policy": "no"}, "AI policy"),
        ({"access": "open"}, "access"),
        ({"level": "shelf"}, "level"),
        ({"embargo_until": "soon"}, "closed until"),
        ({"embargo_until": 20300101}, "closed until"),
        ({"title": ""}, "title"),
        ({"title": "x" * 301}, "title"),
    ],
)
def test_a_value_its_column_does_not_know_is_refused_and_named(
    his: Client, portraits: Collection, body: dict[str, Any], told: str
) -> None:
    before = Collection.objects.values().get(pk=portraits.pk)
    changed = said(his, "PATCH", f"{COLLECTIONS}{portraits.ref}/", **body)
    made = said(his, "POST", COLLECTIONS, **{"ref": "new", "title": "New", **body})
    for answer in (changed, made):
        assert answer.status_code == 400, answer.content
        assert told in answer.content.decode()
    assert Collection.objects.values().get(pk=portraits.pk) == before
    assert not Collection.objects.filter(ref="new").exists()


@pytest.mark.parametrize("ref", ["two words", "", "x" * 81])
def test_a_reference_that_cannot_stand_in_an_address_is_refused(his: Client, ref: str) -> None:
    answer = said(his, "POST", COLLECTIONS, ref=ref, title="New")
    assert answer.status_code == 400
    assert "reference" in answer.content.decode()


def test_a_parent_that_does_not_exist_is_named(his: Client) -> None:
    answer = said(his, "POST", COLLECTIONS, ref="new", title="New", parent="nowhere")
    assert (answer.status_code, "nowhere" in answer.content.decode()) == (400, True)


def test_the_database_itself_knows_no_other_words(portraits: Collection) -> None:
    for column in ("access", "ai_policy", "effective_access", "effective_ai_policy"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Collection.objects.filter(pk=portraits.pk).update(**{column: "no"})


def test_a_private_collection_is_not_named_by_the_public_one_below_it(his: Client) -> None:
    fonds = create_collection("fonds", title="Secret fonds", by=None, access="private")
    create_collection("series", title="Series", by=None, parent=fonds, access="public")
    for address in (COLLECTIONS, f"{COLLECTIONS}series/"):
        assert "fonds" not in Client().get(address).content.decode()
    assert his.get(f"{COLLECTIONS}series/").json()["parent"] == "fonds"


def test_recipes_are_listed_newest_first_and_page_after_page(his: Client) -> None:
    digests = [f"{(7 * n) % 60:064x}" for n in range(60)]
    for digest in digests:
        Recipe.objects.create(digest=digest, canonical="{}", operations=["restore"])
    address, seen = "/api/v1/recipes/?limit=25", []
    while address:
        page = his.get(address).json()
        seen += [row["digest"] for row in page["results"]]
        address = page["next"]
    assert seen == digests[::-1]
    wrong = his.get("/api/v1/recipes/?after=nothing")
    assert wrong.status_code == 400
    assert "nothing" in wrong.content.decode()
