"""Dates as English catalogues write them: "ca. 1920", "1920s", "1916, printed 1940", "late 19th century"."""

import re
from collections.abc import Callable
from datetime import date

from archive.catalogue.dates import bounds
from archive.catalogue.dates.bounds import Bounds

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
WHITE = re.compile(r"\s+")
DASHES = str.maketrans(dict.fromkeys("–—‒−‐", "–"))
APPROXIMATE = re.compile(r"^(?:c\.?|ca\.?|circa|about|around|approx\.?|approximately)(?=[\s\d])\s*")
UNCERTAIN = re.compile(r"^(?:\?|probably|possibly|perhaps)\s*")
VERB = re.compile(
    r"^(?:first )?(?:published|exhibited|printed|engraved|taken|photographed|made|painted|drawn|issued|dated)\s+"
)
YEAR = r"(\d{4})(?: ?a\.?d\.?)?"
BEFORE = re.compile(r"^(?:before|by|until|to|not after|no later than|up to)\s+")
AFTER = re.compile(r"^(?:after|since|from|not before|no earlier than)\s+")
PART = r"(?:(early|mid|middle|late)(?: of)?[ -](?:the )?)?"


def read_english(text: str) -> Bounds | None:
    """Return what a date in English means, or None."""
    plain = WHITE.sub(" ", text.translate(DASHES).casefold()).strip(" .;")
    if plain.startswith("[") and plain.endswith("]"):
        plain = plain[1:-1].strip()  # a cataloguer's own words
    clauses = [clause.strip() for clause in re.split(r"[,;] ?(?!\d{4}$)(?=[a-z?])(?!c\.? ?\d)", plain)]
    return _clause(clauses[0]) if clauses[0] else None


def _clause(text: str) -> Bounds | None:
    text, mark = _marks(VERB.sub("", text))
    text = VERB.sub("", text)
    for pattern, open_ in ((BEFORE, bounds.until), (AFTER, bounds.since)):
        if found := pattern.match(text):
            rest, more = _marks(text[found.end() :])
            if pattern is AFTER and (span := _span(rest)):
                return span  # "from 1900 to 1915"
            single = _single(rest)
            opened = open_(single)
            return opened.qualified(_both(mark, more)) if opened else None
    if text.endswith((" or later", " or after", " onwards")):
        opened = bounds.since(_single(text.rsplit(" or ", 1)[0].removesuffix(" onwards")))
        return opened.qualified(mark) if opened else None
    if text.endswith((" or earlier", " or before")):
        opened = bounds.until(_single(text.rsplit(" or ", 1)[0]))
        return opened.qualified(mark) if opened else None
    found_ = _single(text) or _span(text)
    return found_.qualified(mark) if found_ else None


def _marks(text: str) -> tuple[str, str]:
    """The text without its words of doubt, and the EDTF mark for them."""
    approximate = uncertain = False
    while True:
        rest = text
        if found := APPROXIMATE.match(rest):
            approximate, rest = True, rest[found.end() :]
        if found := UNCERTAIN.match(rest):
            uncertain, rest = True, rest[found.end() :]
        for tail in ("(?)", "?", "[?]"):
            if rest.endswith(tail):
                uncertain, rest = True, rest.removesuffix(tail)
        rest = rest.strip()
        if rest == text:
            return rest, {(0, 0): "", (1, 0): "~", (0, 1): "?", (1, 1): "%"}[(approximate, uncertain)]
        text = rest


def _both(one: str, other: str) -> str:
    marks = {one, other} - {""}
    return "%" if len(marks) > 1 or "%" in marks else "".join(marks)


def _span(text: str) -> Bounds | None:
    """Two dates with "to", "or", "and", a comma or a dash between them; the second may leave out its century."""
    text = re.sub(r"^between ", "", text)
    parts = re.split(r" ?– ?| to | or | and | ?/ ?|, ?| - ", text)
    if len(parts) == 1:
        parts = re.split(r"(?<=\d)s?-(?=(?:c\.? ?)?\d)", text)
    if len(parts) != 2 or not all(parts):
        return None
    (first, one), (second, other) = map(_marks, parts)
    start = _single(first) or _shared(first, second)
    end = _single(second) or _shortened(second, start)
    found = bounds.between(start, end)
    return found.qualified(_both(one, other)) if found else None


def _shortened(text: str, start: Bounds | None) -> Bounds | None:
    """ "94" after 1890, "40s" after 1830s: the digits left out are those of the first."""
    if start is None or start.earliest is None or not (found := re.fullmatch(r"(\d{1,3})(s?)", text)):
        return None
    digits = found[1]
    whole = int(f"{start.earliest.year:04}"[: 4 - len(digits)] + digits)
    return bounds.decade(whole) if found[2] else bounds.year(whole)


