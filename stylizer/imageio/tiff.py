"""Facts of TIFF files, from their directories alone: 2 000 pages without touching a pixel."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tifffile

from stylizer.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from stylizer.imageio.facts import SIDEWAYS, Facts, Limits, admit

CUT_OFF = "The TIFF file is cut off: page {page} points past its end. Copy it again from where it came from."
PHOTOMETRIC = {0: "grey", 1: "grey", 2: "rgb", 3: "rgb", 5: "cmyk", 6: "rgb"}
COMPRESSIONS = {1, 5, 7, 8, 32773, 32946}  # none, LZW, JPEG, deflate, PackBits, deflate (old number)
REDUCED = 1  # NewSubfileType: a smaller copy of another page


def tiff_pages(path: Path, limits: Limits) -> Iterator[Facts]:
    """Facts of every page that is a picture of its own, in order.

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge
    """
    try:
        with tifffile.TiffFile(path) as file:
            size = path.stat().st_size
            numbers = _full_pages(file, limits)
            for number in numbers:
                yield _page(file.pages[number], number, len(numbers), size, limits)
    except (UnreadableImage, UnsupportedImage, ImageTooLarge):
        raise
    except MemoryError as error:
        raise UnreadableImage(
            "The TIFF file's directory is damaged: it asks for more memory than there is."
        ) from error
    except (
        Exception
    ) as error:  # the parser raises many kinds on damaged directories; all mean one thing to a person
        raise UnreadableImage(f"The TIFF file is damaged: {_short(error)}.") from error


def _full_pages(file: tifffile.TiffFile, limits: Limits) -> list[int]:
    numbers, seen = [], set()
    for number in range(limits.pages * 2 + 1):
        try:
            page = file.pages[number]
        except IndexError:
            break
        if page.offset in seen:
            raise UnreadableImage(
                f"The TIFF file is damaged: after page {number} its directory points back at itself."
            )
        seen.add(page.offset)
        if not int(_tag(page, 254, 0)) & REDUCED or number == 0:
            numbers.append(number)
        if len(numbers) > limits.pages:
            raise ImageTooLarge(
                f"The file has more than {limits.pages} pages. Split it and upload the parts."
            )
    if not numbers:
        raise UnreadableImage(
            "The TIFF file has no page that can be read. Copy it again from where it came from."
        )
    return numbers


def _page(page: Any, number: int, pages: int, size: int, limits: Limits) -> Facts:
    width, height = int(page.imagewidth), int(page.imagelength)
    if width < 1 or height < 1:
        raise UnreadableImage(f"Page {number + 1} of the TIFF file has no pixels ({width} × {height}).")
    admit(width, height, limits)
    photometric, bits, samples = int(page.photometric), _bits(page, number), int(page.samplesperpixel)
    colour = PHOTOMETRIC.get(photometric)
    expected = {"grey": 1, "rgb": 3, "cmyk": 4}.get(colour or "", 0)
    if photometric == 3:
        samples, expected = 1, 1
    if colour is None or samples not in {expected, expected + 1}:
        raise UnsupportedImage(
            f"Page {number + 1} has a kind of colour that is not taken (photometric {photometric}, {samples} samples). "
            "Save it as grey, RGB or CMYK."
        )
    if int(page.compression) not in COMPRESSIONS:
        raise UnsupportedImage(
            f"Page {number + 1} is compressed by a method that is not taken ({int(page.compression)}). "
            "Save it uncompressed, or with LZW or deflate."
        )
    _inside(page, number, size)
    orientation = int(_tag(page, 274, 1))
    orientation = orientation if 1 <= orientation <= 8 else 1
    if orientation in SIDEWAYS:
        width, height = height, width
    icc = _tag(page, 34675, None)
    return Facts(
        mime="image/tiff",
        width=width,
        height=height,
        bands=3 if photometric == 3 else samples,
        bits=8 if photometric == 3 else bits,
        colour=colour,
        alpha=samples == expected + 1,
        icc=bytes(icc) if icc is not None else None,
        ppi=_ppi(page),
        orientation=orientation,
        pages=pages,
        page=number,
        compression=getattr(page.compression, "name", str(page.compression)).lower(),
    )


def _bits(page: Any, number: int) -> int:
    stored = _tag(page, 258, 1)
    depths = {int(bits) for bits in stored} if isinstance(stored, tuple) else {int(stored)}
    kinds = _tag(page, 339, 1)
    kinds = {int(kind) for kind in kinds} if isinstance(kinds, tuple) else {int(kinds)}
    if (
        kinds != {1}
        or len(depths) != 1
        or not depths <= {1, 8, 16}
        or (depths == {1} and page.samplesperpixel != 1)
    ):
        raise UnsupportedImage(
            f"Page {number + 1} has {'floating-point or signed' if kinds != {1} else sorted(depths)} values; "
            "8 or 16 bits a channel are taken. Save it so."
        )
    return depths.pop()


def _inside(page: Any, number: int, size: int) -> None:
    """All strips or tiles must lie in the file: a copy that was cut off is refused at the cost of its directory."""
    offsets, counts = page.dataoffsets, page.databytecounts
    if not offsets or len(offsets) != len(counts):
        raise UnreadableImage(CUT_OFF.format(page=number + 1))
    if any(offset + count > size or count < 1 for offset, count in zip(offsets, counts, strict=True)):
        raise UnreadableImage(CUT_OFF.format(page=number + 1))
    rows = -(-int(page.imagelength) // max(1, int(page.rowsperstrip))) if not page.is_tiled else 1
    if len(offsets) < rows:
        raise UnreadableImage(CUT_OFF.format(page=number + 1))
    if int(page.compression) == 1 and sum(counts) * 8 < page.imagewidth * page.imagelength * _tag_bits(page):
        raise UnreadableImage(CUT_OFF.format(page=number + 1))


def _tag_bits(page: Any) -> int:
    stored = _tag(page, 258, 1)
    return sum(stored) if isinstance(stored, tuple) else int(stored)


def _ppi(page: Any) -> tuple[float, float] | None:
    try:
        unit = int(_tag(page, 296, 2))
        (xn, xd), (yn, yd) = _tag(page, 282, (0, 1)), _tag(page, 283, (0, 1))
    except (TypeError, ValueError, struct.error):
        return None
    if unit not in {2, 3} or not (xn and xd and yn and yd):
        return None
    scale = 2.54 if unit == 3 else 1.0
    return round(xn / xd * scale, 2), round(yn / yd * scale, 2)


def _tag(page: Any, code: int, default: Any) -> Any:
    tag = page.tags.get(code)
    return default if tag is None or tag.value is None else tag.value


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().split("\n")[0][:160]
