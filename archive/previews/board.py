"""The notice board between the web and the workers: previews asked for, taken, answered. It lies in Redis alone.

A preview is no record: nothing depends on one, anybody may ask again, and all of it is gone after ten minutes or when
Redis is flushed. So there are no rows of it. A person has one preview waiting at most: the next replaces it, and what
a worker is making for nobody any more it drops at the next tile.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

import redis
from django.conf import settings
from django.utils.translation import gettext as _

PREFIX = "palimpsest:preview"
WAITING = f"{PREFIX}s"  # a list of ids, oldest first
LIFETIME = 600  # seconds
PATIENCE = 5  # seconds after which a message that brought no worker is taken for lost
MOST_WORK = 90  # seconds after which the worker that took a preview is taken for dead
PICTURES = ("before", "after", "damage")

Fields = dict[Any, Any]  # redis' stubs want its whole union of keys and values
P = ParamSpec("P")
T = TypeVar("T")


class PreviewUnavailable(Exception):
    """Redis cannot be reached; nothing else is affected."""

    code = "preview-unavailable"


@dataclass(frozen=True)
class Asked:
    """A preview for a worker to make; `request` as `services.ask` wrote it."""

    id: str
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """`state`: waiting, working, ready or failed; `answer` of a ready one, `problem` (code, sentence) of a failed one.

    `stuck` if nobody seems to be at it, so that a worker should be told again.
    """

    id: str
    state: str
    answer: Mapping[str, Any] | None = None
    code: str = ""
    sentence: str = ""
    stuck: bool = False


def _said(act: Callable[P, T]) -> Callable[P, T]:
    """Redis' failures as ours."""

    @wraps(act)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return act(*args, **kwargs)
        except redis.RedisError as error:
            raise PreviewUnavailable(
                _("Previews are not available at the moment. Ordering is not affected.")
            ) from error

    return told


@lru_cache(maxsize=2)
def _line(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)


def _redis() -> "redis.Redis":
    return _line(settings.REDIS_URL)


def _key(preview: str) -> str:
    return f"{PREFIX}:{preview}"


@_said
def ask(request: Mapping[str, Any], *, by: object) -> str:
    """Put a preview on the board; what the same person asked before, and nobody has begun, comes off it."""
    line, preview, mine = _redis(), uuid.uuid4().hex, f"{PREFIX}-of:{by}"
    before = line.getset(mine, preview)
    with line.pipeline() as pipe:
        pipe.expire(mine, LIFETIME)
        if before:
            pipe.delete(_key(_text(before)))
            pipe.lrem(WAITING, 0, _text(before))
        fields: Fields = {
            "state": "waiting",
            "by": str(by),
            "request": json.dumps(dict(request)),
            "since": _now(line),
        }
        pipe.hset(_key(preview), mapping=fields)
        pipe.expire(_key(preview), LIFETIME)
        pipe.rpush(WAITING, preview)
        pipe.execute()
    return preview


@_said
def take() -> Asked | None:
    """The preview that has waited longest, now being worked on; None if there is none."""
    line = _redis()
    while (found := line.lpop(WAITING)) is not None:
        preview = _text(found)
        request = line.hget(_key(preview), "request")
        if request is None:  # replaced by another, or too old
            continue
        taken: Fields = {"state": "working", "since": _now(line)}
        line.hset(_key(preview), mapping=taken)
        return Asked(preview, json.loads(_text(request)))
    return None


@_said
def is_wanted(preview: str) -> bool:
    """Whether anybody still waits for it."""
    return bool(_redis().exists(_key(preview)))


@_said
def answer(preview: str, facts: Mapping[str, Any], pictures: Mapping[str, bytes]) -> None:
    """What a worker made: figures, and PNGs by kind."""
    _conclude(preview, {"state": "ready", "answer": json.dumps(dict(facts)), **pictures})


@_said
def fail(preview: str, *, code: str, sentence: str) -> None:
    _conclude(preview, {"state": "failed", "code": code, "sentence": sentence})


@_said
def standing(preview: str, *, by: object) -> Standing | None:
    """How it stands; None for one that is not there, or was asked for by somebody else."""
    line = _redis()
    names = ("state", "by", "answer", "code", "sentence", "since")
    state, owner, made, code, sentence, since = (
        _text(value) if value is not None else "" for value in line.hmget(_key(preview), list(names))
    )
    if not state or owner != str(by):
        return None
    age = _now(line) - float(since)
    stuck = (state == "waiting" and age > PATIENCE) or (state == "working" and age > MOST_WORK)
    if stuck and line.set(f"{PREFIX}-told:{preview}", "1", nx=True, ex=PATIENCE) is None:
        stuck = False  # somebody has just been told
    if stuck and state == "working":
        line.rpush(WAITING, preview)
    return Standing(preview, state, json.loads(made) if made else None, code, sentence, stuck)


@_said
def picture(preview: str, kind: str, *, by: object) -> bytes | None:
    """A PNG of a ready preview, for who asked for it."""
    owner, found = _redis().hmget(_key(preview), ["by", kind if kind in PICTURES else ""])
    mine = owner is not None and _text(owner) == str(by)
    return found if mine and isinstance(found, bytes) else None


def _conclude(preview: str, fields: Fields) -> None:
    line = _redis()
    if line.exists(_key(preview)):  # else it was replaced while it was made, and must not come back half
        line.hset(_key(preview), mapping=fields)
        line.expire(_key(preview), LIFETIME)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _now(line: Any) -> float:
    """Redis' own clock, so that two machines' clocks need not agree."""
    seconds, micros = line.time()
    return float(seconds) + float(micros) / 1e6
