"""The frozen evaluation: which pictures, which damage, which seeds.

1. `frozen.json` names the pictures of the test set and of the (disjoint) tuning set.
2. A picture becomes its own kind of original first: colour, grey or toned, by its place in the list.
3. Each single kind of damage is laid on `SINGLES` pictures, "mixed" on all of them, and "clean" is the picture itself.
Everything is seeded by `PROTOCOL`, kind and picture name, so a pair is the same whoever makes it and in whatever order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stylizer.evaluation.heldout import KINDS, Picture, mixed

PROTOCOL = "2026-11"
SIDE = 320
SINGLES = 12


@dataclass(frozen=True)
class Pair:
    """One picture to restore and what it should become, float32 (H, W, 3) in 0…1, already rounded to 8 bits."""

    kind: str
    name: str
    input: Picture
    target: Picture


@cache
def frozen() -> dict[str, tuple[str, ...]]:
    """The names of the pictures: {"test": …, "tuning": …}."""
    text = (files("stylizer.evaluation") / "frozen.json").read_text("utf-8")
    return {part: tuple(names) for part, names in json.loads(text)["pictures"].items()}


def seed_of(kind: str, name: str) -> int:
    """The seed of one pair: the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{PROTOCOL}/{kind}/{name}".encode()).digest()[:8], "big")


def original(path: Path, *, place: int) -> Picture:
    """The centre of a photograph as the print it plays: six in ten colour, three grey, one toned brown."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise FileNotFoundError(f"{path}: not a picture that OpenCV can read; the protocol needs it")
    height, width = bgr.shape[:2]
    top, left = max(0, (height - SIDE) // 2), max(0, (width - SIDE) // 2)
    rgb = bgr[top : top + SIDE, left : left + SIDE, ::-1].astype(np.float32) / 255
    if place % 10 < 6:
        return _rounded(rgb)
    grey = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    if place % 10 < 9:
        return _rounded(np.repeat(grey[..., None], 3, 2))
    return _rounded(np.stack([grey**0.85, grey**1.02, grey**1.3], 2))


def _rounded(picture: NDArray[np.floating]) -> Picture:
    return np.asarray(np.round(np.clip(picture, 0, 1) * 255) / 255, dtype=np.float32)


def kinds() -> tuple[str, ...]:
    return (*KINDS, "mixed", "clean")


def pairs(photos: Path, *, part: str = "test", kind: str) -> Iterator[Pair]:
    """The pairs of one kind from the folder `photos` (the pictures named in frozen.json)."""
    names = frozen()[part]
    count = len(names) if kind in ("mixed", "clean") else min(SINGLES, len(names))
    start = 0 if count == len(names) else sorted(KINDS).index(kind) * 5
    for place in range(start, start + count):
        name = names[place % len(names)]
        target = original(photos / name, place=place % len(names))
        rng = np.random.default_rng(seed_of(kind, name))
        damaged = (
            target
            if kind == "clean"
            else mixed(target, rng)
            if kind == "mixed"
            else KINDS[kind][0](target, rng)
        )
        yield Pair(kind, Path(name).stem, _rounded(damaged), target)


def write_pairs(photos: Path, out: Path, *, part: str = "test") -> int:
    """Write every pair as out/input/KIND__NAME.png and out/target/KIND__NAME.png; returns how many."""
    written = 0
    for folder in ("input", "target"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for kind in kinds():
        for pair in pairs(photos, part=part, kind=kind):
            for folder, picture in (("input", pair.input), ("target", pair.target)):
                bgr = np.round(picture[..., ::-1] * 255).astype(np.uint8)
                cv2.imwrite(str(out / folder / f"{kind}__{pair.name}.png"), bgr)
            written += 1
    return written
