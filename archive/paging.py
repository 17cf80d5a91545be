"""Paging by key: the next page begins after the last row seen, so that page 1 000 costs what page 1 does."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest

M = TypeVar("M", bound=Model)
PAGE = 48


@dataclass(frozen=True)
class Page(Generic[M]):
    """Some rows, and where the next ones begin."""

    rows: list[M]
    next: str | None  # the query string of the next page, or None on the last
    number: int


def newest_first(rows: QuerySet[M], request: HttpRequest, *, size: int = PAGE) -> Page[M]:
    """A page of rows ordered by `-pk`, after the key in `?after=`; ids grow with time, so that is newest first."""
    after = _key(request.GET.get("after"))
    number = _whole(request.GET.get("page"), 1)
    found = list((rows.filter(pk__lt=after) if after else rows)[: size + 1])
    more = {"after": str(found[size - 1].pk), "page": str(number + 1)} if len(found) > size else None
    return Page(found[:size], _query(request, more), number)


def by_offset(rows: QuerySet[M], request: HttpRequest, *, size: int = PAGE, most: int = 40) -> Page[M]:
    """A page of rows in any order (search results by rank), at most `most` pages deep."""
    number = min(_whole(request.GET.get("page"), 1), most)
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    more = {"page": str(number + 1)} if len(found) > size and number < most else None
    return Page(found[:size], _query(request, more), number)


def _query(request: HttpRequest, change: dict[str, str] | None) -> str | None:
    if change is None:
        return None
    query = request.GET.copy()
    for name, value in change.items():
        query[name] = value
    return query.urlencode()


def _key(text: str | None) -> Any:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text[:9]) > 0 else default
