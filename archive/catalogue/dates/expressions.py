"""EDTF, levels 0 and 1. The plainest forms are read here, since they are nine in ten; the rest by `edtf`."""

import re
from calendar import monthrange
from datetime import MAXYEAR, date
from time import struct_time

import edtf
from edtf.parser.edtf_exceptions import EDTFParseException

from archive.catalogue.dates.bounds import Bounds, day, month, year

PLAIN = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?([~?%]?)", re.ASCII)
MAYBE = re.compile(
    r"[\dXY.,/~?%\[\]{}+-]+", re.ASCII
)  # no other character stands in an EDTF date of these levels
SEASONS = range(21, 25)  # beyond, level 2: and 1920-30 is meant as eleven years
OPEN_START = re.compile(r"^(\.\.)?/")
OPEN_END = re.compile(r"/(\.\.)?$")


def read_edtf(text: str) -> Bounds | None:
    """Return what an EDTF date means, or None if it is none (or open on both sides)."""
    if not MAYBE.fullmatch(text) or not any(character.isdigit() for character in text):
        return None
    plain = PLAIN.fullmatch(text)
    if plain and (plain[3] or int(plain[2] or 0) not in SEASONS):
        return _plain(plain)
    return _by_library(text)


def _plain(match: "re.Match[str]") -> Bounds | None:
    y, m, d, mark = int(match[1]), match[2], match[3], match[4]
    if d:
        found = day(y, int(m), int(d))
    elif m:
        found = month(y, int(m))
    else:
        found = year(y)
    return found.qualified(mark) if found else None


def _by_library(text: str) -> Bounds | None:
    open_start, open_end = bool(OPEN_START.search(text)), bool(OPEN_END.search(text))
    if open_start and open_end:
        return None
    closed = OPEN_END.sub("", OPEN_START.sub("", text))
    if not closed:
        return None
    try:
        parsed = edtf.parse_edtf(closed)
        first, last = parsed.lower_strict(), parsed.upper_strict()
    except (EDTFParseException, ValueError, TypeError, AttributeError, OverflowError):
        # The library's grammar also raises its callers' errors on some nonsense; all of it means "not understood".
        return None
    earliest, latest = None if open_start else _day(first), None if open_end else _day(last)
    written = f"{'../' * open_start}{closed}{'/..' * open_end}" if open_start or open_end else text
    return Bounds(edtf=written, earliest=earliest, latest=latest)


def _day(moment: struct_time) -> date | None:
    year_, month_, day_ = moment[:3]
    if not 1 <= year_ <= MAXYEAR:
        return None
    return date(year_, month_, min(day_, monthrange(year_, month_)[1]))
