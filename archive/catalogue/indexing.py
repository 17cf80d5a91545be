"""The derived rows of search and sorting. Chinese is indexed by pairs of characters: two make a word."""

import re
import unicodedata
from collections.abc import Iterable

from django.contrib.postgres.search import SearchVector
from django.db.models import Value

from archive.catalogue.description import text_of
from archive.catalogue.models import Item, ItemIndex

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3040-\u30ff\uac00-\ud7af]+")
DIGITS = re.compile(r"\d+")


def fold(text: str) -> str:
    """Case and accents folded away: PostgreSQL's builtin locale has no unaccent without an extension."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def sort_key(title: str) -> str:
    """What titles are sorted by: folded, with numbers padded so that "Plate 10" follows "Plate 9"."""
    padded = DIGITS.sub(lambda digits: digits.group().zfill(8), fold(title))
    return re.sub(r"[^\w ]+", "", padded).strip()[:300]


def words(text: str) -> str:
    """Text as the index reads it: folded, with runs of Han characters also split into overlapping pairs."""
    folded = fold(text)
    return HAN.sub(lambda run: f" {' '.join(pairs(run.group()))} ", folded)


def pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def index_items(items: Iterable[Item]) -> None:
    """Write the derived row of each item."""
    for item in items:
        title = words(item.title)
        rest = words(f"{text_of(item.description)} {item.date_verbatim}")
        ItemIndex.objects.update_or_create(
            item=item,
            defaults={
                "title": item.title[:300],
                "sort_key": sort_key(item.title),
                "document": SearchVector(Value(title), weight="A", config="simple")
                + SearchVector(Value(rest), weight="B", config="simple"),
            },
        )
