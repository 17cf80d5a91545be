"""Dates as people write them: kept verbatim, with EDTF and bounds derived where they are understood.

EDTF levels 0 and 1 and the usual English phrases ("ca. 1920", "1920s") go through the library `edtf`. What is not
understood is no error: the words stay, the bounds are simply not known.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, date
from time import struct_time

import edtf
from edtf.parser.edtf_exceptions import EDTFParseException

OPEN_START = re.compile(r"^(\.\.)?/")
OPEN_END = re.compile(r"/(\.\.)?$")
LONGEST = 100


@dataclass(frozen=True)
class Bounds:
    """`edtf` as understood; the first and last day it can mean, None where it is open or outside the years 1–9999."""

    edtf: str
    earliest: date | None
    latest: date | None


def understand(written: str) -> Bounds | None:
    """Return what a date means, or None if it is not understood."""
    text = written.strip()
    if not text or len(text) > LONGEST:
        return None
    return _parse(text) or _parse(edtf.text_to_edtf(text) or "")


def _parse(text: str) -> Bounds | None:
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
    if earliest and latest and latest < earliest:
        return None  # an interval written backwards
    return Bounds(
        edtf=text
        if not (open_start or open_end)
        else f"{'..' * open_start}{'/' * open_start}{closed}{'/..' * open_end}",
        earliest=earliest,
        latest=latest,
    )


def _day(moment: struct_time) -> date | None:
    year, month, day = moment[:3]
    if not 1 <= year <= MAXYEAR:
        return None
    return date(year, month, min(day, monthrange(year, month)[1]))
