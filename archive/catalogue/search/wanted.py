"""A search as its address says it: the URL is the whole state of a page of results."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

SORTS = {
    "best": _("Best match"),
    "new": _("Newest in the archive"),
    "title": _("Title"),
    "oldest": _("Date, oldest first"),
    "youngest": _("Date, youngest first"),
}
VIEWS = {"grid": _("Grid"), "list": _("List"), "table": _("Table")}
# Facet → its name in the address. Of each, several values may be chosen: any of them will do.
FACETS = {
    "types": "type",
    "rights": "rights",
    "made": "made",
    "styles": "style",
    "models": "model",
    "reviews": "review",
    "places": "place",
}
NONE = "none"  # the value that stands for "has none"
MOST_CHOSEN = 20


@dataclass(frozen=True)
class Wanted:
    """What is looked for, and how it is shown. `within` is a collection's reference."""

    text: str = ""
    within: str = ""
    types: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None
    sort: str = ""
    view: str = "grid"

    @classmethod
    def parse(cls, query: QueryDict) -> "Wanted":
        """Read an address. What is not understood is as if it were not there."""
        text = query.get("q", "").replace("\x00", "").strip()[:500]
        chosen = {name: _values(query.getlist(key)) for name, key in FACETS.items()}
        first, last = _year(query.get("from")), _year(query.get("to"))
        if first is not None and last is not None and last < first:
            first, last = last, first
        sort, view = query.get("sort", ""), query.get("view", "")
        return cls(
            text=text,
            within=query.get("in", "").replace("\x00", "")[:80],
            year_from=first,
            year_to=last,
            sort=sort if sort in SORTS and (sort != "best" or text) else "",
            view=view if view in VIEWS else "grid",
            **chosen,
        )

    @property
    def order(self) -> str:
        """The sort that holds: best match where there is text, else the newest first."""
        return self.sort or ("best" if self.text else "new")

    @property
    def is_narrowed(self) -> bool:
        """Is anything chosen besides text and collection?"""
        return any(getattr(self, name) for name in FACETS) or self.dated

    @property
    def dated(self) -> bool:
        return self.year_from is not None or self.year_to is not None

    def query(self, **more: Any) -> str:
        """The query string of this search, without what is as it is by itself."""
        pairs: list[tuple[str, Any]] = [("q", self.text), ("in", self.within)]
        pairs += [(key, value) for name, key in FACETS.items() for value in getattr(self, name)]
        pairs += [("from", self.year_from), ("to", self.year_to), ("sort", self.sort)]
        pairs += [("view", self.view if self.view != "grid" else ""), *more.items()]
        return urlencode([(key, value) for key, value in pairs if value not in {"", None}])

    def with_(self, **changes: Any) -> str:
        return replace(self, **changes).query()

    def toggled(self, name: str, value: str) -> str:
        """The query string with one value of a facet chosen, or no longer chosen."""
        chosen = getattr(self, name)
        after = tuple(v for v in chosen if v != value) if value in chosen else (*chosen, value)
        return self.with_(**{name: after})


def _values(given: Iterable[str]) -> tuple[str, ...]:
    cleaned = (value.replace("\x00", "").strip()[:300] for value in given)
    return tuple(dict.fromkeys(value for value in cleaned if value))[:MOST_CHOSEN]


def _year(text: str | None) -> int | None:
    plain = (text or "").strip()
    return int(plain) if plain.isascii() and plain.isdigit() and 1 <= len(plain) <= 4 else None


def from_mapping(data: Mapping[str, Any]) -> Wanted:
    """From JSON, as the API and saved scopes write it."""
    query = QueryDict(mutable=True)
    for name, value in data.items():
        query.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    return Wanted.parse(query)
