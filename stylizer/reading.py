"""What is read of a picture for one row of tiles after another, and how the network sees it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylizer.enlarging import around, enlarged
from stylizer.imageio import Facts, Picture, Rows
from stylizer.imageio.picture import Pixels
from stylizer.imageio.rows import room
from stylizer.pixels import colours, raised, unit
from stylizer.tiling import Tile, mirrored, rows_of

CHUNK = 64  # rows worked on at a time; a multiple of the fidelity meter's blocks


@dataclass(frozen=True)
class Band:
    """What was read for one row of tiles: rows with their halo, and, of the cores' rows, the original and the mask.

    `original` and `derived` are of the size of what is made; where that is larger, plainly enlarged.
    """

    row: list[Tile]
    rows: Pixels
    lines: NDArray[np.intp]  # where in `rows` each line of the tiles lies, mirrored at the picture's edges
    original: Pixels
    allowed: NDArray[np.float32] | None  # (rows, width) in 0…1
    derived: Pixels  # the cores' rows: as they were, then tile by tile as they become


@dataclass(frozen=True)
class Batch:
    """Tiles of one band as the network sees them, (B, H, W, 3) in 0…1, halo included."""

    band: Band
    tiles: list[Tile]
    seen: NDArray[np.float32]


class Reading:
    """Bands of a picture, of the original it is compared with, and of the mask, all from the top in one go."""

    def __init__(
        self,
        picture: Picture,
        original: Picture | None,
        mask: Picture | None,
        plan: list[Tile],
        made: Facts | None = None,
    ) -> None:
        self.facts = picture.facts
        self.made = made or picture.facts  # what is made of it, which may have more bands and be larger
        self.factor = self.made.width // self.facts.width
        self._original_facts = original.facts if original else picture.facts
        self._plan = list(rows_of(plan))
        self._lines = [mirrored(row[0].top, row[0].bottom, self.facts.height) for row in self._plan]
        cores = [(row[0].y0, row[0].y1) for row in self._plan]
        self._rows = Rows(picture, [(int(lines.min()), int(lines.max()) + 1) for lines in self._lines])
        self._original_lines = [self._seen_by(*core) for core in cores]
        spans = [(int(lines.min()), int(lines.max()) + 1) for lines in self._original_lines]
        self._original = Rows(original, spans) if original else None
        self._mask = Rows(mask, cores) if mask else None
        self._mask_facts = mask.facts if mask else self.facts
        self._at = 0
        self._band: Band | None = None
        self._waiting: list[Tile] = []

    def next(self, size: int) -> Batch | None:
        """The next tiles, at most `size` of one row; None after the last."""
        if not self._waiting:
            if self._at == len(self._plan):
                return None
            self._band = self._read()
            self._waiting = list(self._band.row)
        tiles, self._waiting = self._waiting[:size], self._waiting[size:]
        assert self._band is not None  # noqa: S101  (just read)
        first = tiles[0]
        shape = (len(tiles), first.bottom - first.top, first.right - first.left, 3)
        seen = room(shape, np.dtype(np.float32))
        for place, tile in zip(seen, tiles, strict=True):
            self._see(self._band, tile, place)
        return Batch(self._band, tiles, seen)

    def _read(self) -> Band:
        row, lines = self._plan[self._at], self._lines[self._at]
        self._at += 1
        low = int(lines.min())
        rows = self._rows.read()
        if self.factor > 1:
            core = _twice(rows, around(row[0].y0, row[0].y1, self.facts.height) - low, self.facts)
        else:
            core = rows[row[0].y0 - low : row[0].y1 - low]
        allowed = None
        if self._mask:
            allowed = unit(self._mask.read()[..., 0], self._mask_facts)
        core = raised(core, self.facts, self.made)
        original = self._compared(row[0], self._original) if self._original else core
        derived = room(core.shape, core.dtype)
        derived[:] = core
        return Band(row, rows, lines - low, original, allowed, derived)

    def _seen_by(self, first: int, last: int) -> NDArray[np.intp]:
        """The original's rows that are needed for a core's, which may be of a larger picture."""
        facts, size = self._original_facts, self.made.height
        if facts.height == size:
            return np.arange(self.factor * first, self.factor * last)
        times = size // facts.height
        low, high = self.factor * first // times, -(-self.factor * last // times)
        return around(low, high, facts.height)

    def _compared(self, tile: Tile, original: Rows) -> Pixels:
        """The original of the core's rows, in the form of what is made."""
        lines, facts = self._original_lines[self._at - 1], self._original_facts
        pixels = original.read()
        if facts.height != self.made.height:
            first = self.factor * tile.y0 % (self.made.height // facts.height)
            count = self.factor * (tile.y1 - tile.y0)
            pixels = _twice(pixels, lines - int(lines.min()), facts)[first : first + count]
        return raised(pixels, facts, self.made)

    def _see(self, band: Band, tile: Tile, into: NDArray[np.float32]) -> None:
        """A tile with its halo in 0…1, mirrored where it reaches over the picture's edges."""
        facts = self.facts
        inside = (
            tile.left >= 0 and tile.right <= facts.width and tile.top >= 0 and tile.bottom <= facts.height
        )
        if (
            inside
        ):  # the plain case is a plain cut, which costs a tenth of taking lines and columns one by one
            part = band.rows[band.lines[0] : band.lines[-1] + 1, tile.left : tile.right]
        else:
            part = band.rows[band.lines][:, mirrored(tile.left, tile.right, facts.width)]
        for y in range(0, len(part), CHUNK):
            rows = np.s_[y : y + CHUNK]
            into[rows] = unit(colours(part[rows], facts), facts)

    def digest(self) -> str:
        """The pixel digest of the picture, once all of it was read."""
        return self._rows.digest()


def _twice(pixels: Pixels, rows: NDArray[np.intp], facts: Facts) -> Pixels:
    return enlarged(pixels, rows, around(0, facts.width, facts.width), facts)
