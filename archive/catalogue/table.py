"""Many items as a table of cells: what it shows, and what a form made of it changes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.accounts.models import User
from archive.catalogue import services
from archive.catalogue.description import PROPERTIES
from archive.catalogue.models import Collection, Item
from archive.catalogue.search.indexing import TERMS
from archive.catalogue.sheets.cells import Line, divided, joined
from archive.catalogue.sheets.importing import merged
from archive.ids import as_uuid

COLUMNS = ("title", "creator", "date", "spatial", "subject", "type", "description")
SHARED = ("creator", "date", "spatial", "subject", "type", "medium", "provenance", "rights")  # by a whole box


@dataclass(frozen=True)
class Cell:
    """One property of one item as text: its values in no language, divided by strokes."""

    name: str
    text: str
    kind: str  # of the controlled list it takes its words from, if any


@dataclass(frozen=True)
class Row:
    item: Item
    cells: list[Cell]
    file: str = ""


def headings(names: Sequence[str] = COLUMNS) -> list[tuple[str, str | Promise]]:
    return [(name, _("Date") if name == "date" else PROPERTIES[name]) for name in names]


def rows(items: Iterable[Item], *, files: Mapping[UUID, str] | None = None) -> list[Row]:
    """A row for every item, named by its file where those are given."""
    return [
        Row(
            item,
            [Cell(name, text_of(item, name), TERMS.get(name, "")) for name in COLUMNS],
            (files or {}).get(item.pk, ""),
        )
        for item in items
    ]


def text_of(item: Item, name: str) -> str:
    if name == "date":
        return item.date_verbatim
    return joined([value["value"] for value in item.description.get(name, []) if not value["lang"]])


def changed_cells(form: QueryDict) -> dict[UUID, Line]:
    """The cells whose text is not what the table showed; others may have changed meanwhile and are left alone."""
    lines: dict[UUID, Line] = {}
    for key in form:
        kind, _at, rest = key.partition(":")
        pk, _at, name = rest.partition(":")
        text, shown = form.get(key, ""), form.get(f"was:{rest}", "")
        item = as_uuid(pk)
        if kind != "cell" or name not in COLUMNS or item is None or text.strip() == shown.strip():
            continue
        _put(lines.setdefault(item, Line(row=0)), name, text)
    return lines


def given_to_all(form: QueryDict) -> dict[str, str]:
    """What is said once for all of them: `{property: text}` of what is not blank."""
    found = {name: form.get(f"all:{name}", "").strip() for name in SHARED}
    return {name: text for name, text in found.items() if text}


@transaction.atomic
def keep(
    items: "QuerySet[Item]",
    cells: Mapping[UUID, Line],
    *,
    by: User,
    collection: Collection | None = None,
    shared: Mapping[str, str] | None = None,
) -> int:
    """Write changed cells, and `shared` wherever an item says nothing; returns how many items changed. One change,
    undone as one: of `collection`, or without one of each collection that items are in.

    Raises:
        DescriptionError: as `services.describe`.
    """
    wanted = items if shared else items.filter(pk__in=cells)
    changes: dict[Collection, list[services.Change]] = defaultdict(list)
    for item in wanted.select_related("collection").order_by("pk"):
        line = cells.get(item.pk) or Line(row=0)
        changes[collection or item.collection].append(_change(item, line, shared or {}))
    return sum(services.change_table(part, collection=place, by=by) for place, part in changes.items())


def _change(item: Item, line: Line, shared: Mapping[str, str]) -> services.Change:
    for name, text in shared.items():
        typed = line.date if name == "date" else line.values.get((name, ""))
        says = item.date_verbatim if name == "date" else item.description.get(name)
        if not typed and not says:
            _put(line, name, text)
    return services.Change(item.pk, merged(item.description, line, clears=True), line.date)


def _put(line: Line, name: str, text: str) -> None:
    if name == "date":
        line.date = text.strip()
    else:
        line.values[(name, "")] = divided(text)
