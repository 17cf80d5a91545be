"""Tiles answered before Django: a WSGI layer that knows what a view decided a moment ago.

It decides nothing. The view checks access and leaves a note for the session it checked; the layer answers requests for
the same picture from that note for a few seconds, and never after access changed (`epoch`). Whatever it has no fresh
note for, and whatever is to be refused with a sentence, goes to Django.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyvips
from django.conf import settings

from archive.iiif.epoch import epoch
from archive.iiif.parameters import FORMATS, MOST_PIXELS, PROFILE, BadRequest, ImageRequest, parse
from archive.iiif.pyramid import TILE, Pyramid
from archive.iiif.render import render
from archive.store import StoreError

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
PATH = re.compile(r"/iiif/3/([0-9a-f-]{36})/([^/]+/[^/]+/[^/]+/[^/]+)", re.ASCII)
STORED = re.compile(r"(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})/256,256/0/default\.jpg", re.ASCII)
LIFETIME = 5.0  # seconds a note is good for: a session that ran out or an embargo that ended is noticed then
MOST_NOTES = 50_000


@dataclass(frozen=True)
class Note:
    """What a view found out: these tiles may be sent, with these headers."""

    epoch: int
    until: float  # monotonic
    pyramid: Pyramid
    tag: str
    headers: tuple[tuple[str, str], ...]
    prefix: str  # of the canonical addresses
    names: Mapping[str, str]  # `Content-Disposition` by extension; none for a scan


Key = tuple[str, ...]  # session, address as asked for, version
ASKED = ("wsgi.url_scheme", "HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


class Notes:
    """The notes of this process; the oldest are dropped first."""

    def __init__(self) -> None:
        self._notes: OrderedDict[Key, Note] = OrderedDict()
        self._lock = threading.Lock()

    def leave(self, key: Key, note: Note) -> None:
        with self._lock:
            self._notes[key] = note
            self._notes.move_to_end(key)
            while len(self._notes) > MOST_NOTES:
                self._notes.popitem(last=False)

    def fresh(self, key: Key) -> Note | None:
        note = self._notes.get(key)
        if note is None or note.epoch != epoch().now() or note.until < time.monotonic():
            return None
        return note


notes = Notes()


def key_of(environ: dict[str, Any], version_id: UUID | str) -> Key | None:
    """Who asks for what; None for those whose right to ask is not in a session (tokens)."""
    if "HTTP_AUTHORIZATION" in environ:
        return None
    address = "|".join([environ.get(name, "") for name in ASKED])
    return _session(environ.get("HTTP_COOKIE", "")), address, str(version_id)


def _session(cookies: str) -> str:
    """The session's key, or nothing. Of two, as of anything odd, the whole header: no note is found for that."""
    name = settings.SESSION_COOKIE_NAME + "="
    if name not in cookies:
        return ""
    found = [part.strip() for part in cookies.split(";") if part.strip().startswith(name)]
    return found[0] if len(found) == 1 and cookies.count(name) == 1 else cookies


def grid_place(pyramid: Pyramid, x: int, y: int, width: int, height: int) -> tuple[int, int, int] | None:
    """(level, column, row) of the stored tile that is this region scaled to 256 × 256, or None."""
    scale, odd = divmod(width, TILE)
    level = scale.bit_length() - 1
    if width != height or odd or scale < 1 or scale & (scale - 1) or level >= len(pyramid.levels):
        return None
    if x % width or y % height:
        return None
    grid = pyramid.levels[level]
    column, row = x // width, y // height
    return (
        (level, column, row) if column < grid.across and row < grid.down and grid.whole(column, row) else None
    )


def stored_tile(pyramid: Pyramid, asked: ImageRequest) -> tuple[int, int, int] | None:
    """(level, column, row) of the stored tile that is just what is asked for, or None."""
    plain = not asked.turn and not asked.mirror and asked.quality in {"default", "color"}
    if not plain or asked.format != "jpg" or (asked.width, asked.height) != (TILE, TILE):
        return None
    part = asked.region
    return grid_place(pyramid, part.x, part.y, part.width, part.height)


class TileServer:
    """`application = TileServer(get_wsgi_application())`."""

    def __init__(self, django: WSGI) -> None:
        self._django = django

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = None
        if environ["REQUEST_METHOD"] == "GET" and not environ.get("QUERY_STRING"):
            answer = self._answer(environ, start_response)
        return self._django(environ, start_response) if answer is None else answer

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes] | None:
        found = PATH.fullmatch(environ["PATH_INFO"])
        key = key_of(environ, found[1]) if found else None
        note = notes.fresh(key) if key else None
        if found is None or note is None:
            return None
        asked = environ.get("HTTP_IF_NONE_MATCH")
        if asked is not None and note.tag in asked and STORED.fullmatch(found[2]):
            start_response("304 Not Modified", [*note.headers, ("ETag", note.tag)])
            return []
        try:
            made = _stored(note.pyramid, found[2]) or _rendered(note.pyramid, found[2])
        except (StoreError, pyvips.Error):
            return None  # the view says what is to be said
        if made is None:
            return None
        body, extension, canonical = made
        link = f'<{PROFILE}>;rel="profile", <{note.prefix}/{canonical}>;rel="canonical"'
        start_response(
            "200 OK",
            [
                *note.headers,
                *([("Content-Disposition", note.names[extension])] if note.names else []),
                ("Content-Type", FORMATS[extension]),
                ("Content-Length", str(len(body))),
                ("ETag", note.tag),
                ("Link", link),
            ],
        )
        return [body]


def _stored(pyramid: Pyramid, request: str) -> tuple[bytes, str, str] | None:
    """A tile of the stored grid, untouched: the body, its extension, its canonical address."""
    found = STORED.fullmatch(request)
    place = grid_place(pyramid, *map(int, found.groups())) if found else None
    body = pyramid.tile(*place) if place else None
    return (body, "jpg", request) if body else None


def _rendered(pyramid: Pyramid, request: str) -> tuple[bytes, str, str] | None:
    """Any other request; None for those that are to be told why not."""
    region, size, rotation, last = request.split("/")
    quality, _dot, extension = last.rpartition(".")
    full = (pyramid.levels[0].width, pyramid.levels[0].height)
    try:
        asked = parse(region, size, rotation, quality, extension, full=full, most=MOST_PIXELS)
    except BadRequest:
        return None
    return render(pyramid, asked), asked.format, asked.canonical(full)
