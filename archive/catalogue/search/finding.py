"""Answering a search: a page of items, the facets beside it, the number of all.

Queries of a search: visible collections (1), combinations (1), all counts in one pass over what is found (1), the names
of its places (1), the page's keys and rows (2). Their number does not depend on how many items there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from archive.accounts.permissions import Person, sight
from archive.catalogue.models import Collection, Item
from archive.catalogue.search import conditions, facets
from archive.catalogue.search.asking import parse
from archive.catalogue.search.conditions import Condition, Order
from archive.catalogue.search.wanted import Wanted
from archive.ids import as_uuid
from archive.jobs import saved

PAGE = 48
MOST_PLACES = 12
MOST_RANKED = 5000  # to rank is to read every match: beyond this a word is too common to say which is best
FEW = 10_000  # so many are quicker gathered and sorted than met along an order that holds them far apart


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
        self.saved = saved.names() if facets.has_looks(sets) else {}
        self.combinations = facets.seen(sets, self.sight, paths, self.saved)
        self.passes = facets.rules(wanted, self.within.pk if self.within else None)
        self.everything = len(self.combinations) == len(sets)
        self.passing = [c.id for c in self.combinations if all(rule(c) for rule in self.passes.values())]

    def find(self, *, after: str = "", size: int = PAGE, counted: bool = True) -> Found:
        """A page of the answer, with facets if `counted`."""
        if not counted:
            ids, following = self._page(after, size)
            return Found(ids, 0, following, within=self.within)
        counts = self._counts()
        found, below, total = facets.counted(self.combinations, counts.sets, self.passes)
        self.ranked = total <= MOST_RANKED
        ids, following = self._page(after, size, total=total)
        chosen = self.wanted.places
        return Found(
            ids=ids,
            total=total,
            next=following,
            counts={name: counter.most_common() for name, counter in found.items()}
            | {"places": conditions.place_names(counts.places, chosen=chosen, most=MOST_PLACES)},
            collections=[
                (self.collections[pk], n) for pk, n in below.most_common() if pk in self.collections
            ],
            bars=facets.histogram(counts.years, self.wanted),
            undated=sum(n for first, _last, n in counts.years if first is None),
            within=self.within,
            unranked=self.wanted.order == "best" and not self.ranked,
        )

    @property
    def _dated(self) -> Condition:
        return conditions.between(self.wanted.year_from, self.wanted.year_to)

    @property
    def _placed(self) -> Condition:
        return conditions.at_places(self.wanted.places)

    @property
    def _narrowed(self) -> Condition:
        """Of the combinations a person sees and that pass all choices."""
        chosen = self.wanted.within or any(
            getattr(self.wanted, n) for n in facets.DIMENSIONS if n != "within"
        )
        return conditions.of_sets(None if self.everything and not chosen else self.passing)

    def _counts(self) -> conditions.Counts:
        """What each facet counts leaves out the choice made in itself; the combinations that a count may need are those
        that miss at most one choice."""
        near = [c.id for c in self.combinations if sum(not rule(c) for rule in self.passes.values()) <= 1]
        everything = self.everything and len(near) == len(self.combinations)
        narrowed, dated, placed = self._narrowed, self._dated, self._placed
        return conditions.counted(
            conditions.asked(self.question) & conditions.of_sets(None if everything else near),
            sets=dated & placed, years=narrowed & placed, places=narrowed & dated,
        )  # fmt: skip

    def _page(self, after: str, size: int, *, total: int | None = None) -> tuple[list[UUID], str]:
        """Ids by keyset: the page after a key costs what the first page does."""
        if self.wanted.order == "best" and self.question.tsquery and self.ranked:
            order = conditions.by_rank(self.question)
        else:
            order = conditions.ORDERS.get(self.wanted.order, conditions.ORDERS["new"])
        found = conditions.asked(self.question) & self._narrowed & self._dated & self._placed
        rows = conditions.page(
            found, order, after=_key(after, order), most=size + 1, few=total is not None and total <= FEW
        )
        ids = [pk for _value, pk in rows[:size]]
        if len(rows) <= size:
            return ids, ""
        value, pk = rows[size - 1]
        return ids, str(pk) if order.name == "item_id" else f"{value}~{pk}"


def in_order(items: Iterable[Item], ids: Sequence[UUID]) -> list[Item]:
    """Those of the items that these ids name, in their order."""
    found = {item.pk: item for item in items}
    return [found[pk] for pk in ids if pk in found]


def _key(after: str, order: Order) -> list[Any] | None:
    """The values a page ended with; None for what was never one."""
    value, _, pk = after.rpartition("~")
    found = as_uuid(pk)
    if found is None:
        return None
    if order.name == "item_id":
        return [found]
    try:
        if order.name == "rank":
            return [int(value), found]
        return [
            date.fromisoformat(value) if order.name.endswith("_day") else value.replace("\x00", ""),
            found,
        ]
    except ValueError:
        return None
