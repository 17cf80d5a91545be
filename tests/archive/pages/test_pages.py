"""Pages ask the database a fixed number of questions, whatever there is to show."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from archive.accounts.models import User
from archive.catalogue import services
from archive.catalogue.models import Collection, Version
from archive.jobs.models import Job, JobItem
from tests.archive import factories

pytestmark = pytest.mark.django_db

MOST = 12


@pytest.fixture
def full(portraits: Collection) -> Collection:
    for number in range(30):
        made = factories.derivative(factories.master(portraits, title=f"Portrait {number}"), state="draft")
        assert made.number == 2
    return portraits


def test_pages_take_at_most_twelve_queries(
    full: Collection, odo: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = Job.objects.create(title="x", recipe=factories.recipe(), ordered_by=odo, state=Job.State.RUNNING)
    sources = Version.objects.filter(role="master")
    JobItem.objects.bulk_create([JobItem(job=job, source=s, position=n) for n, s in enumerate(sources)])
    client = Client()
    client.force_login(odo)
    made = Version.objects.filter(role="restored")[0]
    addresses = [
        reverse("catalogue:home"),
        reverse("catalogue:home") + "?q=portrait",
        reverse("catalogue:collections"),
        reverse("catalogue:collection", args=[full.ref]),
        reverse("catalogue:item", args=[made.scan.item_id]),
        reverse("catalogue:version", args=[made.pk]),
        reverse("iiif:compare", args=[made.pk]),
        reverse("jobs:list"),
        reverse("jobs:job", args=[job.pk]),
        reverse("jobs:progress", args=[job.pk]),
        reverse("review:queue"),
    ]
    for address in addresses:
        client.get(address)  # the first answer also compiles templates
        with django_assert_max_num_queries(MOST):
            assert client.get(address).status_code == 200, address


def test_an_ai_picture_says_so_wherever_it_is_shown(portraits: Collection) -> None:
    made = factories.derivative(factories.master(portraits, title="A street"), state="published")
    client = Client()
    for name, argument in [
        ("catalogue:item", made.scan.item_id),
        ("catalogue:version", made.pk),
        ("iiif:compare", made.pk),
        ("catalogue:collection", portraits.ref),
        ("catalogue:home", None),
    ]:
        page = client.get(reverse(name, args=[argument] if argument else [])).content.decode()
        assert 'class="badge ai"' in page, name
    answer = client.get(reverse("catalogue:file", args=[made.pk]))
    assert "AI-restored" in answer["Content-Disposition"]
    original = client.get(reverse("catalogue:file", args=[made.derived_from_id]))
    assert "original" in original["Content-Disposition"]


def test_the_original_is_the_face_of_its_item(portraits: Collection) -> None:
    master = factories.master(portraits)
    factories.derivative(master, state="published")
    page = Client().get(reverse("catalogue:collection", args=[portraits.ref])).content.decode()
    assert reverse("iiif:thumbnail", args=[master.pk, 480, "webp"]) in page


def test_an_item_of_many_scans_shows_the_one_asked_for_above_a_strip_of_all(portraits: Collection) -> None:
    first = factories.master(portraits, title="An album")
    scans = [first, *(factories.another_scan(first.scan.item, label) for label in ("verso", "page 3"))]
    address = reverse("catalogue:item", args=[first.scan.item_id])
    for place, (asked, shown) in enumerate([("1", 0), ("2", 1), ("3", 2), ("99", 0), ("x", 0)]):
        page = Client().get(address, {"scan": asked}).content.decode()
        viewers = re.findall(r'<image-viewer data-info="([^"]+)"', page)
        assert viewers == [reverse("iiif:info", args=[scans[shown].pk])], place
        assert re.findall(r'href="\?scan=(\d)#scan" aria-current="page"', page) == [str(shown + 1)]
        assert ('rel="prev"' in page, 'rel="next"' in page) == (shown > 0, shown < 2)
        assert all(reverse("iiif:thumbnail", args=[v.pk, 240, "webp"]) in page for v in scans)


def test_an_item_of_one_scan_has_no_strip(portraits: Collection) -> None:
    item = factories.master(portraits).scan.item_id
    assert "filmstrip" not in Client().get(reverse("catalogue:item", args=[item])).content.decode()


def test_a_page_keeps_to_a_strict_content_policy(portraits: Collection) -> None:
    answer = Client().get(reverse("catalogue:home"))
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "style=" not in answer.content.decode()


def test_nobody_orders_without_a_person_and_an_outsider_orders_nothing(
    portraits: Collection, max_: User
) -> None:
    master = factories.master(portraits)
    form = {"item": str(master.scan.item_id), "recipe": "restore"}
    assert "/accounts/login" in Client().post(reverse("jobs:new"), form)["Location"]
    client = Client()
    client.force_login(max_)
    assert client.post(reverse("jobs:new"), form).status_code == 400
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, None),
        ({"parameters": {"boldness": "0.5"}}, "50 % bold"),
        ({"perceptual": "0.25"}, "look 25 % fresh"),
        ({"parameters": {"tone": True}}, ", with tone"),
    ],
)
def test_wherever_a_version_is_judged_its_dials_are_named(
    portraits: Collection, cai: User, asked: dict[str, Any], said: str | None
) -> None:
    made = factories.derivative(factories.master(portraits), of=factories.recipe(**asked))
    client = Client()
    client.force_login(cai)
    places = [reverse(name, args=[made.pk]) for name in ("catalogue:version", "iiif:compare")]
    for place in [*places, reverse("review:queue"), reverse("catalogue:item", args=[made.scan.item_id])]:
        page = client.get(place).content.decode()
        assert "restore" in page.lower()
        if said is None:
            assert " bold" not in page.replace("font-weight: bold", ""), place
            assert "% fresh" not in page, place
        else:
            assert said in page, place


def test_an_order_without_a_scope_begins_with_the_collections_one_works_in(
    portraits: Collection, ada: User, client: Client
) -> None:
    factories.item(portraits)
    client.force_login(ada)
    page = client.get(reverse("jobs:new")).content.decode()
    assert f'href="?collection={portraits.ref}"' in page
    assert "alert" not in page
    assert reverse("jobs:new") in client.get(reverse("jobs:list")).content.decode()


def test_a_button_pressed_before_signing_in_again_leads_to_words_not_to_an_empty_window(
    ada: User, client: Client
) -> None:
    client.force_login(ada)
    answer = client.get(reverse("catalogue:save-search"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Nothing was done" in answer.content.decode()


def test_a_form_whose_token_is_too_old_is_refused_in_the_archives_own_words(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    answer = client.post(reverse("catalogue:save-search"), {"title": "x"})
    assert answer.status_code == 403
    assert "reload it, and try again" in answer.content.decode()


@pytest.mark.parametrize(("name", "here"), [("jobs:list", "page"), ("jobs:recipes", "true")])
def test_the_menu_says_which_room_a_page_is_in(odo: User, client: Client, name: str, here: str) -> None:
    client.force_login(odo)
    page = client.get(reverse(name)).content.decode()
    assert f'<a href="{reverse("jobs:list")}" aria-current="{here}">' in page


def test_rights_are_told_in_words_and_lead_to_their_statement(portraits: Collection, client: Client) -> None:
    address = "https://creativecommons.org/publicdomain/mark/1.0/"
    described = {"title": "A street", "rights": address}
    item = services.create_item(portraits, description=described, by=None)
    page = client.get(reverse("catalogue:item", args=[item.pk])).content.decode()
    assert f'<a href="{address}">Public domain</a>' in page
