"""A sheet as rows of text: CSV in the encodings spreadsheets write, or the first sheet of an XLSX workbook."""

import csv
import datetime
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from defusedxml import DefusedXmlException
from django.utils.translation import gettext as _

from archive.catalogue.errors import CatalogueError

MOST_BYTES = 64 * 2**20
MOST_UNPACKED = 512 * 2**20
MOST_COLUMNS = 200
ENCODINGS = ("utf-8-sig", "gb18030", "cp1252")


class SheetError(CatalogueError):
    """The file is no sheet that can be read. Says where it fails."""

    code = "sheet-unreadable"


@dataclass(frozen=True)
class Table:
    """Headings, and an iterator of `(number as the spreadsheet shows it, cells)`, read once."""

    headings: list[str]
    rows: Iterator[tuple[int, list[str]]]


def read(content: bytes, filename: str) -> Table:
    """Open a sheet.

    Raises:
        SheetError: too large, not CSV or XLSX, no headings. Rows further down may raise it while they are read.
    """
    if len(content) > MOST_BYTES:
        raise SheetError(_("%s: expected at most 64 MB. Divide it into several sheets.") % filename)
    lines = _workbook(content, filename) if content[:4] == b"PK\x03\x04" else _csv(content, filename)
    first = next(lines, None)
    headings = [cell.strip() for cell in first[1]] if first else []
    while headings and not headings[-1]:
        headings.pop()
    if not headings:
        raise SheetError(_("%s: expected headings in the first row, got none.") % filename)
    if len(headings) > MOST_COLUMNS:
        raise SheetError(_("%s: expected at most 200 columns.") % filename)
    return Table(headings, ((number, cells) for number, cells in lines if any(cells)))


def _csv(content: bytes, filename: str) -> Iterator[tuple[int, list[str]]]:
    encodings = ("utf-16",) if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SheetError(_("%s: expected text in UTF-8; save it as “CSV UTF-8”.") % filename)
    if "\x00" in text[:4096]:
        raise SheetError(_("%s: expected a CSV or XLSX sheet, got something else.") % filename)
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from enumerate(reader, start=1)
    except csv.Error as error:
        raise SheetError(
            _("%(name)s, row %(row)d: the quotation marks do not close (%(error)s).")
            % {"name": filename, "row": reader.line_num, "error": error}
        ) from error


def _workbook(content: bytes, filename: str) -> Iterator[tuple[int, list[str]]]:
    import openpyxl  # here, since it takes 12 MB of every web process, and few of them ever meet a workbook

    problem = _("%s: expected an XLSX workbook, got one that cannot be read.") % filename
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise SheetError(_("%s: unpacked it would be larger than 512 MB.") % filename)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        for number, row in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield number, [_text(value) for value in row]
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        IndexError,
        EOFError,
        OSError,
        DefusedXmlException,
    ) as error:
        raise SheetError(problem) from error
    except SyntaxError as error:  # what ElementTree raises for bad XML
        raise SheetError(problem) from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
