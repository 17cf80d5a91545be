"""Regions of a pyramid, scaled and encoded: from the smallest level that still has the pixels asked for."""

import os
import threading
from collections import OrderedDict
from typing import Any

import imagecodecs
import pyvips

from archive.iiif.label import in_jpeg
from archive.iiif.parameters import ImageRequest
from archive.iiif.pyramid import Level, Pyramid

# Decoding beyond the number of cores only fights over cores and memory.
AT_ONCE = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
QUALITY = {"jpg": 85, "webp": 80}


class Rendered:
    """What was rendered last, at most `limit` bytes of it. Edges of the tile grid are asked for again and again."""

    def __init__(self, limit: int = 48 << 20, largest: int = 1 << 20) -> None:
        self._limit, self._largest, self._held = limit, largest, 0
        self._kept: OrderedDict[tuple[str, ImageRequest], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, mark: str, asked: ImageRequest) -> bytes | None:
        with self._lock:
            body = self._kept.get((mark, asked))
            if body is not None:
                self._kept.move_to_end((mark, asked))
            return body

    def keep(self, mark: str, asked: ImageRequest, body: bytes) -> None:
        if len(body) > self._largest:
            return
        with self._lock:
            self._held += len(body) - len(self._kept.pop((mark, asked), b""))
            self._kept[mark, asked] = body
            while self._held > self._limit:
                _oldest, gone = self._kept.popitem(last=False)
                self._held -= len(gone)


_rendered = Rendered()


def render(pyramid: Pyramid, asked: ImageRequest) -> bytes:
    """The picture asked for, encoded.

    Raises:
        pyvips.Error: the pyramid's bytes cannot be read.
    """
    if (known := _rendered.get(pyramid.mark, asked)) is not None:
        return known
    with AT_ONCE:
        image = _cut(pyramid, asked)
        if asked.mirror:
            image = image.fliphor()
        if asked.turn:
            image = image.rot(f"d{asked.turn}")
        body = _encode(_quality(image, asked.quality), asked.format, pyramid.xmp)
    _rendered.keep(pyramid.mark, asked, body)
    return body


def level_for(levels: tuple[Level, ...], asked: ImageRequest) -> int:
    """The smallest level in which the region still has at least the size asked for."""
    full = levels[0]
    best = 0
    for number, level in enumerate(levels):
        if (
            asked.region.width * level.width / full.width >= asked.width - 0.999
            and asked.region.height * level.height / full.height >= asked.height - 0.999
        ):
            best = number
    return best


def _cut(pyramid: Pyramid, asked: ImageRequest) -> Any:
    number = level_for(pyramid.levels, asked)
    level, full = pyramid.levels[number], pyramid.levels[0]
    across, down = level.width / full.width, level.height / full.height
    left, top = round(asked.region.x * across), round(asked.region.y * down)
    left, top = min(left, level.width - 1), min(top, level.height - 1)
    width = max(1, min(round(asked.region.width * across), level.width - left))
    height = max(1, min(round(asked.region.height * down), level.height - top))
    part = pyramid.region(number, left, top, width, height)
    if (width, height) == (asked.width, asked.height):
        return part
    return part.thumbnail_image(asked.width, height=asked.height, size="force")


def _quality(image: Any, quality: str) -> Any:
    if quality == "color" or quality == "default":
        return image
    grey = image.colourspace("b-w")
    return grey if quality == "gray" else (grey >= 128).ifthenelse(255, 0).cast("uchar")


def _encode(image: Any, extension: str, xmp: bytes) -> bytes:
    if extension == "jpg":
        data = bytes(imagecodecs.jpeg8_encode(image.numpy(), level=QUALITY["jpg"], subsampling="420"))
        return in_jpeg(data, xmp)
    if xmp:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)
    keep = "xmp" if xmp else "none"
    if extension == "png":
        return bytes(image.pngsave_buffer(compression=3, keep=keep))
    return bytes(image.webpsave_buffer(Q=QUALITY["webp"], keep=keep))
