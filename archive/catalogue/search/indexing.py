"""Writing the derived rows: what finding reads of each item."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import Model, Q, QuerySet

from archive.bulk import copy_in
from archive.catalogue.description import Description
from archive.catalogue.looks import STYLE, look_of, styles_of
from archive.catalogue.models import FacetSet, Item, ItemIndex, PlaceSet, Term, Version
from archive.catalogue.search.lexemes import document, fold, sort_key

EDITION = 2  # raise it when what is written changes: `manage.py reindex` and migrate write older rows again
OPEN = 9999
TERMS = {"creator": "agent", "contributor": "agent", "spatial": "place", "subject": "subject", "type": "type"}
WRITTEN = [
    "title",
    "sort_key",
    "document",
    "facets",
    "places",
    "year_from",
    "year_to",
    "first_day",
    "last_day",
    "edition",
]

REFRESH = """
UPDATE catalogue_itemindex i SET facets_id = x.facets FROM unnest(%s::uuid[], %s::bigint[]) AS x(item, facets)
WHERE i.item_id = x.item AND i.facets_id IS DISTINCT FROM x.facets
"""


def index_items(items: Sequence[Item], *, new: bool = False) -> None:
    """Write the derived rows of these items in a fixed number of queries. `new` items have no derivatives yet."""
    derived = {} if new else _derived([item.pk for item in items])
    facets = _interned(FacetSet, [_facet_values(item, derived.get(item.pk, set())) for item in items])
    places = _interned(PlaceSet, [{"places": _values(item.description, "spatial")} for item in items])
    rows = [
        ItemIndex(
            item_id=item.pk,
            title=item.title[:300],
            sort_key=sort_key(item.title),
            document=document(item.description, item.date_verbatim),
            facets_id=facet,
            places_id=place,
            **_days(item),
            edition=EDITION,
        )
        for item, facet, place in zip(items, facets, places, strict=True)
    ]
    if new:
        copy_in(ItemIndex, rows)
    else:
        ItemIndex.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["item"], update_fields=WRITTEN
        )
    _grow_terms(items)


def refresh_facets(item_ids: Iterable[UUID]) -> None:
    """After derivatives came or were decided on: what facets count of these items is written anew, nothing else."""
    items = list(Item.objects.filter(pk__in=list(item_ids)).order_by("pk"))
    derived = _derived([item.pk for item in items])
    facets = _interned(FacetSet, [_facet_values(item, derived.get(item.pk, set())) for item in items])
    with connection.cursor() as cursor:
        cursor.execute(REFRESH, [[item.pk for item in items], facets])


def stale() -> QuerySet[Item]:
    """Items whose derived row is missing or was written by an older edition."""
    return Item.objects.filter(Q(index=None) | ~Q(index__edition=EDITION)).order_by("pk")


def _facet_values(item: Item, derived: set[str]) -> dict[str, object]:
    return {
        "collection_id": item.collection_id,
        "sensitive": item.sensitive,
        "types": _values(item.description, "type"),
        "rights": [*_values(item.description, "license"), *_values(item.description, "rights")][:20],
        "derived": sorted(derived),
    }


def _values(description: Description, name: str) -> list[str]:
    return sorted({value["value"][:300] for value in description.get(name, ())})


def _derived(items: Sequence[UUID]) -> dict[UUID, set[str]]:
    """`state|role|model|look|styles` of the derivatives of each item that are neither rejected nor withdrawn, the last
    two of steps that make a style."""
    rows = (
        Version.objects.filter(scan__item__in=items)
        .exclude(role=Version.Role.MASTER)
        .exclude(review__state__in=["rejected", "withdrawn"])
        .values_list("scan__item", "review__state", "role", "recipe__canonical", "reference")
    )
    found: dict[UUID, set[str]] = defaultdict(set)
    for item, state, role, canonical, reference in rows:
        recipe = json.loads(canonical)
        styles = ",".join(sorted(styles_of(recipe, reference=reference)))
        for step in recipe.get("steps", []):
            model = f"{step.get('model', '')} {step.get('version', '')}".strip()
            style = f"|{look_of(recipe)}|{styles}" if step.get("operation") == STYLE else "||"
            found[item].add(f"{state}|{role}|{model}{style}")
    return found


def _interned(model: type[Model], wanted: Sequence[Mapping[str, object]]) -> list[int]:
    """The ids of the rows with these values, made where there are none; two writers at once get the same row."""
    keys = [
        hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
        for values in wanted
    ]
    by_key = dict(zip(keys, wanted, strict=True))
    known = dict(model._default_manager.filter(key__in=by_key).values_list("key", "pk"))
    if missing := sorted(by_key.keys() - known.keys()):
        model._default_manager.bulk_create(
            [model(key=key, **by_key[key]) for key in missing], ignore_conflicts=True
        )
        known |= dict(model._default_manager.filter(key__in=missing).values_list("key", "pk"))
    return [known[key] for key in keys]


def _days(item: Item) -> dict[str, int | date | None]:
    first, last = item.date_earliest, item.date_latest
    dated = first is not None or last is not None
    return {
        "year_from": (first.year if first else -OPEN) if dated else None,
        "year_to": (last.year if last else OPEN) if dated else None,
        "first_day": first or last or date.max,
        "last_day": last or first or date.min,
    }


def _grow_terms(items: Sequence[Item]) -> None:
    """What descriptions name joins the controlled lists."""
    named = {
        (kind, value["value"][:300])
        for item in items
        for name, kind in TERMS.items()
        for value in item.description.get(name, ())
    }
    if named:
        Term.objects.bulk_create(
            [Term(kind=kind, label=label, key=fold(label)[:300]) for kind, label in sorted(named)],
            ignore_conflicts=True,
        )
