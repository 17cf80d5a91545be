"""Exhibits: composed of what may be shown, ordered, published; and never an AI picture without its label."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from archive.accounts.models import User
from archive.catalogue.models import Collection, Version
from archive.catalogue.services import change_collection
from archive.exhibits import queries, services
from archive.exhibits.models import Entry, Exhibit
from archive.exhibits.services import ExhibitProblem, Said
from archive.review.services import decide
from tests.archive import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(portraits: Collection) -> Version:
    return factories.derivative(factories.master(portraits, title="The harbour"), state="published")


@pytest.fixture
def exhibit(cai: User, published: Version) -> Exhibit:
    """Two pictures: a derivative and an original."""
    made = services.begin("What light forgot", by=cai)
    services.hang(made, published.pk, by=cai)
    services.hang(made, factories.master(published.scan.item.collection, title="A gate").pk, by=cai)
    return made


def signed_in(person: User | None) -> Client:
    client = Client()
    if person:
        client.force_login(person)
    return client


def texts(exhibit: Exhibit, **more: str) -> dict[str, object]:
    entries = list(exhibit.entries.all())
    said = {f"layout-{entry.pk}": "beside" for entry in entries}
    return {"title": exhibit.title, "entry": [entry.pk for entry in entries], **said, **more}


def test_an_address_comes_from_the_title_and_is_never_taken_twice(cai: User) -> None:
    slugs = [
        services.begin(title, by=cai).slug
        for title in ("Café de l’Europe", "Café de l’Europe", "外滩", "New")
    ]
    assert slugs == ["café-de-leurope", "café-de-leurope-2", "外滩", "new-2"]
    with pytest.raises(ExhibitProblem):
        services.begin("   ", by=cai)


def test_only_originals_and_published_derivatives_are_hung(
    portraits: Collection, cai: User, exhibit: Exhibit
) -> None:
    source = factories.master(portraits)
    for n, state in enumerate(("draft", "approved", "rejected", "withdrawn"), start=2):
        version = factories.derivative(source, state=state, of=factories.recipe(strength=f"0.{n}"))
        with pytest.raises(ExhibitProblem, match="published"):
            services.hang(exhibit, version.pk, by=cai)
    elsewhere = factories.master(factories.collection(access="private"))
    for nothing in (elsewhere.pk, uuid4()):
        with pytest.raises(ExhibitProblem):
            services.hang(exhibit, nothing, by=cai)
    assert exhibit.entries.count() == 2


def test_an_ai_picture_says_so_and_leads_to_its_original(exhibit: Exhibit, published: Version) -> None:
    services.publish(exhibit)
    page = signed_in(None).get(f"/exhibits/{exhibit.slug}/").content.decode()
    assert "AI restoration, not the original." in page
    assert f"/compare/{published.pk}/" in page
    assert str(published.derived_from_id) in page  # the scan is on the page, one key away
    assert "1 of the 2 pictures was made by an AI" in page
    told = signed_in(None).get(f"/api/v1/exhibits/{exhibit.slug}/").json()
    assert [(one["ai"], one["original"]) for one in told["pictures"]] == [
        (True, str(published.derived_from_id)),
        (False, None),
    ]


def test_what_is_withdrawn_leaves_the_wall_at_once(exhibit: Exhibit, published: Version, cai: User) -> None:
    services.publish(exhibit)
    decide(published, "withdraw", by=cai)
    assert [one.version.is_master for one in queries.entries_for(AnonymousUser(), exhibit)] == [True]
    page = signed_in(None).get(f"/exhibits/{exhibit.slug}/").content.decode()
    assert str(published.pk) not in page
    assert "1 picture is withheld" in signed_in(cai).get(f"/exhibits/{exhibit.slug}/").content.decode()


def test_a_picture_whose_collection_is_closed_is_not_shown_nor_published(
    exhibit: Exhibit, portraits: Collection, cai: User, odo: User
) -> None:
    change_collection(portraits, by=odo, access="private")
    with pytest.raises(ExhibitProblem, match="The harbour"):
        services.publish(exhibit)
    Exhibit.objects.update(state="published")
    assert "The harbour" not in signed_in(None).get(f"/exhibits/{exhibit.slug}/").content.decode()


def test_a_sensitive_picture_is_withheld(exhibit: Exhibit, published: Version) -> None:
    services.publish(exhibit)
    item = published.scan.item
    item.sensitive = True
    item.save()
    assert len(queries.entries_for(AnonymousUser(), exhibit)) == 1


def test_an_empty_exhibit_is_not_published(cai: User) -> None:
    with pytest.raises(ExhibitProblem, match="no picture"):
        services.publish(services.begin("Nothing", by=cai))


def test_a_draft_is_not_there_for_visitors(exhibit: Exhibit, ada: User, cai: User) -> None:
    for person, status in ((None, 404), (ada, 404), (cai, 200)):
        assert signed_in(person).get(f"/exhibits/{exhibit.slug}/").status_code == status
        assert signed_in(person).get(f"/api/v1/exhibits/{exhibit.slug}/").status_code == status


def test_an_archivist_composes_nothing(exhibit: Exhibit, ada: User) -> None:
    client = signed_in(ada)
    assert client.get(f"/exhibits/{exhibit.slug}/edit/").status_code == 404
    assert client.post(f"/exhibits/{exhibit.slug}/edit/", texts(exhibit, action="delete")).status_code == 404
    assert client.post("/exhibits/new/", {"title": "Mine"}).status_code == 404
    assert Exhibit.objects.count() == 1


def test_the_whole_is_composed_without_a_script(portraits: Collection, published: Version, cai: User) -> None:
    client = signed_in(cai)
    address = client.post("/exhibits/new/", {"title": "Gates"})["Location"]
    exhibit = Exhibit.objects.get()
    client.post(address, {"title": "Gates", "add": str(published.pk)})
    client.post(address, texts(exhibit, add=str(published.derived_from_id)))
    first, second = exhibit.entries.all()
    client.post(address, texts(exhibit, up=str(second.pk)))
    assert [e.pk for e in exhibit.entries.all()] == [second.pk, first.pk]
    client.post(address, texts(exhibit, **{f"caption-{first.pk}": "A guess.", "subtitle": "of the city"}))
    client.post(address, texts(exhibit, **{f"caption-{first.pk}": "A guess.", "action": "publish"}))
    exhibit.refresh_from_db()
    assert (exhibit.state, Entry.objects.get(pk=first.pk).caption) == ("published", "A guess.")
    client.post(address, texts(exhibit, remove=str(second.pk)))
    assert exhibit.entries.count() == 1
    client.post(address, texts(exhibit, action="close"))
    client.post(address, texts(exhibit, action="delete"))
    assert not Exhibit.objects.exists()
    assert Version.objects.filter(pk=published.pk).exists()


@pytest.mark.parametrize(
    "nonsense",
    [
        {"entry": ["x", "99999999999999999999"]},
        {"up": "x"},
        {"add": "x"},
        {"remove": "9" * 30},
        {"title": " "},
    ],
)
def test_nonsense_changes_nothing(exhibit: Exhibit, cai: User, nonsense: dict[str, object]) -> None:
    answer = signed_in(cai).post(f"/exhibits/{exhibit.slug}/edit/", texts(exhibit) | nonsense)
    assert answer.status_code == 302
    exhibit.refresh_from_db()
    assert (exhibit.title, exhibit.entries.count()) == ("What light forgot", 2)


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-6, 6)), max_size=6))
def test_however_it_is_moved_every_picture_keeps_one_place(moves: list[tuple[int, int]]) -> None:
    person = factories.user("c", "curator")
    exhibit = services.begin(f"x {uuid4()}", by=person)
    version = factories.master()
    for place in range(5):
        Entry.objects.create(exhibit=exhibit, version=version, position=place)
    expected = [entry.pk for entry in exhibit.entries.all()]
    for at, by in moves:
        entry = Entry.objects.get(pk=expected[at])
        services.move(entry, by=by)
        expected.insert(min(max(at + by, 0), 4), expected.pop(at))
    assert list(exhibit.entries.values_list("pk", "position")) == [(pk, n) for n, pk in enumerate(expected)]


def test_a_layout_nobody_knows_is_refused(exhibit: Exhibit) -> None:
    key = exhibit.entries.all()[0].pk
    with pytest.raises(ExhibitProblem):
        services.write(
            exhibit,
            title="x",
            subtitle="",
            introduction="",
            order=[key],
            said={key: Said("", "", "upside down")},
        )


def test_a_wall_costs_the_same_number_of_queries_however_long(portraits: Collection, cai: User) -> None:
    exhibit, counts = services.begin("Long", by=cai), []
    Exhibit.objects.update(state="published")
    for more in (1, 4):
        for _ in range(more):
            services.hang(exhibit, factories.master(portraits).pk, by=cai)
        for address in (f"/exhibits/{exhibit.slug}/", "/exhibits/"):
            with CaptureQueriesContext(connection) as asked:
                signed_in(None).get(address)
            counts.append(len(asked))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 12
