# ruff: noqa: S608  (the SQL here is made of constants of this file; what people type goes in as parameters)
"""What a search demands of an index row, as SQL: the same pieces filter the page and count the facets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connection

from archive.catalogue.search.asking import Question
from archive.catalogue.search.wanted import NONE

Span: TypeAlias = tuple[int | None, int | None, int]  # first year, last year, items


@dataclass(frozen=True)
class Condition:
    """SQL that is true or false of a row of `catalogue_itemindex`."""

    sql: str
    parameters: tuple[Any, ...] = ()

    def __and__(self, other: "Condition") -> "Condition":
        if other is ALWAYS:
            return self
        if self is ALWAYS:
            return other
        return Condition(f"{self.sql} AND {other.sql}", (*self.parameters, *other.parameters))


ALWAYS = Condition("true")


@dataclass(frozen=True)
class Order:
    """What a page is sorted by: an expression (with its parameters) and the item's id."""

    name: str
    sql: str
    down: bool
    parameters: tuple[Any, ...] = ()


ORDERS = {
    "new": Order("item_id", "item_id", down=True),
    "title": Order("sort_key", "sort_key", down=False),
    "oldest": Order("first_day", "first_day", down=False),
    "youngest": Order("last_day", "last_day", down=True),
}
# Of the weights D, C, B, A: words under a property's name (D) are found, not ranked.
RANK = "(ts_rank('{0,0.2,0.5,1}', document, %s::tsquery) * 1000000)::int"


def by_rank(question: Question) -> Order:
    """The best match first."""
    return Order("rank", RANK, down=True, parameters=(question.tsquery,))


def asked(question: Question) -> Condition:
    """The words and the dates that were typed."""
    found = Condition("document @@ %s::tsquery", (question.tsquery,)) if question.tsquery else ALWAYS
    for bounds in question.dates:
        found &= between(_year(bounds.earliest), _year(bounds.latest))
    return found


def of_sets(sets: Sequence[int] | None) -> Condition:
    """One of these combinations; None: any."""
    # One array, not a list of parameters: PostgreSQL hashes it.
    return ALWAYS if sets is None else Condition("facets_id = ANY(%s)", (list(sets),))


def between(first: int | None, last: int | None) -> Condition:
    """May be of these years; without any, whatever the years."""
    if first is None and last is None:
        return ALWAYS
    found = Condition("year_from IS NOT NULL")
    if first is not None:
        found &= Condition("year_to >= %s", (first,))
    if last is not None:
        found &= Condition("year_from <= %s", (last,))
    return found


def at_places(names: Sequence[str]) -> Condition:
    """Of one of these places, or of none if that is chosen; without any, wherever."""
    if not names:
        return ALWAYS
    said = [name for name in names if name != NONE]
    none = " OR places = '{}'" if NONE in names else ""
    return Condition(
        f"places_id IN (SELECT id FROM catalogue_placeset WHERE places && %s::text[]{none})", (said,)
    )


@dataclass(frozen=True)
class Counts:
    """Items by combination, by years (None: not dated) and by set of places."""

    sets: Mapping[int, int]
    years: Sequence[Span]
    places: Mapping[int, int]


def counted(found: Condition, *, sets: Condition, years: Condition, places: Condition) -> Counts:
    """What is found, counted three ways in one pass, each with a further condition of its own.

    One pass, since reading the matches of a common word is what a search costs. Items that are alike in all that is
    counted come together first, in the order in which the index `item_facets` holds them: a hundred thousand make some
    thousands of groups, and only those are looked at three times.
    """
    kinds = (sets, years, places)
    columns = ", ".join(f"(sum(n) FILTER (WHERE {kind.sql}))::int" for kind in kinds)
    parameters = [one for kind in kinds for one in kind.parameters]
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH alike AS MATERIALIZED (SELECT facets_id, year_from, year_to, places_id, count(*) AS n "
            f"FROM catalogue_itemindex WHERE {found.sql} GROUP BY facets_id, year_from, year_to, places_id) "
            f"SELECT GROUPING(facets_id, year_from, places_id), facets_id, year_from, year_to, places_id, {columns} "
            "FROM alike GROUP BY GROUPING SETS ((facets_id), (year_from, year_to), (places_id))",
            [*found.parameters, *parameters],
        )
        rows = cursor.fetchall()
    # GROUPING has a bit for each of its three that a row is not grouped by.
    return Counts(
        {row[1]: row[5] for row in rows if row[0] == 0b011 and row[5]},
        [(row[2], row[3], row[6]) for row in rows if row[0] == 0b101 and row[6]],
        {row[4]: row[7] for row in rows if row[0] == 0b110 and row[7]},
    )


def page(
    found: Condition, order: Order, *, after: Sequence[Any] | None, most: int, few: bool
) -> list[tuple[Any, UUID]]:
    """`(what it is sorted by, id)` of the rows after a key. `few`: gather all of them and sort.

    PostgreSQL takes what is found to lie evenly along an order; where all of it lies at the far end (the places of one
    old collection, newest first) it reads the whole archive on its way there. OFFSET 0 makes it gather first.
    """
    keys = "key" if order.name == "item_id" else "key, item_id"
    rest, way = "", " DESC" if order.down else ""
    if after is not None:
        rest = f"WHERE ({keys}) {'<' if order.down else '>'} ({', '.join(['%s'] * len(after))})"
    sorting = ", ".join(f"{key}{way}" for key in keys.split(", "))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key, item_id FROM (SELECT {order.sql} AS key, item_id FROM catalogue_itemindex "
            f"WHERE {found.sql}{' OFFSET 0' if few else ''}) AS hit {rest} ORDER BY {sorting} LIMIT %s",
            [*order.parameters, *found.parameters, *(after or ()), most],
        )
        return [(value, pk) for value, pk in cursor.fetchall()]


def place_names(counts: Mapping[int, int], *, chosen: Sequence[str], most: int) -> list[tuple[str, int]]:
    """The places of most items, and those chosen before them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place, sum(n)::int FROM unnest(%s::int[], %s::int[]) AS found(id, n) "
            "JOIN catalogue_placeset s USING (id), unnest(s.places) AS place GROUP BY place "
            "ORDER BY place = ANY(%s) DESC, 2 DESC, place LIMIT %s",
            [list(counts), list(counts.values()), list(chosen), most],
        )
        return [(str(place), int(n)) for place, n in cursor.fetchall()]


def _year(day: date | None) -> int | None:
    return day.year if day else None
