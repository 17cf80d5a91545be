"""Manifests: valid, honest about what is original and what is not, and no more than the person may see."""

import re
from typing import Any

import iiif_prezi3
import pytest
from django.test import Client
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue.models import Collection, Item, Scan, Version
from archive.catalogue.services import create_item
from archive.iiif import presentation_views
from archive.iiif.renditions import make
from archive.iiif.services import want
from archive.review.services import decide
from tests.archive import factories

pytestmark = pytest.mark.django_db
CREATIVE_COMMONS = "https://creativecommons.org/publicdomain/mark/1.0/"


def manifest(item: Item, client: Client | None = None, **headers: str) -> dict[str, Any]:
    """The item's manifest, found valid by a library that is not ours."""
    answer = (client or Client()).get(reverse("iiif:manifest", args=[item.pk]), headers=headers)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    valid(found)
    return found


def valid(found: dict[str, Any]) -> None:
    """By iiif-prezi3's models, made from the published schema; and what the schema says of rights and languages."""
    kind = {"Manifest": iiif_prezi3.Manifest, "Collection": iiif_prezi3.Collection}[found["type"]]
    kind.model_validate(found)
    assert found["@context"] == "http://iiif.io/api/presentation/3/context.json"
    if "rights" in found:
        assert re.fullmatch(
            r"http://(creativecommons\.org/(licenses|publicdomain)|rightsstatements\.org/vocab)/.*",
            found["rights"],
        )
    for text in _language_maps(found):
        assert all(re.fullmatch(r"[a-zA-Z-]+", language) for language in text)


def _language_maps(found: Any) -> list[dict[str, Any]]:
    if isinstance(found, list):
        return [text for part in found for text in _language_maps(part)]
    if not isinstance(found, dict):
        return []
    own = [found[name] for name in ("label", "summary", "value") if isinstance(found.get(name), dict)]
    return own + [text for part in found.values() for text in _language_maps(part)]


def bodies(found: dict[str, Any], canvas: int = 0) -> list[dict[str, Any]]:
    body = found["items"][canvas]["items"][0]["items"][0]["body"]
    return list(body["items"]) if body["type"] == "Choice" else [body]


def item_in(collection: Collection, **description: Any) -> Item:
    return create_item(collection, description={"title": "A street", **description}, by=None, date="ca. 1920")


def test_an_item_with_one_scan_is_a_manifest_with_one_canvas_of_its_size(portraits: Collection) -> None:
    master = factories.master(portraits)
    found = manifest(master.scan.item)
    [canvas] = found["items"]
    assert (canvas["width"], canvas["height"]) == (master.width, master.height)
    [body] = bodies(found)
    assert body["service"] == [
        {"id": f"http://testserver/iiif/3/{master.pk}", "type": "ImageService3", "profile": "level2"}
    ]
    assert found["homepage"][0]["id"].endswith(f"/items/{master.scan.item_id}/")
    assert found["partOf"][0]["id"].endswith("/collections/portraits")
    assert "requiredStatement" not in found
    assert found["thumbnail"][0]["width"] <= 240


def test_values_keep_their_languages_and_rights_are_an_address(portraits: Collection) -> None:
    item = factories.item(portraits, title="无题")
    item.description = {
        "title": [{"value": "上海街景", "lang": "zh"}, {"value": "A street in Shanghai", "lang": "en"}],
        "creator": [{"value": "Unknown", "lang": ""}],
        "license": [{"value": CREATIVE_COMMONS, "lang": ""}],
    }
    item.save()
    found = manifest(item)
    assert found["label"] == {"zh": ["上海街景"], "en": ["A street in Shanghai"]}
    assert {"label": {"en": ["Creator"]}, "value": {"none": ["Unknown"]}} in found["metadata"]
    assert found["rights"] == CREATIVE_COMMONS.replace("https", "http")


def test_rights_in_words_are_told_but_not_passed_off_as_an_address(portraits: Collection) -> None:
    item = factories.item(portraits)
    item.description |= {"rights": [{"value": "Ask the family", "lang": "en"}]}
    item.save()
    found = manifest(item)
    assert "rights" not in found
    assert any(entry["value"] == {"en": ["Ask the family"]} for entry in found["metadata"])


def test_a_published_derivative_is_the_second_choice_and_says_what_it_is(portraits: Collection) -> None:
    master = factories.master(portraits)
    made = factories.derivative(master)
    assert len(bodies(manifest(master.scan.item))) == 1
    factories.publish(made)
    found = manifest(master.scan.item)
    first, second = bodies(found)
    assert (first["id"].split("/")[5], second["id"].split("/")[5]) == (str(master.pk), str(made.pk))
    assert "AI" in second["label"]["en"][0]
    assert "not the original" in second["label"]["en"][0]
    assert "made by an AI" in second["requiredStatement"]["value"]["en"][0]
    assert "requiredStatement" not in first
    assert "AI" in found["requiredStatement"]["value"]["en"][0]


