"""The first and last day a date can mean, and the EDTF that says so."""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date


@dataclass(frozen=True)
class Bounds:
    """`edtf` as understood; the first and last day it can mean, None where it is open or outside the years 1–9999."""

    edtf: str
    earliest: date | None
    latest: date | None

    def qualified(self, mark: str) -> "Bounds":
        """The same days with `~` (approximate), `?` (uncertain) or `%` (both) after each end that is a date."""
        if not mark:
            return self
        ends = [f"{end}{mark}" if end[-1:].isalnum() else end for end in self.edtf.split("/")]
        return replace(self, edtf="/".join(ends))


def year(number: int) -> Bounds | None:
    if not 1 <= number <= MAXYEAR:
        return None
    return Bounds(f"{number:04}", date(number, 1, 1), date(number, 12, 31))


def month(year_: int, month_: int) -> Bounds | None:
    if not (1 <= year_ <= MAXYEAR and 1 <= month_ <= 12):
        return None
    last = monthrange(year_, month_)[1]
    return Bounds(f"{year_:04}-{month_:02}", date(year_, month_, 1), date(year_, month_, last))


def day(year_: int, month_: int, day_: int) -> Bounds | None:
    try:
        found = date(year_, month_, day_)
    except ValueError:
        return None
    return Bounds(found.isoformat(), found, found)


def decade(first: int) -> Bounds | None:
    if first % 10 or not 10 <= first <= MAXYEAR - 9:
        return None
    return Bounds(f"{first // 10:03}X", date(first, 1, 1), date(first + 9, 12, 31))


def years(first: int, last: int) -> Bounds | None:
    return between(year(first), year(last))


def days(first: date, last: date) -> Bounds:
    """From one day to another; one day alone if they are the same."""
    if first == last:
        return Bounds(first.isoformat(), first, last)
    return Bounds(f"{first.isoformat()}/{last.isoformat()}", first, last)


def between(first: Bounds | None, last: Bounds | None) -> Bounds | None:
    """From the start of one to the end of the other; None where either is not understood or they stand backwards."""
    if first is None or last is None or first.earliest is None or last.latest is None:
        return None
    if last.latest < first.earliest:
        return None
    start, end = first.edtf.split("/")[0], last.edtf.split("/")[-1]
    return Bounds(f"{_end(start, first.earliest)}/{_end(end, last.latest)}", first.earliest, last.latest)


def until(end: Bounds | None) -> Bounds | None:
    """At any time up to the end of it."""
    if end is None or end.latest is None:
        return None
    return Bounds(f"../{_end(end.edtf.split('/')[-1], end.latest)}", None, end.latest)


def since(start: Bounds | None) -> Bounds | None:
    """At any time from the start of it."""
    if start is None or start.earliest is None:
        return None
    return Bounds(f"{_end(start.edtf.split('/')[0], start.earliest)}/..", start.earliest, None)


def _end(edtf: str, exact: date) -> str:
    """An end of an interval. What may not stand there (`192X`, a set) is written as the year or the day it means."""
    if any(character in edtf for character in "X[]{}"):
        mark = edtf[-1] if edtf[-1] in "~?%" else ""
        return (
            f"{exact.year:04}{mark}" if (exact.month, exact.day) in {(1, 1), (12, 31)} else exact.isoformat()
        )
    return edtf
