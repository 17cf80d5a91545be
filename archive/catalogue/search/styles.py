"""Styles as people read them, and the pictures that have them: what a grid shows once a style is chosen."""

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from archive.accounts.permissions import Person, visible_versions
from archive.catalogue.looks import BY_PICTURE, STYLE, look_of, styles_of
from archive.catalogue.models import Version
from archive.catalogue.queries import tinted
from archive.ids import as_uuid


def pictures_named(person: Person, values: Iterable[str]) -> dict[str, str]:
    """The titles of the style pictures among these values of the facet, of those the person may see."""
    named = (as_uuid(value.removeprefix(BY_PICTURE)) for value in values if value.startswith(BY_PICTURE))
    ids = [pk for pk in named if pk is not None]
    if not ids:
        return {}
    rows = Version.objects.filter(visible_versions(person), pk__in=ids)
    return {f"{BY_PICTURE}{pk}": title for pk, title in rows.values_list("pk", "scan__item__index__title")}


def styled(
    person: Person, items: Sequence[UUID], *, styles: Sequence[str], saved: Mapping[str, Sequence[str]]
) -> dict[UUID, Version]:
    """Of each item the newest derivative in one of these styles that the person may see, in one query. Its `styles` are
    the one it was found by and the names it was saved under."""
    rows = (
        tinted(Version.objects.filter(visible_versions(person), scan__item__in=items))
        .filter(recipe__operations__contains=[STYLE])
        .exclude(review__state__in=["rejected", "withdrawn"])
        .select_related("recipe", "review", "scan__item")
        .order_by("pk")
    )
    found = {}
    for row in rows:
        assert row.recipe is not None  # noqa: S101  (a derivative has one)
        recipe = json.loads(row.recipe.canonical)
        names = saved.get(look_of(recipe), ())
        has = styles_of(recipe, reference=row.reference_id) | set(names)
        if style := next((style for style in styles if style in has), None):
            row.styles = [style, *(name for name in names if name != style)]  # type: ignore[attr-defined]
            found[row.scan.item_id] = row
    return found
