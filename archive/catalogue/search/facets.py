"""Counting facets. The database groups items by the combinations they have; what each facet shows is worked out here.

A count says how many items a click would leave: all other choices hold, the facet's own do not.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from archive.accounts.permissions import Sight
from archive.catalogue.models import FacetSet
from archive.catalogue.search.indexing import OPEN
from archive.catalogue.search.wanted import NONE, Wanted

DIMENSIONS = ("within", "types", "rights", "made", "styles", "models", "reviews")
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000)
MOST_BARS = 60


@dataclass(frozen=True)
class Combination:
    """A `FacetSet` as one person sees it: of derivatives only those shown to them."""

    id: int
    path: tuple[UUID, ...]  # of the collection, from the root
    types: tuple[str, ...]
    rights: tuple[str, ...]
    made: tuple[str, ...]
    styles: tuple[str, ...]
    models: tuple[str, ...]
    reviews: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """Items that may be of these years; `share` of the tallest bar, in thousandths."""

    first: int
    last: int
    count: int
    share: int
    inside: bool


_known: dict[int, FacetSet] = {}  # rows never change, so what is remembered stays true


def all_sets() -> list[FacetSet]:
    """Every combination, in one small query, or two when there are new ones."""
    ids = list(FacetSet.objects.values_list("pk", flat=True))
    if missing := [pk for pk in ids if pk not in _known]:
        _known.update({row.pk: row for row in FacetSet.objects.filter(pk__in=missing)})
    return [_known[pk] for pk in ids if pk in _known]


def seen(
    sets: Iterable[FacetSet],
    sight: Sight,
    paths: Mapping[UUID, tuple[UUID, ...]],
    saved: Mapping[str, Iterable[str]],
) -> list[Combination]:
    """The combinations a person sees, with the derivatives they may know of; `saved` are the names of looks."""
    found = []
    for row in sets:
        if not sight.sees(row.collection_id, sensitive=row.sensitive):
            continue
        entries = [_entry(text) for text in row.derived]
        if row.collection_id not in sight.own:
            entries = [entry for entry in entries if entry.state == "published"]
        found.append(
            Combination(
                id=row.pk,
                path=paths.get(row.collection_id, (row.collection_id,)),
                types=tuple(row.types),
                rights=tuple(row.rights),
                made=tuple({entry.role for entry in entries}),
                styles=tuple(
                    {style for entry in entries for style in (*entry.styles, *saved.get(entry.look, ()))}
                ),
                models=tuple({entry.model for entry in entries}),
                reviews=tuple({entry.state for entry in entries}),
            )
        )
    return found


class _Entry(NamedTuple):
    """What the index holds of a derivative."""

    state: str
    role: str
    model: str
    look: str = ""
    styles: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def _entry(text: str) -> _Entry:
    state, role, model, look, styles = (*text.split("|"), "", "")[:5]
    return _Entry(state, role, model, look, tuple(filter(None, styles.split(","))))


def has_looks(sets: Iterable[FacetSet]) -> bool:
    return any(_entry(text).look for row in sets for text in row.derived)


def rules(wanted: Wanted, within: UUID | None) -> dict[str, Callable[[Combination], bool]]:
    """For each dimension, whether a combination passes what is chosen in it."""

    def chosen(name: str) -> Callable[[Combination], bool]:
        values = set(getattr(wanted, name))

        def passes(one: Combination) -> bool:
            has = getattr(one, name)
            return not values or not values.isdisjoint(has) or (NONE in values and not has)

        return passes

    found = {name: chosen(name) for name in DIMENSIONS if name != "within"}
    found["within"] = lambda one: within is None or within in one.path
    return found


def counted(
    combinations: Iterable[Combination],
    counts: Mapping[int, int],
    passes: Mapping[str, Callable[[Combination], bool]],
) -> tuple[dict[str, Counter[str]], Counter[UUID], int]:
    """`(facet → value → items, collection → items in it and below, items that pass everything)`."""
    found: dict[str, Counter[str]] = {name: Counter() for name in DIMENSIONS if name != "within"}
    below: Counter[UUID] = Counter()
    total = 0
    for one in combinations:
        count = counts.get(one.id, 0)
        failed = [name for name in DIMENSIONS if not passes[name](one)]
        if not count or len(failed) > 1:
            continue
        if not failed:
            total += count
        for name in failed or DIMENSIONS:
            if name == "within":
                below.update(dict.fromkeys(one.path, count))
            else:
                values = getattr(one, name) or (NONE,)
                found[name].update(dict.fromkeys(values, count))
    return found, below, total


def histogram(spans: Iterable[tuple[int | None, int | None, int]], wanted: Wanted) -> list[Bar]:
    """Bars of equal width over all years there are; an item counts in every bar it may belong to."""
    known = [(first, last, n) for first, last, n in spans if first is not None and last is not None]
    years = {first for first, _last, _n in known} | {last for _first, last, _n in known}
    closed = [year for year in years if abs(year) != OPEN]
    if not closed:
        return []
    low, high = min(closed), max(closed)
    step = next((s for s in STEPS if (high // s - low // s + 1) <= MOST_BARS), STEPS[-1])
    start, size = low // step, high // step - low // step + 1
    begins = {year: min(max(year // step - start, 0), size) for year in years}
    changes = [0] * (size + 1)  # where items begin and end: one addition each, however long they span
    for first, last, n in known:
        changes[begins[first]] += n
        changes[min(begins[last] + 1, size)] -= n
    counts, running = [], 0
    for change in changes[:-1]:
        running += change
        counts.append(running)
    top = max(counts) or 1
    chosen = range(wanted.year_from or -OPEN, (wanted.year_to or OPEN) + 1)
    return [
        Bar(
            first=(start + i) * step,
            last=(start + i) * step + step - 1,
            count=n,
            share=max(round(1000 * n / top), 12 if n else 0),
            inside=not wanted.dated
            or ((start + i) * step <= chosen[-1] and (start + i) * step + step - 1 >= chosen[0]),
        )
        for i, n in enumerate(counts)
    ]
