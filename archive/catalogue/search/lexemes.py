"""Text as the index reads it. PostgreSQL gets finished lexemes: its builtin locale has neither unaccent nor Chinese.

Words are folded (case, accents, full width). Chinese, Japanese and Korean are indexed by overlapping pairs, since two
characters make a word there and nothing marks where one ends; the last character of a run also stands by itself, so
that one character finds what it begins and what it ends.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping

from archive.catalogue.description import PROPERTIES, Description

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3005-\u3007\u3040-\u30ff\uac00-\ud7af]+")
ASCII_WORD = re.compile(r"[a-z0-9]+")
WORD = re.compile(r"[^\W_]+")
DIGITS = re.compile(r"\d+")
LETTERS = str.maketrans({"æ": "ae", "ø": "o", "ł": "l", "đ": "d", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"})
WEIGHTS = {"title": "A", "alternative": "A"} | dict.fromkeys(
    ("creator", "contributor", "subject", "spatial"), "B"
)
GAP = 8  # positions between two values, so that no phrase reaches from one into the next
MOST_POSITIONS, MOST_PER_LEXEME = 16_000, 200  # PostgreSQL's limits are 16383 and 255
LONGEST_WORD = 200


def fold(text: str) -> str:
    """Case, accents and width folded away."""
    if text.isascii():
        return text.lower()
    # Twice: 𝓐 is a capital letter only once it is decomposed, and what casefolding leaves may be a compound again.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", bare).translate(LETTERS)


def sort_key(title: str) -> str:
    """What titles are sorted by: folded, with numbers padded so that "Plate 10" follows "Plate 9"."""
    padded = DIGITS.sub(lambda digits: digits.group().zfill(8), fold(title))
    return re.sub(r"[^\w ]+", "", padded).strip()[:300]


def runs(text: str) -> list[str]:
    """Folded words in order; a word of both scripts is cut where the script changes."""
    if text.isascii() and len(text) <= LONGEST_WORD:
        return ASCII_WORD.findall(text.lower())
    found = []
    for word in WORD.findall(fold(text)):
        if word.isascii():
            found.append(word)
            continue
        at = 0
        for run in HAN.finditer(word):
            found += [word[at : run.start()], run.group()]
            at = run.end()
        found.append(word[at:])
    return [word[:LONGEST_WORD] for word in found if word]


def pairs(run: str) -> list[str]:
    """Overlapping pairs of a run of Han characters; a single character is itself."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def is_han(word: str) -> bool:
    return HAN.fullmatch(word) is not None


def document(description: Description, date: str) -> str:
    """The tsvector of an item in PostgreSQL's notation: every word weighted, and again under its property's name."""
    places: dict[str, list[str]] = defaultdict(list)
    at = 1
    for name in PROPERTIES:
        for value in description.get(name, ()):
            at = _write(places, value["value"], name, at) + GAP
            if at > MOST_POSITIONS:
                return _literal(places)
    _write(places, date, "date", at)
    return _literal(places)


def _write(places: dict[str, list[str]], text: str, name: str, at: int) -> int:
    """Give the words of one value their positions, from `at`; returns the next one. The import's innermost loop."""
    weight, field = WEIGHTS.get(name, "C"), f"{name.lower()}="
    for word in runs(text):
        if at > MOST_POSITIONS:
            break
        if word.isascii() or not is_han(word):
            places[word].append(f"{at}{weight}")
            places[field + word].append(str(at))
            at += 1
            continue
        for pair in pairs(word)[: MOST_POSITIONS - at + 1]:
            places[pair].append(f"{at}{weight}")
            places[field + pair].append(str(at))
            at += 1
        if len(word) > 1:  # the last character by itself, where the last pair stands
            places[word[-1]].append(f"{at - 1}{weight}")
            places[field + word[-1]].append(str(at - 1))
    return at


def _literal(places: Mapping[str, list[str]]) -> str:
    # Lexemes are letters and digits and "=": nothing in them needs quoting.
    return " ".join(f"'{lexeme}':{','.join(where[:MOST_PER_LEXEME])}" for lexeme, where in places.items())
