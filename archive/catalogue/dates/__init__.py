"""Dates as people write them: kept verbatim, with EDTF and the first and last day they can mean derived from them.

Three readers in turn: EDTF levels 0–1, English as catalogues write it, Chinese (Gregorian, Republican and reign years).
What none of them understands is no error: the words stay, and the bounds are simply not known.

How bounds are derived, where that is a decision:
- "ca." and "?" widen nothing: the year said is the year searched. "before" and "after" include the year they name.
- `1911-12` is EDTF for December 1911; a range of years is written with a dash (1911–12) or in full (1911-1912).
- "19th century" is 1801–1900; "early", "mid" and "late" are thirds of a century and 0–3, 4–6, 7–9 of a decade.
- Of "1916, printed 1940" the first date counts: when the thing was made.
- Months of a reign year are lunar and converted exactly (`lunar_python`), so 光绪三十年 runs from 16 February 1904 to
  3 February 1905. The Republic's months are the Gregorian ones.
"""

from functools import lru_cache

from archive.catalogue.dates.bounds import Bounds
from archive.catalogue.dates.chinese import read_chinese
from archive.catalogue.dates.english import read_english
from archive.catalogue.dates.expressions import read_edtf

LONGEST = 100

__all__ = ["Bounds", "understand"]


@lru_cache(maxsize=8192)  # a sheet says the same few dates again and again
def understand(written: str) -> Bounds | None:
    """Return what a date means, or None if it is not understood."""
    text = written.strip()
    if not text or len(text) > LONGEST:
        return None
    found = read_edtf(text) or read_english(text) or read_chinese(text)
    if found is None or (found.earliest and found.latest and found.latest < found.earliest):
        return None  # an interval written backwards
    return found
