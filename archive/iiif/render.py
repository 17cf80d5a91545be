"""Regions of a pyramid, scaled and encoded: from the smallest level that still has the pixels asked for."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyvips

from archive.iiif.parameters import ImageRequest

AT_ONCE = threading.BoundedSemaphore(
    4
)  # concurrent decoding; more would only fight over the same cores and memory
QUALITY = {"jpg": 85, "webp": 80}


def render(pyramid: Path, levels: Sequence[Sequence[int]], asked: ImageRequest) -> bytes:
    """The picture asked for, encoded."""
    with AT_ONCE:
        image = _cut(pyramid, levels, asked)
        if asked.mirror:
            image = image.fliphor()
        if asked.turn:
            image = image.rot(f"d{asked.turn}")
        return _encode(_quality(image, asked.quality), asked.format)


def level_for(levels: Sequence[Sequence[int]], asked: ImageRequest) -> int:
    """The smallest level in which the region still has at least the size asked for."""
    full = levels[0]
    best = 0
    for number, (width, height) in enumerate(levels):
        if (
            asked.region.width * width / full[0] >= asked.width - 0.999
            and asked.region.height * height / full[1] >= asked.height - 0.999
        ):
            best = number
    return best


def _cut(pyramid: Path, levels: Sequence[Sequence[int]], asked: ImageRequest) -> Any:
    number = level_for(levels, asked)
    image = pyvips.Image.tiffload(str(pyramid), page=number)
    across, down = image.width / levels[0][0], image.height / levels[0][1]
    left, top = round(asked.region.x * across), round(asked.region.y * down)
    left, top = min(left, image.width - 1), min(top, image.height - 1)
    width = max(1, min(round(asked.region.width * across), image.width - left))
    height = max(1, min(round(asked.region.height * down), image.height - top))
    part = image.crop(left, top, width, height)
    if (width, height) == (asked.width, asked.height):
        return part
    return part.thumbnail_image(asked.width, height=asked.height, size="force")


def _quality(image: Any, quality: str) -> Any:
    if quality == "color" or quality == "default":
        return image
    grey = image.colourspace("b-w")
    return grey if quality == "gray" else (grey >= 128).ifthenelse(255, 0).cast("uchar")


def _encode(image: Any, extension: str) -> bytes:
    if extension == "png":
        data: bytes = image.pngsave_buffer(compression=3, keep="none")
    elif extension == "webp":
        data = image.webpsave_buffer(Q=QUALITY["webp"], keep="none")
    else:
        data = image.jpegsave_buffer(Q=QUALITY["jpg"], keep="none")
    return data
