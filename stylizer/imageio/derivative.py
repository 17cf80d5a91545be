"""The one form derivatives are stored in: a tiled deflate TIFF whose bytes follow from its pixels and its recipe alone.

No date, no software name, a fixed order of tags, a fixed XMP packet: what made a picture is in its record, and the
file made again is the same file. BigTIFF where 4 GB would not do.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import imagecodecs
import numpy as np
import tifffile

from stylizer.imageio.picture import Pixels, little_endian, pixel_hash

TILE = 256
LEVEL = 1  # of libdeflate: on 16-bit scans as small as zlib's 6, at four times its speed
CLASSIC_LIMIT = 3_900_000_000  # bytes of pixels; above, offsets may not fit 32 bits
XMP_TAG, BYTE = 700, 1


class DerivativeWriter:
    """Write rows from the top; on leaving the `with` block the file stands complete, or not at all.

    `pixel_digest` is known after the block.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        bands: int,
        bits: int,
        colour: str,
        alpha: bool = False,
        icc: bytes | None = None,
        ppi: tuple[float, float] | None = None,
        xmp: bytes = b"",
    ) -> None:
        self.path, self.width, self.height, self.bands = path, width, height, bands
        self.dtype = np.dtype("<u2") if bits > 8 else np.dtype("u1")
        self.colour, self.alpha, self.icc, self.ppi, self.xmp = colour, alpha, icc, ppi, xmp
        self.pixel_digest = ""
        self._hash = pixel_hash(width, height, bands, self.dtype.itemsize * 8)
        self._rows: list[Pixels] = []
        self._held = self._written = 0
        self._lengths: list[int] = []
        self._spool: Any = None

    def __enter__(self) -> "DerivativeWriter":
        self._spool = tempfile.TemporaryFile(dir=self.path.parent)
        return self

    def write(self, rows: Pixels) -> None:
        """Append rows (n, width, bands) of the writer's own depth."""
        if rows.shape[1:] != (self.width, self.bands) or rows.dtype.itemsize != self.dtype.itemsize:
            raise ValueError(
                f"rows: expected (n, {self.width}, {self.bands}) {self.dtype}, got {rows.shape} {rows.dtype}"
            )
        self._hash.update(little_endian(rows))
        for start in range(-self._held, len(rows), TILE):
            part = np.asarray(rows[max(start, 0) : start + TILE])
            self._rows.append(
                part if start + TILE <= len(rows) else part.copy()
            )  # a view would keep all of it
            self._held += len(part)
            if self._held == TILE:
                self._flush()

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                if self._held:
                    self._flush()
                if self._written != self.height:
                    raise ValueError(f"expected {self.height} rows, got {self._written}")
                self._assemble()
                self.pixel_digest = self._hash.hexdigest()
        finally:
            self._spool.close()

    def _flush(self) -> None:
        """Compress the rows held into a row of tiles; a picture may be larger than memory, a row of tiles is not."""
        band = np.concatenate(self._rows) if len(self._rows) > 1 else self._rows[0]
        count = len(band)
        self._rows, self._held = [], 0
        across = -(-self.width // TILE) * TILE
        padded = np.pad(band, ((0, TILE - count), (0, across - self.width), (0, 0)), mode="edge")
        for x in range(0, across, TILE):
            tile = np.ascontiguousarray(padded[:, x : x + TILE]).astype(self.dtype, copy=False)
            code = imagecodecs.deflate_encode(imagecodecs.delta_encode(tile, axis=-2), level=LEVEL)  # type: ignore[arg-type]
            self._spool.write(code)
            self._lengths.append(len(code))
        self._written += count

    def _assemble(self) -> None:
        with tifffile.TiffWriter(
            self.path,
            byteorder="<",
            bigtiff=self.width * self.height * self.bands * self.dtype.itemsize > CLASSIC_LIMIT,
        ) as out:
            flat = self.bands == 1
            out.write(
                self._codes(),
                shape=(self.height, self.width) if flat else (self.height, self.width, self.bands),
                dtype=self.dtype,
                tile=(TILE, TILE),
                compression="zlib",
                predictor=True,
                photometric={"grey": "minisblack", "rgb": "rgb", "cmyk": "separated"}[self.colour],
                planarconfig=None if flat else "contig",
                extrasamples=["unassalpha"] if self.alpha else None,
                iccprofile=self.icc,
                resolution=self.ppi,
                resolutionunit="INCH" if self.ppi else None,
                metadata=None,
                software=False,
                extratags=[(XMP_TAG, BYTE, len(self.xmp), self.xmp, True)] if self.xmp else [],
            )

    def _codes(self) -> Iterator[bytes]:
        self._spool.seek(0)
        for length in self._lengths:
            yield self._spool.read(length)