def _shared(text: str, other: str) -> Bounds | None:
    """ "July" before "August 1937", "7" before "9 July 1937": what is left out stands in the second."""
    if (tail := re.fullmatch(r"\d{1,2} ([a-z]+\.? \d{4})", other)) and re.fullmatch(r"\d{1,2}", text):
        return _single(f"{text} {tail[1]}")
    if tail := re.fullmatch(r"(?:\d{1,2} )?[a-z]+\.? (\d{4})", other):
        return _single(f"{text} {tail[1]}")
    return None


def _single(text: str) -> Bounds | None:
    for pattern, read in SINGLE:
        if found := pattern.fullmatch(text):
            return read(found)
    return None


def _month(name: str) -> int:
    short = name.rstrip(".")
    names = [
        m
        for m in MONTHS
        if len(short) >= 3 and (m.startswith(short) or (short == "sept" and m[0:4] == "sept"))
    ]
    return MONTHS.index(names[0]) + 1 if len(names) == 1 else 0


def _decade(found: "re.Match[str]") -> Bounds | None:
    first = int(found[2])
    low, high = {"early": (0, 3), "mid": (4, 6), "middle": (4, 6), "late": (7, 9)}.get(found[1] or "", (0, 9))
    if first % 10:
        return None
    return bounds.decade(first) if (low, high) == (0, 9) else bounds.years(first + low, first + high)


def _century(found: "re.Match[str]") -> Bounds | None:
    first = (int(found[2]) - 1) * 100 + 1
    low, high = {"early": (0, 32), "mid": (33, 65), "middle": (33, 65), "late": (66, 99)}.get(
        found[1] or "", (0, 99)
    )
    return bounds.years(first + low, first + high)


def _share(found: "re.Match[str]") -> Bounds | None:
    parts = 2 if found[2] == "half" else 4
    number = parts if found[1] == "last" else ORDINALS[found[1]]
    if number > parts:
        return None
    first = (int(found[3]) - 1) * 100 + 1 + (number - 1) * 100 // parts
    return bounds.years(first, first + 100 // parts - 1)


def _slashed(found: "re.Match[str]") -> Bounds | None:
    """7/4/1937 is a day in July or in April, and only its writer knows: both are kept, and the bounds hold both."""
    one, other, y = (int(part) for part in found.groups())
    readings = {
        reading.edtf: reading for reading in (bounds.day(y, other, one), bounds.day(y, one, other)) if reading
    }
    ends = sorted(readings.values(), key=lambda reading: reading.edtf)
    if len(ends) < 2:
        return ends[0] if ends else None
    return Bounds(f"[{ends[0].edtf},{ends[1].edtf}]", ends[0].earliest, ends[1].latest)


def season(name: str, y: int) -> Bounds | None:
    """A season of the north. Winter of one year may be either of the two it touches."""
    if not 2 <= y <= 9998:
        return None
    if name == "winter":
        return bounds.days(date(y - 1, 12, 1), date(y + 1, 2, 28))
    first = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9}[name]
    return bounds.between(bounds.month(y, first), bounds.month(y, first + 2))


SINGLE: list[tuple["re.Pattern[str]", Callable[["re.Match[str]"], Bounds | None]]] = [
    (re.compile(YEAR), lambda m: bounds.year(int(m[1]))),
    (re.compile(rf"(?:the )?{PART}(\d{{3}}0)'?s"), _decade),
    (re.compile(rf"(?:the )?{PART}(\d{{1,2}})(?:st|nd|rd|th)[ -]?(?:century|cent\.?|c\.?)"), _century),
    (
        re.compile(
            r"(?:the )?(first|second|third|fourth|last) (half|quarter) of (?:the )?(\d{1,2})(?:st|nd|rd|th) century"
        ),
        _share,
    ),
    (re.compile(rf"([a-z]{{3,9}}\.?),? {YEAR}"), lambda m: _named(m[1], int(m[2]))),
    (re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ([a-z]{{3,9}}\.?),? {YEAR}"),
     lambda m: bounds.day(int(m[3]), _month(m[2]), int(m[1]))),
    (re.compile(rf"([a-z]{{3,9}}\.?) (\d{{1,2}})(?:st|nd|rd|th)?,? {YEAR}"),
     lambda m: bounds.day(int(m[3]), _month(m[1]), int(m[2]))),
    (re.compile(rf"{YEAR},? ([a-z]{{3,9}}\.?)"), lambda m: _named(m[2], int(m[1]))),
    (re.compile(rf"{YEAR},? ([a-z]{{3,9}}\.?) (\d{{1,2}})"),
     lambda m: bounds.day(int(m[1]), _month(m[2]), int(m[3]))),
    (re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})"), lambda m: bounds.day(int(m[1]), int(m[2]), int(m[3]))),
    (re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})"), _slashed),
]  # fmt: skip


def _named(name: str, y: int) -> Bounds | None:
    if name in {"spring", "summer", "autumn", "fall", "winter"}:
        return season(name, y)
    return bounds.month(y, _month(name))
