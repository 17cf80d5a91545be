"""Exact tiles: what a network makes of a picture must not depend on how the picture is cut.

1. The picture is thought of as continued on all sides by mirroring (any size, 1 px too): one virtual picture.
2. Cores partition it; their origins lie on the network's total stride, so that down-sampling meets the same pixels.
3. A tile is its core with a halo of at least the receptive radius around it, read from the virtual picture, its sides
   filled up to a multiple of the stride. What the halo would change lies outside the core.
4. The tile's shape follows from the picture's size and the network alone: not from memory, not from the machine.
5. Only cores are written, and nothing is blended.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_READ = 3_000_000  # pixels of a tile with its halo
MOST_MEMORY = 800_000_000  # bytes, of which a tile takes so many a pixel and the bands on their way so many:
PER_TILE, PER_BAND = 250, 24  # measured with the restorer in fp32 on 16-bit RGB; what is fixed comes on top
SMALLEST = 256  # rows; below this a band would be mostly halo
WIDEST = 2048  # columns of a tile of a picture so wide that even such a band is too much


@dataclass(frozen=True)
class Tile:
    """A core (rows y0…y1, columns x0…x1) and the region read for it (halo included, may lie outside the picture)."""

    y0: int
    y1: int
    x0: int
    x1: int
    top: int
    bottom: int
    left: int
    right: int

    @property
    def core(self) -> tuple[slice, slice]:
        """Where the core lies in the tile that was read."""
        return (
            slice(self.y0 - self.top, self.y1 - self.top),
            slice(self.x0 - self.left, self.x1 - self.left),
        )


def core_shape(
    width: int,
    height: int,
    *,
    halo: int,
    stride: int,
    asked: int = 0,
    memory: tuple[int, int] = (PER_TILE, PER_BAND),
) -> tuple[int, int]:
    """Rows and columns of a core, by the picture's size and the network's halo and stride alone.

    Each side is divided into equal parts. As `asked` says, of at most so many pixels; else into those parts that make
    the halos cost least, of all whose tile and whose row of tiles fit into memory, of which a pixel takes `memory`.
    """
    per_tile, per_band = memory
    if asked:
        return _even(height, asked, stride), _even(width, asked, stride)
    least, best = None, (_up(min(height, SMALLEST), stride), _up(min(width, WIDEST), stride))
    for down in range(1, -(-height // SMALLEST) + 1):
        tall = _part(height, down, stride)
        read = tall + 2 * halo
        most = min(MOST_READ, (MOST_MEMORY - per_band * read * width) // per_tile)
        across = (most // read - 2 * halo) // stride * stride
        if across < stride:
            continue
        wide = _even(width, across, stride)
        cost = -(-height // tall) * -(-width // wide) * read * (wide + 2 * halo)
        if least is None or cost < least:
            least, best = cost, (tall, wide)
    return best


def plan_tiles(
    width: int,
    height: int,
    *,
    core: int = 0,
    halo: int,
    stride: int,
    memory: tuple[int, int] = (PER_TILE, PER_BAND),
) -> list[Tile]:
    """All tiles, row by row. `core` and `halo` are multiples of `stride`.

    `core` is the most a core may measure; 0 leaves that to `core_shape`. Every tile that is read has the same shape, so
    that a machine picks the same arithmetic for all of them; the last of a row or column reaches a little further into
    the mirrored continuation.

    Raises:
        ValueError: a core or halo off the stride, or an empty picture.
    """
    if width < 1 or height < 1:
        raise ValueError(f"picture: expected at least 1 × 1 px, got {width} × {height}")
    if core % stride or halo % stride or core < 0:
        raise ValueError(f"core and halo: expected multiples of the stride {stride}, got {core} and {halo}")
    tall, wide = core_shape(width, height, halo=halo, stride=stride, asked=core, memory=memory)
    return [
        Tile(
            y0=y, y1=min(y + tall, height), x0=x, x1=min(x + wide, width),
            top=y - halo, bottom=y + tall + halo, left=x - halo, right=x + wide + halo,
        )
        for y in range(0, height, tall)
        for x in range(0, width, wide)
    ]  # fmt: skip


def mirrored(start: int, stop: int, size: int) -> NDArray[np.intp]:
    """Indices of positions start…stop-1 in the picture mirrored at its edges without repeating the edge (reflect)."""
    if size == 1:
        return np.zeros(stop - start, np.intp)
    period = 2 * (size - 1)
    at = np.arange(start, stop) % period
    return np.minimum(at, period - at)


def rows_of(tiles: list[Tile]) -> Iterator[list[Tile]]:
    """The tiles of one row of cores after another."""
    row: list[Tile] = []
    for tile in tiles:
        if row and tile.y0 != row[0].y0:
            yield row
            row = []
        row.append(tile)
    if row:
        yield row


def _even(side: int, core: int, stride: int) -> int:
    """The side of a core that divides `side` into as few equal parts of at most `core` as that takes."""
    return min(core, _part(side, -(-side // core), stride))


def _part(side: int, parts: int, stride: int) -> int:
    """One of so many equal parts, on the stride."""
    return _up(-(-side // parts), stride)


def _up(size: int, stride: int) -> int:
    return -(-size // stride) * stride
