"""Rows of a picture read once from the top, the last of them kept: a window that moves down a file of any size."""

import math
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np

from stylizer.imageio.picture import Picture, Pixels, little_endian, pixel_hash

CHUNK = 128  # rows decoded at once


def room(shape: tuple[int, ...], dtype: "np.dtype[Any]") -> Pixels:
    """An array of zeros in pages of its own. Bands outlive what is worked out beside them; on the heap they would leave
    it in pieces, and a large picture would take more and more."""
    count = math.prod(shape)
    return np.frombuffer(mmap.mmap(-1, max(count * dtype.itemsize, 1)), dtype, count).reshape(shape)


class Rows:
    """Serves `read(y0, y1)` in the order of `spans`, and keeps of what it read only what a later span still needs.

    Each row is read from the file once. `digest` hashes them as they pass: nothing is read a second time for it.
    """

    def __init__(self, picture: Picture, spans: Sequence[tuple[int, int]]) -> None:
        self._picture, self._spans = picture, list(spans)
        self._needed = _needed_from(self._spans)
        self._next = 0
        facts = picture.facts
        self._held: Pixels = np.empty((0, facts.width, facts.bands), facts.dtype)
        self._top = 0
        self._hash = pixel_hash(facts.width, facts.height, facts.bands, facts.dtype.itemsize * 8)

    def read(self) -> Pixels:
        """The rows of the next span, (y1 - y0, width, bands); a view that must not be written to.

        Raises:
            UnreadableImage: the file is damaged there.
        """
        first, stop = self._spans[self._next]
        needed = self._needed[self._next]
        bottom = self._top + len(self._held)
        if stop > bottom:
            self._held = self._down_to(stop, kept=self._held[max(0, needed - self._top) :])
            self._top = stop - len(self._held)
        self._next += 1
        return self._held[first - self._top : stop - self._top]

    def _down_to(self, stop: int, *, kept: Pixels) -> Pixels:
        """What is kept with the rows below it up to `stop`, read in small parts: libvips holds on to as many rows as it
        was last asked for."""
        bottom = self._top + len(self._held)
        rows = room((len(kept) + stop - bottom, *kept.shape[1:]), kept.dtype)
        rows[: len(kept)] = kept
        for y in range(bottom, stop, CHUNK):
            fresh = self._picture.read(y, min(y + CHUNK, stop))
            self._hash.update(little_endian(fresh))
            rows[len(kept) + y - bottom :][: len(fresh)] = fresh
        return rows

    def digest(self) -> str:
        """SHA-256 of shape and pixels, once every row went by: the picture's pixel digest."""
        return str(self._hash.hexdigest())


def _needed_from(spans: Sequence[tuple[int, int]]) -> list[int]:
    """For each span, the first row that it or a later one asks for."""
    needed, least = [], spans[-1][0] if spans else 0
    for first, _stop in reversed(spans):
        least = min(least, first)
        needed.append(least)
    return needed[::-1]
