"""Taking a sheet in: looked at first, then whole or not at all; doing it again changes nothing.

1. Every row is read and checked. 2. It finds its item by id, identifier or file name among those of the collection and
below it; a row that finds none makes one. 3. Cells that say what is there already change nothing. 4. Any problem
anywhere, and nothing is written.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from archive.accounts.models import Role, User
from archive.accounts.permissions import own_collections
from archive.catalogue.description import Description, Value
from archive.catalogue.models import Collection, ColumnMemory, Edit, Item, Sheet, Version
from archive.catalogue.services import Change, NewItem, create_items, describe_items
from archive.catalogue.sheets.cells import Line, Problem, read_row
from archive.catalogue.sheets.columns import KEYS, Column, chosen, guess
from archive.catalogue.sheets.reading import SheetError, Table, read
from archive.transactions import may_be_silent

CHUNK = 1000
SHOWN = 20  # rows of a preview
MOST_PROBLEMS = 2000


@dataclass(frozen=True)
class Row:
    """A row of the preview: what would become of its item, property by property `(name, before, after)`."""

    number: int
    title: str
    new: bool
    changes: list[tuple[str, str, str]]


@dataclass
class Outcome:
    """What a sheet does, or would do."""

    new: int = 0
    changed: int = 0
    same: int = 0
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.new + self.changed + self.same


def bring(content: bytes, *, filename: str, collection: Collection, by: User) -> Sheet:
    """Keep a sheet to be looked at; its columns are what they were the last time, or what their headings say.

    Raises:
        SheetError: it cannot be read at all.
    """
    headings = read(content, filename).headings
    memory = dict(ColumnMemory.objects.filter(by=by).values_list("heading", "column"))
    return Sheet.objects.create(
        collection=collection,
        by=by,
        filename=filename[:255],
        content=content,
        columns=guess(headings, memory),
    )


def remember(sheet: Sheet, headings: Sequence[str], columns: Sequence[str], *, clears: bool) -> None:
    """Keep what the person said the columns stand for, for this sheet and the next one."""
    sheet.columns, sheet.clears = list(columns), clears
    sheet.save(update_fields=["columns", "clears"])
    ColumnMemory.objects.bulk_create(
        [
            ColumnMemory(by=sheet.by, heading=heading[:120], column=column)
            for heading, column in dict(zip(headings, columns, strict=False)).items()
            if heading
        ],
        update_conflicts=True, unique_fields=["by", "heading"], update_fields=["column"],
    )  # fmt: skip


def look(sheet: Sheet) -> Outcome:
    """What the sheet would do. Writes nothing.

    Raises:
        SheetError: it cannot be read, or its columns do not say enough.
    """
    return _run(sheet, edit=None)


@transaction.atomic
def take_in(sheet: Sheet, *, by: User) -> Outcome:
    """Do what `look` said, all or nothing.

    Raises:
        SheetError: as `look`; there is a problem in a row; it was taken in already.
    """
    may_be_silent()  # a workbook may hold many empty rows
    sheet = Sheet.objects.select_for_update(of=("self",)).select_related("collection").get(pk=sheet.pk)
    if sheet.edit_id is not None:
        raise SheetError(_("“%s” was taken in already.") % sheet.filename)
    edit = Edit.objects.create(
        kind=Edit.Kind.SHEET, collection=sheet.collection, by=by, note=sheet.filename[:300]
    )
    outcome = _run(sheet, edit=edit)
    if outcome.problems:
        raise SheetError(_("Nothing was taken in: %d cells have to be mended first.") % len(outcome.problems))
    sheet.edit = edit
    sheet.save(update_fields=["edit"])
    return outcome


class Found:
    """The items a sheet may be about, by what a row may call them."""

    def __init__(self, collection: Collection, wanted: set[str], *, by: User) -> None:
        self.by: dict[str, dict[str, set[UUID]]] = {key: defaultdict(set) for key in KEYS}
        # A private collection below this one has archivists of its own: a sheet reaches no further than who brings it.
        own = Collection.objects.filter(own_collections(by, Role.ARCHIVIST))
        items = Item.objects.filter(collection__in=own, collection__path__contains=[collection.pk])
        if "identifier" in wanted:
            rows = items.filter(description__has_key="identifier").values_list(
                "pk", "description__identifier"
            )
            for pk, values in rows.iterator(chunk_size=5000):
                for value in values:
                    self.by["identifier"][value["value"]].add(pk)
        if "file" in wanted:
            names = Version.objects.filter(scan__item__in=items, role=Version.Role.MASTER).exclude(
                original_name=""
            )
            for name, pk in names.values_list("original_name", "scan__item").iterator(chunk_size=5000):
                self.by["file"][name].add(pk)
                self.by["file"][name.rpartition(".")[0] or name].add(pk)
        if "item" in wanted:
            for pk in items.values_list("pk", flat=True).iterator(chunk_size=5000):
                self.by["item"][str(pk)].add(pk)

    def of(self, line: Line) -> tuple[str, set[UUID]]:
        """`(kind of key used, items)`: the surest key the row has decides."""
        for kind in KEYS:
            if value := line.keys.get(kind):
                hits = self.by[kind].get(value.lower() if kind == "item" else value, set())
                if hits or kind == "item":
                    return kind, hits
        return "", set()


def _run(sheet: Sheet, *, edit: Edit | None) -> Outcome:
    table = read(bytes(sheet.content), sheet.filename)
    columns = chosen(table.headings, sheet.columns)
    outcome, seen = Outcome(), dict[tuple[str, str], int]()
    found = Found(sheet.collection, {column.name for column in columns}, by=sheet.by)
    for lines in _chunks(table, columns, outcome):
        targets = [(line, _target(line, columns, table.headings, found, seen, outcome)) for line in lines]
        if len(outcome.problems) >= MOST_PROBLEMS:
            break
        _chunk(sheet, [(line, pk) for line, (fine, pk) in targets if fine], outcome, edit)
    return outcome


def _chunks(table: Table, columns: Sequence[Column], outcome: Outcome) -> Iterator[list[Line]]:
    while part := list(islice(table.rows, CHUNK)):
        lines = []
        for number, cells in part:
            line, problems = read_row(number, cells, columns, table.headings)
            outcome.problems += problems
            if not problems:
                lines.append(line)
        yield lines


def _target(
    line: Line, columns: Sequence[Column], headings: Sequence[str], found: Found,
    seen: dict[tuple[str, str], int], outcome: Outcome,
) -> tuple[bool, UUID | None]:  # fmt: skip
    """`(may be done, the item it is about or None for a new one)`; what speaks against it joins the problems."""

    def wrong(kind: str, sentence: str) -> tuple[bool, None]:
        column = next((c for c in columns if c.name == kind), None) or columns[0]
        value = line.keys.get(kind, "")
        outcome.problems.append(Problem(line.row, column.letter, headings[column.at], value, sentence))
        return False, None

    kinds = [kind for kind in KEYS if line.keys.get(kind)]
    if not kinds:
        return wrong(
            next(c.name for c in columns if c.name in KEYS), _("Expected what names the item, found nothing.")
        )
    kind, hits = found.of(line)
    for one in kinds:
        key = (one, line.keys[one])
        if key in seen and one == kinds[0]:
            return wrong(
                one, _("“%(key)s” stands in row %(row)d already.") % {"key": key[1], "row": seen[key]}
            )
        seen.setdefault(key, line.row)
    if len(hits) > 1:
        return wrong(kind, _("%d items are called so: use their item ids.") % len(hits))
    if kind == "item" and not hits:
        return wrong(kind, _("No item of this collection has this id."))
    if not hits and not any(line.values.get(("title", c.lang)) for c in columns if c.name == "title"):
        return wrong(kinds[0], _("No item is called so, and a new one needs a title."))
    return True, next(iter(hits), None)


def _chunk(
    sheet: Sheet, lines: Sequence[tuple[Line, UUID | None]], outcome: Outcome, edit: Edit | None
) -> None:
    known = {item.pk: item for item in Item.objects.filter(pk__in=[pk for _line, pk in lines if pk])}
    new: list[NewItem] = []
    changes: list[Change] = []
    for line, pk in lines:
        if pk is None:
            new.append(
                NewItem(merged({}, line, clears=True), line.date or "", bool(line.sensitive), line.reason)
            )
            _show(outcome, line, {}, new[-1].description, ("", line.date or ""), is_new=True)
            continue
        item = known[pk]
        after = merged(item.description, line, clears=sheet.clears)
        date = line.date if line.date or (sheet.clears and line.date is not None) else item.date_verbatim
        before = (item.description, item.date_verbatim, item.sensitive, item.sensitive_reason)
        sensitive = item.sensitive if line.sensitive is None else line.sensitive
        reason = line.reason if line.sensitive else (item.sensitive_reason if line.sensitive is None else "")
        if before == (after, date, sensitive, reason):
            outcome.same += 1
        else:
            changes.append(Change(pk, after, date, sensitive, reason))
            _show(outcome, line, item.description, after, (item.date_verbatim, date), is_new=False)
    outcome.new += len(new)
    outcome.changed += len(changes)
    if edit is not None and not outcome.problems:
        if new:
            create_items(sheet.collection, new, by=edit.by, note=edit.note, edit=edit)
        if changes:
            describe_items(changes, by=edit.by, note=edit.note, edit=edit)


def merged(before: Description, line: Line, *, clears: bool) -> Description:
    """The description after the row. A property whose cells say what is there keeps even the order of its values."""
    after = dict(before)
    by_name: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for (name, lang), values in line.values.items():
        if values or clears:
            by_name[name][lang] = values
    for name, said in by_name.items():
        there = before.get(name, [])
        if all([v["value"] for v in there if v["lang"] == lang] == values for lang, values in said.items()):
            continue
        rest: list[Value] = [value for value in there if value["lang"] not in said]
        told: list[Value] = [
            {"value": text, "lang": lang} for lang, values in said.items() for text in values
        ]
        after[name] = [*told, *rest]
        if not after[name]:
            del after[name]
    return after


def _show(
    outcome: Outcome, line: Line, before: Description, after: object, dates: tuple[str, str], *, is_new: bool
) -> None:
    if len(outcome.rows) >= SHOWN or not isinstance(after, dict):
        return
    changes = [
        (name, _words(before.get(name, [])), _words(after.get(name, [])))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    if dates[0] != dates[1]:
        changes.append(("date", *dates))
    title = _words(after.get("title", [])) or _words(before.get("title", []))
    outcome.rows.append(Row(line.row, title, is_new, changes))


def _words(values: Sequence[Value]) -> str:
    return " | ".join(value["value"] for value in values)
