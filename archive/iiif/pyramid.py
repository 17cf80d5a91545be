"""Pyramids read in place: where each stored tile lies, and a tile as a JPEG file of its own without decoding it.

A tile of a JPEG-compressed TIFF is an abbreviated JPEG stream; its quantisation and Huffman tables stand once per level
(tag 347, TIFF Technical Note 2). Spliced behind a JFIF header they make a whole file of the very same pixels.
"""

import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from io import RawIOBase
from typing import IO, Any, cast

import imagecodecs
import numpy as np
import pyvips
import tifffile
from numpy.typing import NDArray

from archive.iiif.label import jpeg_segment
from archive.store import CutOff, Reader, Renditions

TILE = 256
START, END = b"\xff\xd8", b"\xff\xd9"
# JFIF 1.01, no density: it also says that three components are YCbCr, which the bare stream leaves to be guessed.
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
READ_AHEAD = 1 << 16
MOST_TILES = 64  # put together by `pixels`; more are better streamed
JPEG, YCBCR, GREY = 7, 6, 1
# What tifffile meets in a directory that is not there, or is something else.
UNREADABLE = (
    tifffile.TiffFileError,
    struct.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
)


@dataclass(frozen=True)
class Level:
    """One size of the picture. `offsets` and `lengths` are of its tiles, row by row; `head` starts each of them."""

    width: int
    height: int
    across: int
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]
    head: bytes | None  # None: tiles cannot be handed on as they are

    @property
    def down(self) -> int:
        return len(self.offsets) // self.across

    def whole(self, column: int, row: int) -> bool:
        """Whether the picture fills this tile; those at the right and lower edge are padded."""
        return (column + 1) * TILE <= self.width and (row + 1) * TILE <= self.height


