"""Items as a sheet, in the columns an import reads: bringing it back unchanged changes nothing."""

import csv
import io
from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db.models import QuerySet

from archive.catalogue.description import PROPERTIES
from archive.catalogue.models import Item, Scan
from archive.catalogue.sheets.cells import Problem, guarded, joined

CHUNK = 1000
LAST = ("date", "sensitive", "sensitive_reason")
PROBLEM_HEADINGS = ("row", "column", "heading", "value", "what is wrong")


def csv_of(items: QuerySet[Item]) -> Iterator[bytes]:
    """CSV in UTF-8 with a mark that spreadsheets look for, a chunk at a time."""
    yield b"\xef\xbb\xbf"
    for chunk in _chunked(_lines(items)):
        out = io.StringIO(newline="")
        csv.writer(out).writerows([guarded(cell) for cell in line] for line in chunk)
        yield out.getvalue().encode()


def xlsx_of(items: QuerySet[Item]) -> bytes:
    """A workbook of one sheet; every cell is text, so that no date or number is turned into something else."""
    import openpyxl  # here, as in `reading`: it is large, and few processes ever write a workbook

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("items")
    for line in _lines(items):
        sheet.append([guarded(cell) for cell in line])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def problems_csv(problems: Iterable[Problem]) -> bytes:
    """What has to be mended, by row and column."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(PROBLEM_HEADINGS)
    for one in problems:
        writer.writerow([one.row, one.letter, *map(guarded, (one.heading, one.value, one.sentence))])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _lines(items: QuerySet[Item]) -> Iterator[list[str]]:
    columns = _columns(items)
    yield ["item", "file", *("@".join(part for part in column if part) for column in columns), *LAST]
    last: UUID | None = None
    ordered = items.order_by("pk")
    while batch := list((ordered.filter(pk__gt=last) if last else ordered)[:CHUNK]):
        last = batch[-1].pk
        files = dict(
            Scan.objects.filter(item__in=batch).order_by("item", "-position")
            .values_list("item", "current_master__original_name")
        )  # fmt: skip
        for item in batch:
            values = [
                joined([v["value"] for v in item.description.get(name, ()) if v["lang"] == lang])
                for name, lang in columns
            ]
            sensitive = "yes" if item.sensitive else "no"
            yield [
                str(item.pk),
                files.get(item.pk) or "",
                *values,
                item.date_verbatim,
                sensitive,
                item.sensitive_reason,
            ]


def _columns(items: QuerySet[Item]) -> list[tuple[str, str]]:
    """The properties in use, in the order of a page, each with the languages it is given in."""
    used: set[tuple[str, str]] = {("title", "")}
    for description in items.order_by().values_list("description", flat=True).iterator(chunk_size=5000):
        for name, values in description.items():
            used.update((name, value["lang"]) for value in values)
    order = list(PROPERTIES)
    return sorted(used, key=lambda column: (order.index(column[0]), column[1]))


def _chunked(lines: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    part: list[list[str]] = []
    for line in lines:
        part.append(line)
        if len(part) == CHUNK:
            yield part
            part = []
    if part:
        yield part
