"""Stored tiles, answered before Django: a WSGI layer that knows what a view decided a moment ago.

It decides nothing. The view checks access and leaves a note for the session it checked; the layer answers requests for
tiles of the stored grid from that note for a few seconds, and never after access changed (`epoch`). Whatever it has no
fresh note for goes to Django.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from archive.iiif.epoch import epoch
from archive.iiif.parameters import ImageRequest
from archive.iiif.pyramid import TILE, Pyramid
from archive.store import StoreError

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
PATH = re.compile(
    r"/iiif/3/([0-9a-f-]{36})/(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})/256,256/0/default\.jpg", re.ASCII
)
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
        found = PATH.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "GET" else None
        answer = self._answer(environ, found, start_response) if found else None
        return self._django(environ, start_response) if answer is None else answer

    def _answer(
        self, environ: dict[str, Any], found: re.Match[str], start_response: Callable[..., Any]
    ) -> list[bytes] | None:
        version_id, *numbers = found.groups()
        key = key_of(environ, version_id)
        note = notes.fresh(key) if key else None
        if note is None or environ.get("QUERY_STRING"):
            return None
        x, y, width, height = map(int, numbers)
        place = grid_place(note.pyramid, x, y, width, height)
        if place is None:
            return None
        asked = environ.get("HTTP_IF_NONE_MATCH")
        if asked is not None and note.tag in asked:
            start_response("304 Not Modified", [*note.headers, ("ETag", note.tag)])
            return []
        try:
            body = note.pyramid.tile(*place)
        except StoreError:
            return None  # the view says what is to be said
        if body is None:
            return None
        link = f'<{note.prefix}/{x},{y},{width},{height}/256,256/0/default.jpg>;rel="canonical"'
        start_response(
            "200 OK",
            [
                *note.headers,
                ("Content-Type", "image/jpeg"),
                ("Content-Length", str(len(body))),
                ("ETag", note.tag),
                ("Link", link),
            ],
        )
        return [body]
