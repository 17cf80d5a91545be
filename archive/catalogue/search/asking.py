"""What people type into the search box, as a query of PostgreSQL.

`bund shang` all the words, the last as a beginning · `"the bund"` a phrase · `ship*` a beginning · `-ship` without it ·
`creator:curtis`, `place:"New York"` in one property · `date:1920s` at that time. Chinese needs no spaces: 外滩老照片 is
found as a phrase.
"""

import re
from dataclasses import dataclass

from archive.catalogue.dates import Bounds, understand
from archive.catalogue.description import PROPERTIES
from archive.catalogue.search.lexemes import is_han, pairs, runs

PART = re.compile(r'(?P<not>-)?(?:(?P<field>[A-Za-z]+):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
FIELDS = {name.lower(): name.lower() for name in PROPERTIES} | {
    "place": "spatial", "by": "creator", "person": "creator", "about": "subject", "id": "identifier", "name": "title",
}  # fmt: skip
LONGEST = 500


@dataclass(frozen=True)
class Question:
    """`tsquery` in raw notation, empty where there is nothing to look for; `dates` to lie within, if said."""

    tsquery: str
    dates: tuple[Bounds, ...] = ()


def parse(text: str) -> Question:
    """Read what was typed. Nothing is an error: what has no words in it looks for nothing."""
    text = text.replace("\x00", "")[:LONGEST]
    parts = list(PART.finditer(text))
    wanted, dates = [], []
    for part in parts:
        field, body = part["field"], part["phrase"] if part["phrase"] is not None else part["word"]
        if field and field.lower() == "date" and not part["not"] and (bounds := understand(body)):
            dates.append(bounds)
            continue
        known = "date" if field and field.lower() == "date" else FIELDS.get((field or "").lower())
        if field and known is None:
            body = f"{field} {body}"  # "12:30" is no field
        # One letter begins half of all words: it is looked for as it stands.
        begins = (
            part["phrase"] is None
            and len(body) > 1
            and (body.endswith("*") or (part is parts[-1] and not text.endswith(" ") and not part["not"]))
        )
        if phrase := _phrase(body, known, begins=begins):
            wanted.append(f"!({phrase})" if part["not"] else phrase)
    return Question(" & ".join(wanted), tuple(dates))


def odd_dates(text: str) -> list[str]:
    """What stands after `date:` and is no date anybody understands: it is looked for as a word, and hardly found."""
    asked = [
        (part["field"] or "", part["phrase"] if part["phrase"] is not None else part["word"])
        for part in PART.finditer(text.replace("\x00", "")[:LONGEST])
    ]
    return [body for field, body in asked if field.lower() == "date" and not understand(body)]


def _phrase(body: str, field: str | None, *, begins: bool) -> str:
    """Lexemes one after the other; the last is a beginning if `begins`, and so is a single Chinese character."""
    lexemes: list[str] = []
    for word in runs(body):
        lexemes += pairs(word) if is_han(word) else [word]
    prefix = f"{field}=" if field else ""
    last = len(lexemes) - 1
    marks = [
        ":*"
        if (begins and n == last and not (is_han(x) and len(x) > 1)) or (is_han(x) and len(x) == 1)
        else ""
        for n, x in enumerate(lexemes)
    ]
    terms = [f"'{prefix}{lexeme}'{mark}" for lexeme, mark in zip(lexemes, marks, strict=True)]
    return f"({' <-> '.join(terms)})" if len(terms) > 1 else "".join(terms)