class Pyramid:
    """The tiles of one rendition, opened once and read by any thread."""

    def __init__(
        self, reader: Reader, size: int, sizes: Sequence[Sequence[int]], *, mark: str, xmp: bytes = b""
    ) -> None:
        """`size` is of the file, in bytes; `sizes` are of its levels as the picture is, without what fills it up.

        `mark` names the file's bytes: what is remembered of them is kept under it. `xmp` is what every picture cut from
        it says of itself.

        Raises:
            CutOff: the file is not whole, or no pyramid of these sizes.
        """
        self._reader, self._size, self.mark, self.xmp = reader, size, mark, xmp
        start = START + JFIF + jpeg_segment(xmp)
        if (
            len(reader.read(size - 1, 1)) != 1
        ):  # or a tile would be found to end early after its head was sent
            raise CutOff(f"The pyramid should be {size} bytes long, and ends before. It is made again.")
        try:
            with tifffile.TiffFile(cast(IO[bytes], _Ranges(reader, size))) as file:
                pages = cast(list[tifffile.TiffPage], list(file.pages))
                levels = [_level(page, start, *size) for page, size in zip(pages, sizes, strict=False)]
        except UNREADABLE as error:
            raise CutOff(f"The pyramid cannot be read ({error}). It is made again.") from error
        if len(levels) != len(sizes):
            raise CutOff(f"Expected {len(sizes)} levels in the pyramid, got {len(levels)}. It is made again.")
        self.levels = tuple(levels)

    def region(self, level: int, left: int, top: int, width: int, height: int) -> Any:
        """A part of a level as a libvips image: put together from its tiles, or, if those are many, streamed.

        What lies elsewhere is always put together: libvips cannot be given ranges to read by (its custom sources end
        the process when called from its own threads).
        """
        grid, lies_here = self.levels[level], self._reader.path
        across = (left + width - 1) // TILE - left // TILE + 1
        down = (top + height - 1) // TILE - top // TILE + 1
        if lies_here is not None and (grid.head is None or across * down > MOST_TILES):
            if grid.head is not None:  # libvips would only say so in the middle of an answer
                for row in range(top // TILE, top // TILE + down):
                    for column in range(left // TILE, left // TILE + across):
                        self._expect_tile(grid, row * grid.across + column)
            return pyvips.Image.tiffload(str(lies_here), page=level).crop(left, top, width, height)
        pixels = self.pixels(level, left, top, width, height)
        return pyvips.Image.new_from_array(pixels, interpretation="srgb" if pixels.shape[2] > 2 else "b-w")

    def tile(self, level: int, column: int, row: int) -> bytes | None:
        """The stored tile as a JPEG file, or None where it cannot be handed on (edges, and what is not JPEG)."""
        grid = self.levels[level]
        if grid.head is None or not grid.whole(column, row):
            return None
        return self._jpeg(grid, row * grid.across + column, grid.head)

    def pixels(self, level: int, left: int, top: int, width: int, height: int) -> NDArray[np.uint8]:
        """A part of a level, uint8 (height, width, bands), put together from its tiles.

        Each tile is decoded by itself, so several requests share the cores and the tiles decoded a moment ago.
        """
        grid = self.levels[level]
        out: NDArray[np.uint8] | None = None
        for row in range(top // TILE, (top + height - 1) // TILE + 1):
            for column in range(left // TILE, (left + width - 1) // TILE + 1):
                tile = self._tile(level, row * grid.across + column, grid.head or START + JFIF)
                if out is None:
                    out = np.empty((height, width, tile.shape[2]), np.uint8)
                y, x = row * TILE - top, column * TILE - left
                down, across = slice(max(y, 0), min(y + TILE, height)), slice(max(x, 0), min(x + TILE, width))
                out[down, across] = tile[down.start - y : down.stop - y, across.start - x : across.stop - x]
        if out is None:
            raise ValueError(f"expected at least one pixel, got {width} × {height}")
        return out

    def _tile(self, level: int, place: int, head: bytes) -> NDArray[np.uint8]:
        known = _decoded.get(self.mark, level, place)
        if known is None:
            try:
                known = np.atleast_3d(imagecodecs.jpeg8_decode(self._jpeg(self.levels[level], place, head)))
            except imagecodecs.Jpeg8Error as error:
                raise CutOff(f"A tile of the pyramid cannot be read ({error}). It is made again.") from error
            _decoded.keep(self.mark, level, place, known)
        return known

    def _jpeg(self, grid: Level, place: int, head: bytes) -> bytes:
        data = self._reader.read(grid.offsets[place], grid.lengths[place])
        if len(data) != grid.lengths[place]:
            raise CutOff("The pyramid ends within one of its tiles. It is made again.")
        _expect_ends(data[: len(START)], data[-len(END) :])
        return head + data[len(START) :]

    def _expect_tile(self, grid: Level, place: int) -> None:
        """Look at both ends of a tile: a hole in the file (a crash, half a restore) is nought all the way."""
        offset, length = grid.offsets[place], grid.lengths[place]
        _expect_ends(
            self._reader.read(offset, len(START)), self._reader.read(offset + length - len(END), len(END))
        )


def _expect_ends(first: bytes, last: bytes) -> None:
    if (first, last) != (START, END):
        raise CutOff("A tile of the pyramid is no picture. It is made again.")


class Decoded:
    """Tiles decoded last, at most `limit` bytes of them: regions asked for one after the other overlap."""

    def __init__(self, limit: int = 64 << 20) -> None:
        self._limit, self._held = limit, 0
        self._kept: OrderedDict[tuple[str, int, int], NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, mark: str, level: int, place: int) -> NDArray[np.uint8] | None:
        with self._lock:
            found = self._kept.get((mark, level, place))
            if found is not None:
                self._kept.move_to_end((mark, level, place))
            return found

    def keep(self, mark: str, level: int, place: int, tile: NDArray[np.uint8]) -> None:
        with self._lock:
            self._held += tile.nbytes * ((mark, level, place) not in self._kept)
            self._kept[mark, level, place] = tile
            while self._held > self._limit:
                _oldest, gone = self._kept.popitem(last=False)
                self._held -= gone.nbytes


_decoded = Decoded()


class Pyramids:
    """The pyramids in use, at most `limit` open at a time; the least used is closed first."""

    def __init__(self, limit: int = 128) -> None:
        self._limit = limit
        self._open: OrderedDict[tuple[str, str], Pyramid] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        area: Renditions,
        key: str,
        *,
        size: int,
        sizes: Sequence[Sequence[int]],
        mark: str,
        xmp: bytes = b"",
    ) -> Pyramid:
        """The pyramid under this key, of `size` bytes; `mark` tells a remade one from the one before.

        Raises:
            MissingObject: there is no such rendition, or (CutOff) not all of it.
        """
        name = (key, mark)
        with self._lock:
            if known := self._open.get(name):
                self._open.move_to_end(name)
                return known
        fresh = Pyramid(area.reader(key), size, sizes, mark=mark, xmp=xmp)
        with self._lock:
            self._open[name] = fresh
            while len(self._open) > self._limit:
                self._open.popitem(last=False)  # the reader goes when the last request lets go of it
        return fresh


class _Ranges(RawIOBase):
    """A rendition as a file to seek in; reads ahead, since a TIFF's directory is many small reads."""

    def __init__(self, reader: Reader, size: int) -> None:
        self._reader, self._size, self._at = reader, size, 0
        self._start, self._held = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        size = min(size if size >= 0 else self._size, self._size - self._at)
        offset = self._at - self._start
        if offset < 0 or offset + size > len(self._held):
            self._start, self._held = self._at, self._reader.read(self._at, max(size, READ_AHEAD))
            offset = 0
        data = self._held[offset : offset + size]
        self._at += len(data)
        return data


def _level(page: tifffile.TiffPage, start: bytes, width: int, height: int) -> Level:
    passable = page.compression == JPEG and page.photometric in (YCBCR, GREY) and page.tilewidth == TILE
    tables = page.jpegtables or START + END
    return Level(
        width=width,
        height=height,
        across=-(-page.imagewidth // TILE),
        offsets=tuple(page.dataoffsets),
        lengths=tuple(page.databytecounts),
        head=start + tables[len(START) : -len(END)] if passable else None,
    )
