"""Pages ask the database a fixed number of questions, whatever there is to show."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from archive.accounts.models import User
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
    assert reverse("iiif:thumbnail", args=[master.pk, 480]) in page


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