def test_staff_see_what_is_approved_in_a_manifest_marked_private(
    portraits: Collection, cai: User, rea: User
) -> None:
    master = factories.master(portraits)
    made = factories.derivative(master, state="approved")
    factories.derivative(master, state="draft", run=2)
    public, curator, reader = Client(), Client(), Client()
    curator.force_login(cai)
    reader.force_login(rea)
    address = reverse("iiif:manifest", args=[master.scan.item_id])
    assert len(bodies(manifest(master.scan.item, public))) == 1
    assert len(bodies(manifest(master.scan.item, reader))) == 1
    found = manifest(master.scan.item, curator)
    assert [body["id"].split("/")[5] for body in bodies(found)] == [str(master.pk), str(made.pk)]
    assert "Private" in str(found["metadata"][0])
    assert "private" in curator.get(address)["Cache-Control"]
    assert "public" in public.get(address)["Cache-Control"]


@pytest.mark.parametrize("decision", ["withdraw", "unpublish"])
def test_what_is_taken_back_is_gone_from_the_manifest(
    portraits: Collection, odo: User, decision: str
) -> None:
    master = factories.master(portraits)
    made = factories.derivative(master)
    factories.publish(made)
    assert len(bodies(manifest(master.scan.item))) == 2
    decide(Version.objects.get(pk=made.pk), decision, by=odo)
    assert len(bodies(manifest(master.scan.item))) == 1


def test_who_may_not_see_the_item_learns_nothing_of_its_manifest(odo: User) -> None:
    master = factories.master(factories.collection("secret", access="private"))
    address = reverse("iiif:manifest", args=[master.scan.item_id])
    assert Client().get(address).status_code == 404
    boss = Client()
    boss.force_login(odo)
    assert "Private" in str(manifest(master.scan.item, boss)["metadata"][0])
    assert Client().get(reverse("iiif:collection", args=["secret"])).status_code == 404
    assert "secret" not in Client().get(reverse("iiif:collections")).content.decode()


def test_it_is_negotiated_conditional_and_open_to_any_viewer(portraits: Collection) -> None:
    item = factories.master(portraits).scan.item
    address = reverse("iiif:manifest", args=[item.pk])
    plain = Client().get(address)
    linked = Client().get(address, headers={"accept": "application/ld+json"})
    assert plain["Content-Type"] == "application/json"
    assert linked["Content-Type"].startswith("application/ld+json;profile=")
    assert plain["Access-Control-Allow-Origin"] == "*"
    assert Client().get(address, headers={"if-none-match": plain["ETag"]}).status_code == 304


def test_collections_are_a_tree_of_references(portraits: Collection) -> None:
    child = factories.collection("studio", parent=portraits)
    own = factories.master(portraits).scan.item
    factories.master(child)
    top = Client().get(reverse("iiif:collections")).json()
    valid(top)
    assert [entry["id"].rsplit("/", 1)[1] for entry in top["items"]] == ["portraits"]
    found = Client().get(reverse("iiif:collection", args=["portraits"])).json()
    valid(found)
    assert [entry["type"] for entry in found["items"]] == ["Collection", "Manifest"]
    assert found["items"][1]["id"].endswith(f"/items/{own.pk}/manifest")


def test_a_public_series_does_not_tell_of_the_private_fonds_it_lies_in(odo: User) -> None:
    fonds = factories.collection("the-smith-divorce", access="private")
    series = factories.collection("portraits-of-dogs", access="public", parent=fonds)
    factories.master(series)
    address = reverse("iiif:collection", args=[series.ref])
    answer = Client().get(address)
    valid(answer.json())
    assert "partOf" not in answer.json()
    assert b"mith" not in answer.content
    admin = Client()
    admin.force_login(odo)
    assert admin.get(address).json()["partOf"][0]["label"] == {"en": [fonds.title]}


def test_a_large_collection_is_divided_into_parts_that_hold_all_of_it(
    portraits: Collection, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(presentation_views, "PAGE", 4)
    items = [factories.item(portraits, f"Item {n}") for n in range(10)]
    with django_assert_max_num_queries(8):
        found = Client().get(reverse("iiif:collection", args=["portraits"])).json()
    parts = [entry["id"] for entry in found["items"]]
    assert len(parts) == 3
    listed = []
    for part in parts:
        page = Client().get(part.removeprefix("http://testserver")).json()
        valid(page)
        assert page["id"] == part
        listed += [entry["id"].split("/")[-2] for entry in page["items"]]
    assert listed == [str(item.pk) for item in items]
    assert Client().get(reverse("iiif:collection", args=["portraits"]) + "?from=nonsense").status_code == 404


def test_scans_become_canvases_in_order_in_a_fixed_number_of_queries(
    portraits: Collection, django_assert_max_num_queries: Any
) -> None:
    item = factories.item(portraits)
    for n in range(12):
        version = factories.master(portraits)
        Scan.objects.filter(pk=version.scan_id).update(item=item, position=n + 1, label=f"page {n + 1}")
    with django_assert_max_num_queries(12):
        found = manifest(item)
    assert [canvas["label"]["en"][0] for canvas in found["items"]] == [f"page {n + 1}" for n in range(12)]


def test_every_image_service_named_in_a_manifest_answers(portraits: Collection) -> None:
    master = factories.master(portraits)
    made = factories.derivative(master)
    factories.publish(made)
    for version in (master, made):
        want([version.pk])
        make(version.pk)
    for body in bodies(manifest(master.scan.item)):
        service = body["service"][0]["id"].removeprefix("http://testserver")
        assert Client().get(f"{service}/info.json").json()["type"] == "ImageService3"
        assert Client().get(body["id"].removeprefix("http://testserver")).status_code == 200
