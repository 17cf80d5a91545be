"""Searching in English and Chinese, facets whose counts are what a click shows, keys that page through everything."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive.accounts.models import User
from archive.accounts.permissions import Person, visible_items
from archive.catalogue import services
from archive.catalogue.models import Collection, FacetSet, Item, SavedSearch
from archive.catalogue.search import finding
from archive.catalogue.search.asking import parse
from archive.catalogue.search.finding import Finder, Found, in_order
from archive.catalogue.search.indexing import stale
from archive.catalogue.search.lexemes import document, fold
from archive.catalogue.search.upkeep import reindex
from archive.catalogue.search.wanted import Wanted
from archive.review.services import decide
from tests.archive import factories

pytestmark = pytest.mark.django_db


def found(query: str, person: Person | None = None, *, after: str = "", size: int = 48) -> Found:
    return Finder(person or AnonymousUser(), Wanted.parse(QueryDict(query))).find(after=after, size=size)


def titles(query: str, person: Person | None = None) -> list[str]:
    ids = found(query, person).ids
    return [item.title for item in in_order(Item.objects.filter(pk__in=ids), ids)]


@pytest.fixture
def shelf(portraits: Collection) -> Collection:
    """Six items, described in two languages."""
    described: list[tuple[dict[str, Any], str]] = [
        ({"title": "外滩老照片: the Bund, Shanghai, café", "spatial": ["Shanghai", "上海"],
          "type": "photograph"}, "约1920年"),
        ({"title": "The harbour at night", "creator": "Curtis, Edward S.", "spatial": "Shanghai"}, "1905"),
        ({"title": "A night train", "description": "The harbour is behind it.", "type": "photograph"}, "1931-07"),
        ({"title": "Prokudin-Gorskii and his camera", "type": "lantern slide", "subject": "cameras"}, "1909–15"),
        ({"title": "光绪三十年县城地图", "type": "map", "spatial": "苏州"}, "光绪三十年"),
        ({"title": "Ærø, Łódź and Straße", "identifier": "D-2829/3"}, "date not known"),
    ]  # fmt: skip
    for description, date in described:
        services.create_item(portraits, description=description, by=None, date=date)
    return portraits


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("bund", 1), ("BUND", 1), ("bun", 1), ("shangh", 2), ("cafe", 1), ("Café bund", 1), ("zeppelin", 0),
        ('"the bund"', 1), ('"bund the"', 0), ('"night harbour"', 0), ("night harbour", 2), ("harbour -train", 1),
        ("harb* night", 2), ("title:harbour", 1), ("description:harbour", 1), ("creator:curtis", 1),
        ("title:curtis", 0), ('creator:"edward s"', 1), ("place:shanghai", 2), ("prokudin-gorskii", 1),
        ("gorskii prokudin", 1), ("aero lodz strasse", 1), ("id:D-2829/3", 1), ("2829", 1), ("12:30", 0),
        ("外滩", 1), ("外灘", 0), ("滩老", 1), ("外滩老照片", 1), ("老外滩", 0), ("外", 1), ("片", 1), ("照片 bund", 1),
        ("place:上海", 1), ("place:苏州", 1), ("地图", 1), ("光绪三十年", 1), ("date:1905", 2), ("date:1900s", 3),
        ("date:1930年代", 1), ("date:光绪三十年 地图", 1), ("'); --", 6), ("&|!<->:*", 6), ('"', 6), ("a\x00b", 0),
    ],
)  # fmt: skip
def test_search_finds_what_a_person_means(text: str, count: int, shelf: Collection) -> None:
    query = QueryDict(mutable=True)
    query["q"] = text
    assert found(query.urlencode()).total == count


def test_a_word_in_the_title_stands_above_one_in_the_description(shelf: Collection) -> None:
    assert titles("q=harbour") == ["The harbour at night", "A night train"]


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_query_postgresql_can_read(text: str) -> None:
    query = QueryDict(mutable=True)
    query["q"] = text
    assert found(query.urlencode()).total >= 0


@given(
    st.dictionaries(st.sampled_from(["title", "spatial", "description"]), st.text(max_size=80), max_size=3)
)
def test_whatever_is_described_is_an_index_row_postgresql_can_read(values: dict[str, str]) -> None:
    place = Collection.objects.first() or factories.collection()
    made = services.create_item(place, description=values, by=None, date=values.get("title", ""))
    made.refresh_from_db()
    assert made.index.edition
    assert fold(fold(made.title)) == fold(made.title)


def test_a_very_long_description_stays_within_what_a_tsvector_holds(portraits: Collection) -> None:
    long = " ".join(f"w{n}" for n in range(3000))
    made = services.create_item(portraits, description={"title": "x", "description": [long] * 60}, by=None)
    assert found("q=w2999").ids == [made.pk]
    assert document({}, "") == ""


def test_words_too_common_to_rank_bring_the_newest_first_and_say_so(
    shelf: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not found("q=harbour").unranked
    monkeypatch.setattr(finding, "MOST_RANKED", 1)
    many = found("q=harbour")
    assert many.unranked
    assert many.ids == sorted(many.ids, reverse=True)
    assert b"too common" in Client().get(reverse("catalogue:home"), {"q": "harbour"}).content


def test_every_count_is_what_its_click_shows(shelf: Collection, ada: User) -> None:
    factories.derivative(factories.master(shelf, title="Restored"), state="published")
    factories.derivative(factories.master(shelf, title="Draft"), state="draft")
    factories.item(factories.collection("below", access="inherit", parent=shelf), "Below")
    for person in (AnonymousUser(), ada):
        for narrowed in (
            "",
            "type=photograph",
            "from=1900&to=1910",
            "place=Shanghai&type=photograph",
            "made=restored",
        ):
            first = found(narrowed, person)
            for name, key in (
                ("types", "type"),
                ("places", "place"),
                ("made", "made"),
                ("models", "model"),
                ("reviews", "review"),
            ):
                for value, count in first.counts[name]:
                    query = QueryDict(narrowed, mutable=True)
                    query.setlist(key, [value])
                    assert found(query.urlencode(), person).total == count, (narrowed, key, value)
            for bar in first.bars:
                query = QueryDict(narrowed, mutable=True)
                query["from"], query["to"] = str(bar.first), str(bar.last)
                assert found(query.urlencode(), person).total == bar.count
            for collection, count in first.collections:
                assert found(f"{narrowed}&in={collection.ref}", person).total == count


def test_counts_hold_nothing_a_person_may_not_see(shelf: Collection, ada: User, max_: User) -> None:
    hidden = services.create_item(shelf, description={"title": "Hidden", "type": "secret"}, by=ada)
    services.describe(hidden, by=ada, sensitive=True, sensitive_reason="human remains")
    closed = factories.collection("closed", embargo_until=timezone.localdate() + timedelta(days=1))
    services.create_item(closed, description={"title": "Later", "type": "embargoed"}, by=None)
    private = factories.collection("private", access="private")
    services.create_item(private, description={"title": "Private", "type": "private"}, by=None)
    draft = factories.derivative(factories.master(shelf, title="Draft"), state="draft")
    for person in (AnonymousUser(), max_):
        seen = found("", person)
        assert {"secret", "embargoed", "private"}.isdisjoint(value for value, _n in seen.counts["types"])
        assert seen.total == Item.objects.filter(visible_items(person)).count()
        assert dict(seen.counts["made"]) == {"none": seen.total}
        assert seen.counts["reviews"] == [("none", seen.total)]
        assert {c.ref for c, _n in seen.collections}.isdisjoint({"closed", "private"})
        assert found("type=secret", person).total == found("q=hidden", person).total == 0
        with pytest.raises(Collection.DoesNotExist):
            found("in=private", person)
    assert dict(found("", ada).counts["types"])["secret"] == 1
    assert dict(found("", ada).counts["reviews"])["draft"] == 1
    factories.publish(draft)
    assert dict(found("").counts["made"])["restored"] == 1


def test_a_decision_moves_the_counts_with_it(portraits: Collection, cai: User) -> None:
    made = factories.derivative(factories.master(portraits), state="draft")
    assert dict(found("", cai).counts["reviews"]) == {"draft": 1}
    decide(made, "reject", by=cai)
    assert dict(found("", cai).counts["made"]) == {"none": 1}
    assert found("model=restore+9.9.9", cai).total == 0


@pytest.mark.parametrize("sort", ["", "new", "title", "oldest", "youngest", "best"])
def test_paging_by_key_passes_every_item_once_in_every_order(sort: str, shelf: Collection) -> None:
    for number in range(20):
        services.create_item(
            shelf, description={"title": f"Plate {number % 7} harbour"}, by=None, date="1905"
        )
    query = f"sort={sort}&q=" + ("harbour" if sort == "best" else "")
    whole, paged, after = found(query, size=100).ids, [], ""
    for _turn in range(30):
        page = found(query, after=after, size=3)
        paged += page.ids
        if not (after := page.next):
            break
    assert paged == whole
    assert len(set(paged)) == found(query).total


def test_a_key_that_never_was_one_begins_at_the_start(shelf: Collection) -> None:
    for after in ("x", "~", "2020~x", "x~0198c0de-0000-7000-8000-000000000000", "\x00~"):
        for sort in ("new", "title", "oldest", "best"):
            assert (
                Client()
                .get(reverse("catalogue:home"), {"q": "night", "sort": sort, "after": after})
                .status_code
                == 200
            )


@pytest.mark.parametrize(
    ("text", "odd"),
    [("date:banana", "banana"), ('ship date:"some day"', "some day"), ("date:1920s", None),
     ('date:"ca. 1920"', None), ("date:1890/1895", None), ("banana", None)],
)  # fmt: skip
def test_a_date_that_nobody_understands_is_told(client: Client, text: str, odd: str | None) -> None:
    page = client.get(reverse("catalogue:home"), {"q": text}).content.decode()
    assert ("is no date the archive understands" in page) == (odd is not None)
    assert odd is None or f"“{odd}”" in page


def test_undated_items_come_last_whichever_way_dates_are_sorted(shelf: Collection) -> None:
    assert titles("sort=oldest")[-1] == titles("sort=youngest")[-1] == "Ærø, Łódź and Straße"
    assert titles("sort=youngest")[0] == "A night train"


def test_the_index_can_be_lost_and_is_written_again(shelf: Collection) -> None:
    before = found("q=bund").counts
    Item.objects.get(pk=found("q=bund").ids[0]).index.delete()
    assert found("q=bund").total == 0
    assert stale().count() == 1
    assert list(reindex()) == [1]
    assert found("q=bund").counts == before


def test_equal_items_share_one_combination(portraits: Collection) -> None:
    services.create_items(
        portraits, [services.NewItem({"title": str(n), "type": "map"}) for n in range(50)], by=None
    )
    assert FacetSet.objects.filter(types=["map"]).count() == 1


def test_an_address_and_what_it_wants_say_the_same(shelf: Collection) -> None:
    for query in (
        "q=a+b&in=portraits&type=map&type=x&from=1900&to=1910&sort=title&view=table",
        "q=%E5%A4%96",
        "",
    ):
        wanted = Wanted.parse(QueryDict(query))
        assert Wanted.parse(QueryDict(wanted.query())) == wanted
    assert Wanted.parse(QueryDict("from=1910&to=1900")) == Wanted.parse(QueryDict("from=1900&to=1910"))
    assert not parse("...").tsquery


def test_a_shared_search_is_kept_for_everybody_who_works_here_and_nobody_else(
    shelf: Collection, ada: User, cai: User, rea: User
) -> None:
    client = Client()
    client.force_login(ada)
    client.post(
        reverse("catalogue:save-search"), {"title": "Night", "query": "q=night&from=1900", "shared": "on"}
    )
    kept = SavedSearch.objects.get()
    address = reverse("catalogue:search", args=[kept.pk])
    for person, status in ((ada, 302), (cai, 302), (rea, 404)):
        client.force_login(person)
        assert client.get(address).status_code == status
    client.force_login(cai)
    assert client.post(reverse("catalogue:forget-search", args=[kept.pk])).status_code == 404
    client.force_login(ada)
    assert client.get(address)["Location"].endswith("?q=night&from=1900")


def test_the_api_answers_a_search_with_its_facets_and_pages_through_it(shelf: Collection) -> None:
    client, seen = Client(), []
    address: str | None = reverse("api:search") + "?sort=title&limit=2&from=1900"
    while address:
        answer = client.get(address).json()
        seen += [row["title"] for row in answer["results"]]
        address = answer["next"]
    assert len(seen) == answer["total"] == 5
    assert {"value": "photograph", "count": 2} in answer["facets"]["types"]
    assert client.get(reverse("api:search") + "?in=nowhere").status_code == 404
