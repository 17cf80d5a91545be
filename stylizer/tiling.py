"""Exact tiles: what a network makes of a picture must not depend on how the picture is cut.

1. The picture is thought of as continued on all sides by mirroring (any size, 1 px too): one virtual picture.
2. Cores partition it; their origins lie on the network's total stride, so that down-sampling meets the same pixels.
3. A tile is its core with a halo of at least the receptive radius around it, read from the virtual picture, its sides
   filled up to a multiple of the stride. What the halo would change lies outside the core.
4. The tile's shape follows from the picture's size alone, from a fixed list: not from memory, not from the machine.
5. Only cores are written, and nothing is blended.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylizer.recipe import TILES

SMALL = 2_000_000  # pixels up to which larger tiles would be mostly mirror
GRAIN = 32  # pixels; convolutions are fastest at such sides
WIDEST_BAND = 2**24  # pixels of a band's cores: panoramas are cut into flatter bands, for memory's sake


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


def core_side(width: int, height: int, *, asked: int = 0) -> int:
    """The side of a core: as asked by the recipe, else by the picture's size alone."""
    if asked:
        return asked
    fitting = TILES[1] if width * height <= SMALL else TILES[2]
    return next(
        (side for side in reversed(TILES) if side <= fitting and side * width <= WIDEST_BAND), TILES[0]
    )


def plan_tiles(width: int, height: int, *, core: int, halo: int, stride: int) -> list[Tile]:
    """All tiles, row by row. `core` and `halo` are multiples of `stride`.

    `core` is the most a core may measure; a side is divided into as few equal parts as that allows. Every tile that is
    read has the same shape, so that a machine picks the same arithmetic for all of them; the last of a row or column
    reaches a little further into the mirrored continuation.

    Raises:
        ValueError: a core or halo off the stride, or an empty picture.
    """
    if width < 1 or height < 1:
        raise ValueError(f"picture: expected at least 1 × 1 px, got {width} × {height}")
    if core < stride or core % stride or halo % stride:
        raise ValueError(f"core and halo: expected multiples of the stride {stride}, got {core} and {halo}")
    tall, wide = (_even(side, core, stride) for side in (height, width))
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
    """The side of a core that divides `side` into equal parts of at most `core`, on the stride and, where that is
    coarse enough to matter little, on multiples of GRAIN."""
    parts = -(-side // core)
    step = max(stride, GRAIN) if core >= 8 * GRAIN and core % GRAIN == 0 and side > core else stride
    return min(core, _up(-(-side // parts), step))


def _up(size: int, stride: int) -> int:
    return -(-size // stride) * stride
