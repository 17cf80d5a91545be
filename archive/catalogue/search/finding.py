# ruff: noqa: S611  (RawSQL only ever holds constants of this file; what people type goes in as parameters)
"""Answering a search: a page of items, the facets beside it, the number of all.

Queries of a search: visible collections (1), combinations (1), counts by combination, by years and by places (3), the
page's keys and rows (2). Their number does not depend on how many items there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Count, F, IntegerField, Q, QuerySet
from django.db.models.expressions import RawSQL

from archive.accounts.permissions import Person, sight
from archive.catalogue.models import Collection, Item, ItemIndex, PlaceSet
from archive.catalogue.search import facets
from archive.catalogue.search.asking import parse
from archive.catalogue.search.wanted import NONE, Wanted

PAGE = 48
MOST_PLACES = 12
MOST_RANKED = 5000  # to rank is to read every match: beyond this a word is too common to say which is best
WEIGHTS = (
    "{0,0.2,0.5,1}"  # of the weights D, C, B, A: words under a property's name (D) are found, not ranked
)
RANK = f"(ts_rank('{WEIGHTS}', document, %s::tsquery) * 1000000)::int"
ORDERS = {
    "new": ("item", True),
    "title": ("sort_key", False),
    "oldest": ("first_day", False),
    "youngest": ("last_day", True),
}


@dataclass(frozen=True)
class Found:
    """One page of an answer. `next` is the key the next page begins after, empty on the last."""

    ids: list[UUID]
    total: int
    next: str = ""
    counts: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    collections: list[tuple[Collection, int]] = field(default_factory=list)
    bars: list[facets.Bar] = field(default_factory=list)
    undated: int = 0
    within: Collection | None = None
    unranked: bool = False  # too many to say which is best: the newest come first


class Finder:
    """One person's search. Raises Collection.DoesNotExist where the collection to look in is not there to be seen."""

    def __init__(self, person: Person, wanted: Wanted) -> None:
        self.wanted = wanted
        self.question = parse(wanted.text)
        self.ranked = True
        self.sight = sight(person)
        self.collections = self.sight.collections
        self.within = None
        if wanted.within:
            self.within = next((c for c in self.collections.values() if c.ref == wanted.within), None)
            if self.within is None:
                raise Collection.DoesNotExist(wanted.within)
        sets = facets.all_sets()
        paths = {pk: tuple(row.path) for pk, row in self.collections.items()}
        self.combinations = facets.seen(sets, self.sight, paths)
        self.passes = facets.rules(wanted, self.within.pk if self.within else None)
        self.everything = len(self.combinations) == len(sets)
        self.passing = [c.id for c in self.combinations if all(rule(c) for rule in self.passes.values())]

    def find(self, *, after: str = "", size: int = PAGE, counted: bool = True) -> Found:
        """A page of the answer, with facets if `counted`."""
        if not counted:
            ids, following = self._page(after, size)
            return Found(ids, 0, following, within=self.within)
        by_set = self._by_combination()
        found, below, total = facets.counted(self.combinations, by_set, self.passes)
        spans = self._by_years()
        self.ranked = total <= MOST_RANKED
        ids, following = self._page(after, size)
        return Found(
            ids=ids,
            total=total,
            next=following,
            counts={name: counter.most_common() for name, counter in found.items()}
            | {"places": self._by_place()},
            collections=[
                (self.collections[pk], n) for pk, n in below.most_common() if pk in self.collections
            ],
            bars=facets.histogram(spans, self.wanted),
            undated=sum(n for first, _last, n in spans if first is None),
            within=self.within,
            unranked=self.wanted.order == "best" and not self.ranked,
        )

    def matching(self) -> "QuerySet[ItemIndex]":
        """The index rows of all that is found, in no order."""
        return self._rows(self._all_choices(), dates=True, places=True)

    def _all_choices(self) -> list[int] | None:
        chosen = self.wanted.within or any(
            getattr(self.wanted, n) for n in facets.DIMENSIONS if n != "within"
        )
        return None if self.everything and not chosen else self.passing

    def _rows(self, sets: list[int] | None, *, dates: bool, places: bool) -> "QuerySet[ItemIndex]":
        rows = ItemIndex.objects.all()
        if sets is not None:
            # One array, not a list of parameters: PostgreSQL hashes it.
            rows = rows.filter(RawSQL("facets_id = ANY(%s)", [sets], output_field=BooleanField()))
        if self.question.tsquery:
            rows = rows.filter(
                RawSQL("document @@ %s::tsquery", [self.question.tsquery], output_field=BooleanField())
            )
        for bounds in self.question.dates:
            rows = rows.filter(_overlaps(_year(bounds.earliest), _year(bounds.latest)))
        if dates and self.wanted.dated:
            rows = rows.filter(_overlaps(self.wanted.year_from, self.wanted.year_to))
        if places and self.wanted.places:
            named = [place for place in self.wanted.places if place != NONE]
            condition = (
                Q(places__in=PlaceSet.objects.filter(places__overlap=named)) if named else Q(pk__in=[])
            )
            if NONE in self.wanted.places:
                condition |= Q(places__in=PlaceSet.objects.filter(places=[]))
            rows = rows.filter(condition)
        return rows

    def _by_combination(self) -> dict[int, int]:
        """Counts for every combination that misses at most one choice: those a facet's own count needs."""
        near = [c.id for c in self.combinations if sum(not rule(c) for rule in self.passes.values()) <= 1]
        sets = None if self.everything and len(near) == len(self.combinations) else near
        rows = self._rows(sets, dates=True, places=True).values("facets").annotate(n=Count("*")).order_by()
        return {row["facets"]: row["n"] for row in rows}

    def _by_years(self) -> list[tuple[int | None, int | None, int]]:
        rows = self._rows(self._all_choices(), dates=False, places=True)
        return list(rows.order_by().values_list("year_from", "year_to").annotate(n=Count("*")))

    def _by_place(self) -> list[tuple[str, int]]:
        """The places of most items, and those chosen."""
        inner = (
            self._rows(self._all_choices(), dates=True, places=False)
            .order_by().values_list("places").annotate(n=Count("*"))
        )  # fmt: skip
        sql, parameters = inner.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT place, sum(n)::int FROM ({sql}) AS found(id, n) JOIN catalogue_placeset s USING (id), "  # noqa: S608
                "unnest(s.places) AS place GROUP BY place "
                f"ORDER BY place = ANY(%s) DESC, 2 DESC, place LIMIT {MOST_PLACES}",
                [*parameters, list(self.wanted.places)],
            )
            return [(str(place), int(n)) for place, n in cursor.fetchall()]

    def _page(self, after: str, size: int) -> tuple[list[UUID], str]:
        """Ids by keyset: the page after a key costs what the first page does."""
        rows = self.matching()
        if self.wanted.order == "best" and self.question.tsquery and self.ranked:
            rows = rows.annotate(key=RawSQL(RANK, [self.question.tsquery], output_field=IntegerField()))
            name, down = "key", True
        else:
            name, down = ORDERS.get(self.wanted.order, ORDERS["new"])
        if name == "item":
            if key := _uuid(after):
                rows = rows.filter(pk__lt=key)
            ids = list(rows.order_by("-pk").values_list("pk", flat=True)[: size + 1])
            return ids[:size], str(ids[size - 1]) if len(ids) > size else ""
        if key_ := _key(after, name):
            sign = "<" if down else ">"
            column = RANK if name == "key" else name
            parameters = ([self.question.tsquery] if name == "key" else []) + list(key_)
            rows = rows.filter(
                RawSQL(f"({column}, item_id) {sign} (%s, %s)", parameters, output_field=BooleanField())
            )
        order = [F(name).desc(), F("pk").desc()] if down else [F(name).asc(), F("pk").asc()]
        found = list(rows.order_by(*order).values_list(name, "pk")[: size + 1])
        following = f"{found[size - 1][0]}~{found[size - 1][1]}" if len(found) > size else ""
        return [pk for _key_, pk in found[:size]], following


def in_order(items: "QuerySet[Item]", ids: Sequence[UUID]) -> list[Item]:
    """These items in the order of the ids."""
    found = {item.pk: item for item in items.filter(pk__in=ids)}
    return [found[pk] for pk in ids if pk in found]


def _overlaps(first: int | None, last: int | None) -> Q:
    condition = Q(year_from__isnull=False)
    if first is not None:
        condition &= Q(year_to__gte=first)
    if last is not None:
        condition &= Q(year_from__lte=last)
    return condition


def _year(day: date | None) -> int | None:
    return day.year if day else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _key(after: str, name: str) -> tuple[Any, UUID] | None:
    """The values a page ended with; None for what was never one."""
    value, _, pk = after.rpartition("~")
    found = _uuid(pk)
    if found is None:
        return None
    try:
        if name == "key":
            return int(value), found
        return (date.fromisoformat(value) if name.endswith("_day") else value.replace("\x00", "")), found
    except ValueError:
        return None
