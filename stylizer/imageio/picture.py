"""Upright pixels of one page, in bands, in bounded memory."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyvips
from numpy.typing import NDArray

from stylizer.errors import UnreadableImage
from stylizer.imageio.facts import DEFAULT_LIMITS, Facts, Limits
from stylizer.imageio.inspect import facts as read_facts
from stylizer.imageio.jpeg2000 import jp2_pixels
from stylizer.imageio.raster import load, reason
from stylizer.imageio.sniff import MIMES

Pixels: TypeAlias = NDArray[Any]  # uint8 or uint16
BAND = 256  # rows read at once where the whole picture is gone through


class Picture:
    """One page, upright. `image` is a libvips image: tiled TIFF is read in place, everything else is decoded once,
    to memory when small and by libvips to a scratch file when large (its threshold: VIPS_DISC_THRESHOLD, 100 MB).

    Opened `once`, it is decoded as it is read: by one thread, and rows in order.
    """

    def __init__(self, facts: Facts, image: Any, *, once: bool = False) -> None:
        self.facts = facts
        self.image = image
        self._once = once
        self._region: Any = None

    def read(self, y0: int, y1: int) -> Pixels:
        """Rows y0 … y1-1 as (y1 - y0, width, bands), uint8 or uint16.

        Raises:
            UnreadableImage: the file is damaged there.
        """
        try:
            if self._once:
                # One region for all reads: each pipeline of its own would throw away the lines decoded ahead.
                self._region = self._region or pyvips.Region.new(self.image)
                data = self._region.fetch(0, y0, self.facts.width, y1 - y0)
            else:
                data = self.image.crop(0, y0, self.facts.width, y1 - y0).write_to_memory()
        except pyvips.Error as error:
            raise UnreadableImage(f"The picture is damaged: {reason(error)}.") from error
        pixels: Pixels = np.frombuffer(data, self.facts.dtype).reshape(
            y1 - y0, self.facts.width, self.facts.bands
        )
        return pixels

    def bands(self, rows: int = BAND) -> Iterator[tuple[int, Pixels]]:
        """The whole picture from the top, `(first row, pixels)`."""
        for y in range(0, self.facts.height, rows):
            yield y, self.read(y, min(y + rows, self.facts.height))

    def pixel_digest(self) -> str:
        """SHA-256 of shape and upright pixels (little-endian): equal pixels whatever the file around them."""
        digest = pixel_hash(
            self.facts.width, self.facts.height, self.facts.bands, self.facts.dtype.itemsize * 8
        )
        for _y, pixels in self.bands():
            digest.update(little_endian(pixels))
        return str(digest.hexdigest())


@contextmanager
def open_picture(
    path: Path, *, page: int | None = None, limits: Limits = DEFAULT_LIMITS, once: bool = False
) -> Iterator[Picture]:
    """Open one page for reading.

    With `once` rows must be asked for from the top, each once (`Rows` does so): then no more of the picture than a few
    rows is ever in memory or on scratch. A picture that lies on its side is decoded as a whole first all the same.

    Raises:
        ImageError: as `facts`.
    """
    facts = read_facts(path, page=page, limits=limits)
    in_order = once and facts.orientation == 1 and facts.mime != MIMES["jp2"]
    if facts.mime == MIMES["jp2"]:
        image = pyvips.Image.new_from_array(np.ascontiguousarray(jp2_pixels(path)))
    else:
        kind = next(kind for kind, mime in MIMES.items() if mime == facts.mime)
        image = load(path, kind, page=facts.page, once=in_order)
        image = image if in_order else image.autorot()
    if (image.width, image.height, image.bands) != (facts.width, facts.height, facts.bands):
        raise UnreadableImage(
            f"The picture is damaged: its header says {facts.width} × {facts.height} × {facts.bands}, "
            f"its data {image.width} × {image.height} × {image.bands}."
        )
    yield Picture(facts, image, once=in_order)


def pixel_hash(width: int, height: int, bands: int, bits: int) -> Any:
    """The running hash of a pixel digest, its shape already in it."""
    return hashlib.sha256(f"{width}x{height}x{bands}x{bits}\n".encode())


def little_endian(pixels: Pixels) -> memoryview:
    """The pixels' bytes, least significant first; not copied where they lie so already."""
    return np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<"), copy=False).data.cast("B")
