"""What is known of a picture from its bytes, and how large one may be."""

from dataclasses import dataclass

import numpy as np

from stylizer.errors import ImageTooLarge

# Orientations (EXIF 0x0112) whose rows are the upright picture's columns.
SIDEWAYS = {5, 6, 7, 8}


@dataclass(frozen=True)
class Limits:
    """How large a picture may be; the defaults admit 10 000 × 14 000 in 16 bits with room to spare."""

    pixels: int = 400_000_000
    side: int = 1_000_000
    pages: int = 2_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Facts:
    """One page of a picture, as its bytes say. `width` and `height` are upright: orientation is applied."""

    mime: str
    width: int
    height: int
    bands: int
    bits: int  # 1, 8 or 16 a band
    colour: str  # "grey", "rgb" or "cmyk"
    alpha: bool = False
    icc: bytes | None = None
    ppi: tuple[float, float] | None = None
    orientation: int = 1
    pages: int = 1
    page: int = 0  # where in the file this page stands
    compression: str = ""

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """The type its pixels are read in."""
        return np.dtype(np.uint16) if self.bits > 8 else np.dtype(np.uint8)

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6


def admit(width: int, height: int, limits: Limits) -> None:
    """Refuse by declared size, before a single pixel is decoded.

    Raises:
        ImageTooLarge: more pixels, or a longer side, than the limits allow.
    """
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise ImageTooLarge(
            f"The picture says it has {width} × {height} pixels; at most {limits.pixels / 1e6:.0f} million are "
            f"admitted. If it is genuine, ask an administrator to raise the limit."
        )
