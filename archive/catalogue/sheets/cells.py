"""One row of a sheet, understood or refused cell by cell. Values of a cell are divided by `|` (`\\|` is a stroke)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext as _

from archive.catalogue.description import LEVELS, LONGEST_VALUE, MOST_VALUES
from archive.catalogue.rights import RIGHTS, label_of
from archive.catalogue.sheets.columns import LANGUAGE, Column

DIVIDED = re.compile(r"(?:\\.|[^|\\])+", re.DOTALL)
DANGEROUS = re.compile(r"'*[=+\-@\t\r]")  # what a spreadsheet would run as a formula
QUOTED = re.compile(r"'+[=+\-@\t\r]")
FAILED = re.compile(r"#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
YES, NO = {"yes", "y", "true", "1", "是", "x"}, {"no", "n", "false", "0", "否"}
VOCABULARY = re.compile(r"https?://(?:www\.)?(?:rightsstatements|creativecommons)\.org/")


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell (`letter` empty: with the row), in words for the person who wrote it."""

    row: int
    letter: str
    heading: str
    value: str
    sentence: str


@dataclass
class Line:
    """A row as understood. `values` are those of the columns in use, empty lists included."""

    row: int
    keys: dict[str, str] = field(default_factory=dict)
    values: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    date: str | None = None
    sensitive: bool | None = None
    reason: str = ""


def read_row(
    row: int, cells: Sequence[str], columns: Sequence[Column], headings: Sequence[str]
) -> tuple[Line, list[Problem]]:
    """A row, and what is wrong in it."""
    line, problems = Line(row), []

    def wrong(column: Column | None, value: str, sentence: str) -> None:
        heading = headings[column.at] if column else ""
        problems.append(Problem(row, column.letter if column else "", heading, value[:200], sentence))

    if any(cell.strip() for cell in cells[len(headings) :]):
        wrong(None, "", _("Expected %(n)d cells, got %(m)d.") % {"n": len(headings), "m": len(cells)})
    flag: tuple[Column, str] | None = None
    for column in columns:
        text = plain(cells[column.at]) if column.at < len(cells) else ""
        if FAILED.fullmatch(text):
            wrong(column, text, _("A formula failed here: expected its value."))
        elif CONTROL.search(text):
            wrong(column, text, _("Expected text, got control characters."))
        elif column.name in ("item", "file"):
            line.keys[column.name] = text
        elif column.name == "sensitive":
            flag = (column, text)
        elif column.name == "sensitive_reason":
            line.reason = text
        elif column.name == "date":
            line.date = text
            if len(text) > 200:
                wrong(column, text, _("Expected at most 200 characters, got %d.") % len(text))
        else:
            values = divided(text)
            line.values[(column.name, column.lang)] = values
            if column.name == "identifier" and values:
                line.keys["identifier"] = values[0]
            for sentence in _faults(column.name, values):
                wrong(column, text, sentence)
    if flag:
        _sensitivity(line, *flag, wrong=wrong)
    elif line.reason:
        wrong(
            None,
            line.reason,
            _("A reason for sensitivity is given, but no column says that the item is sensitive."),
        )
    if any(c.name == "item" for c in columns) and line.keys.get("item") and not _is_id(line.keys["item"]):
        wrong(next(c for c in columns if c.name == "item"), line.keys["item"], _("Expected an item's id."))
    return line, problems


def _faults(name: str, values: Sequence[str]) -> Iterator[str]:
    if len(values) > MOST_VALUES:
        yield _("Expected at most %(n)d values, got %(m)d.") % {"n": MOST_VALUES, "m": len(values)}
    if name == "level" and len(values) > 1:
        yield _("Expected one level, got %d.") % len(values)
    for value in values:
        if len(value) > LONGEST_VALUE:
            yield _("Expected at most %(n)d characters, got %(m)d.") % {"n": LONGEST_VALUE, "m": len(value)}
        if name == "license" and not re.match(r"https?://\S+$", value):
            yield _("Expected the address of a licence, got “%s”.") % value[:80]
        elif name in {"license", "rights"} and _is_unknown(value):
            yield (
                _("“%s” is no statement of rightsstatements.org or licence of Creative Commons we know.")
                % value[:80]
            )
        if name == "level" and value not in LEVELS:
            yield _("Expected one of %(levels)s, got “%(value)s”.") % {
                "levels": ", ".join(LEVELS),
                "value": value[:80],
            }
        if name == "language" and not LANGUAGE.fullmatch(value):
            yield _("Expected a language as a tag such as en or zh-Hans, got “%s”.") % value[:80]


def _is_unknown(rights: str) -> bool:
    """Is it an address of a vocabulary we know, of a statement we do not?"""
    return rights not in RIGHTS and bool(VOCABULARY.match(rights)) and label_of(rights) == rights


def _sensitivity(line: Line, column: Column, text: str, *, wrong: object) -> None:
    assert callable(wrong)  # noqa: S101
    said = text.strip().lower()
    if said in YES:
        line.sensitive = True
        if not line.reason:
            wrong(column, text, _("Sensitive, but no reason is given: fill in sensitive_reason."))
    elif said in NO or not said:
        line.sensitive = False if said in NO else None
        if line.reason:
            wrong(column, text, _("A reason is given, but the item is not said to be sensitive."))
    else:
        wrong(column, text, _("Expected yes or no, got “%s”.") % text[:80])


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def divided(text: str) -> list[str]:
    """The values of a cell."""
    if "|" not in text and "\\" not in text:
        return [text] if (text := text.strip()) else []
    parts = (re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL).strip() for part in DIVIDED.findall(text))
    return [part for part in parts if part]


def joined(values: Sequence[str]) -> str:
    """Values as one cell: what `divided` reads back."""
    return " | ".join(re.sub(r"([\\|])", r"\\\1", value) for value in values)


def plain(cell: str) -> str:
    """A cell's text, without the apostrophe that kept a spreadsheet from running it."""
    text = cell.strip()
    return text[1:] if QUOTED.match(text) else text


def guarded(text: str) -> str:
    """Text as a cell no spreadsheet runs as a formula; `plain` takes the apostrophe away again."""
    return f"'{text}" if DANGEROUS.match(text) else text
