"""Chance that can be looked up again: which side stands left, and in which order somebody sees the scans.

Drawn from the ids alone, so that a reload shows the same and an auditor can draw it once more.
"""

from hashlib import sha256
from uuid import UUID

SIDES = ("a", "b")


def left(trial: UUID, person: UUID, source: UUID) -> str:
    """The side that stands on the left for this person and scan: "a" or "b"."""
    return SIDES[_drawn("left", trial, person, source) % 2]


def other(side: str) -> str:
    """The side that stands on the right where `side` stands on the left."""
    return SIDES[1 - SIDES.index(side)]


def turn(trial: UUID, person: UUID, source: UUID) -> int:
    """By this the scans of a trial are ordered for a person."""
    return _drawn("turn", trial, person, source)


def lot(trial: UUID, source: UUID) -> int:
    """By this the scans of a trial are chosen where there are more than were asked for."""
    return _drawn("lot", trial, source)


def _drawn(what: str, *ids: UUID) -> int:
    return int.from_bytes(sha256("/".join([what, *map(str, ids)]).encode()).digest()[:8], "big")
