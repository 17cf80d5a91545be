"""What the columns of a sheet stand for: an item's key, a property (in a language), its date, its sensitivity."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from archive.catalogue.description import PROPERTIES
from archive.catalogue.sheets.reading import SheetError

KEYS = ("item", "identifier", "file")  # how a row finds its item, the surest first
OTHER = ("date", "sensitive", "sensitive_reason")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
ALIASES = {
    "filename": "file", "file name": "file", "文件名": "file", "id": "identifier", "reference": "identifier",
    "编号": "identifier", "标题": "title", "题名": "title", "name": "title", "author": "creator", "artist": "creator",
    "photographer": "creator", "作者": "creator", "摄影者": "creator", "keywords": "subject", "tags": "subject",
    "主题": "subject",
    "place": "spatial", "location": "spatial", "地点": "spatial", "日期": "date", "年代": "date", "dates": "date",
    "year": "date",
    "说明": "description", "描述": "description", "notes": "description", "notes on verso": "description",
    "caption": "title",
    "类型": "type", "dimensions": "extent", "尺寸": "extent", "technique": "medium", "credit line": "provenance",
    "level of description": "level", "scope and content": "scopeAndContent", "arrangement": "arrangement",
    "system of arrangement": "arrangement", "conditions governing access": "accessConditions",
    "conditions governing reproduction": "reproductionConditions", "archival history": "archivalHistory",
    "immediate source of acquisition": "acquisition", "finding aids": "findingAids",
    "reference code": "identifier", "name of creator": "creator", "extent and medium": "extent",
    "版权": "rights", "licence": "license", "rights holder": "rightsHolder", "why it is sensitive": "sensitive_reason",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column in use: its place in the row (from 0), what it stands for, its language."""

    at: int
    name: str
    lang: str = ""

    @property
    def letter(self) -> str:
        """A, B, … Z, AA, as a spreadsheet names it."""
        at, letters = self.at + 1, ""
        while at:
            at, rest = divmod(at - 1, 26)
            letters = chr(65 + rest) + letters
        return letters


def understood(text: str) -> tuple[str, str] | None:
    """`(name, language)` of what a column is said to stand for, or None."""
    name, _at, lang = text.strip().partition("@")
    known = {one.lower(): one for one in (*KEYS, *OTHER, *PROPERTIES)} | ALIASES
    found = known.get(re.sub(r"\s+", " ", name.strip().lower()))
    if found is None or (
        lang and (found not in PROPERTIES or not LANGUAGE.fullmatch(lang) or len(lang) > 35)
    ):
        return None
    return found, lang


def guess(headings: Sequence[str], memory: Mapping[str, str]) -> list[str]:
    """What each heading most likely stands for: what it did last time, or what it says; `""` where neither helps."""
    found: list[str] = []
    for heading in headings:
        said = memory.get(heading[:120], heading)
        meant = understood(said) if said else None
        written = "@".join(part for part in meant if part) if meant else ""
        found.append(written if written not in found else "")
    return found


def chosen(headings: Sequence[str], columns: Sequence[str]) -> list[Column]:
    """The columns in use.

    Raises:
        SheetError: a heading twice, two columns for one thing, an unknown one, no column to find items by.
    """
    if doubled := [h for n, h in enumerate(headings) if h and h in headings[:n]]:
        raise SheetError(
            _("The heading “%s” stands there twice: give each column a name of its own.") % doubled[0]
        )
    found: list[Column] = []
    for at, said in enumerate(columns[: len(headings)]):
        if not said:
            continue
        meant = understood(said)
        if meant is None:
            raise SheetError(
                _("Column “%(heading)s”: expected a property, got “%(said)s”. Known are %(known)s.")
                % {"heading": headings[at], "said": said, "known": ", ".join((*KEYS, *OTHER, *PROPERTIES))}
            )
        if any((one.name, one.lang) == meant for one in found):
            raise SheetError(_("Two columns stand for “%s”: choose one.") % said)
        found.append(Column(at, *meant))
    if not any(one.name in KEYS for one in found):
        raise SheetError(
            _("No column says which item a row is about: choose one as item, identifier or file.")
        )
    return found
