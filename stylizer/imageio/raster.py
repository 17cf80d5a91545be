"""JPEG, PNG and WebP: facts by libvips, after a look whether the file ends where it should."""

import os
import struct
from pathlib import Path
from typing import Any

from stylizer.errors import UnreadableImage, UnsupportedImage
from stylizer.imageio.facts import SIDEWAYS, Facts, Limits, admit

os.environ.setdefault("VIPS_CONCURRENCY", "2")
os.environ.setdefault("VIPS_WARNING", "0")

import pyvips

pyvips.cache_set_max(
    0
)  # files are named by digest and read once; a cache of operations would only keep memory

pyvips.block_untrusted_set(True)  # loaders never tested against hostile files are not to be reached at all

BITS = {"uchar": 8, "ushort": 16}
CUT_OFF = "The {kind} file is cut off. Copy it again from where it came from."
TAIL = 65_536  # what cameras and scanners append behind a JPEG's end


def load(path: Path, kind: str, *, page: int = 0, strict: bool = True, once: bool = False) -> Any:
    """Open with the one loader that fits; libvips never guesses by itself. Pixels are not decoded yet.

    With `once` the picture is read from top to bottom, once, and never lies in memory or on scratch as a whole.
    """
    options: dict[str, Any] = {"fail_on": "truncated" if strict else "none"}
    if once:
        options["access"] = "sequential"
    loader = {
        "jpeg": pyvips.Image.jpegload,
        "png": pyvips.Image.pngload,
        "webp": pyvips.Image.webpload,
        "tiff": pyvips.Image.tiffload,
    }[kind]
    if kind == "tiff":
        options["page"] = page
    if kind == "png":
        options["unlimited"] = True  # our own limit on pixels has been asked already
    try:
        return loader(str(path), **options)
    except pyvips.Error as error:
        raise UnreadableImage(f"The {kind.upper()} file is damaged: {reason(error)}.") from error


def raster_facts(path: Path, kind: str, limits: Limits) -> Facts:
    """Facts of a JPEG, PNG or WebP file.

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge
    """
    whole = {"jpeg": _jpeg_whole, "png": _png_whole, "webp": _webp_whole}[kind]
    if not whole(path):
        raise UnreadableImage(CUT_OFF.format(kind={"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}[kind]))
    image = load(path, kind, strict=False)
    admit(image.width, image.height, limits)
    if image.format not in BITS or image.bands not in {1, 2, 3, 4}:
        raise UnsupportedImage(
            f"The picture has {image.bands} channels of {image.format}; 8 or 16 bits are taken."
        )
    cmyk = image.interpretation == "cmyk"
    orientation = int(image.get("orientation")) if image.get_typeof("orientation") else 1
    orientation = orientation if 1 <= orientation <= 8 else 1
    width, height = (image.height, image.width) if orientation in SIDEWAYS else (image.width, image.height)
    return Facts(
        mime=f"image/{kind}",
        width=width,
        height=height,
        bands=image.bands,
        bits=BITS[image.format],
        colour="cmyk" if cmyk else "grey" if image.bands < 3 else "rgb",
        alpha=not cmyk and image.bands in {2, 4},
        icc=bytes(image.get("icc-profile-data")) if image.get_typeof("icc-profile-data") else None,
        ppi=_ppi(image),
        orientation=orientation,
        compression=kind,
    )


def reason(error: Exception) -> str:
    """The first line of what libvips says, without the name of its operation."""
    line = str(getattr(error, "detail", "") or error).strip().split("\n")[0]
    return line.split(": ", 1)[-1][:160] or "it cannot be decoded"


def _ppi(image: Any) -> tuple[float, float] | None:
    if image.xres == 1.0 and image.yres == 1.0:  # libvips' way of saying that the file does not say
        return None
    return round(image.xres * 25.4, 2), round(image.yres * 25.4, 2)


def _jpeg_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        return b"\xff\xd9" in file.read()


def _png_whole(path: Path) -> bool:
    """Walk the chunks by their lengths to IEND."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 8
        while at + 12 <= size:
            file.seek(at)
            length: int
            length, name = struct.unpack(">I4s", file.read(8))
            at += 12 + length
            if name == b"IEND":
                return at <= size
    return False


def _webp_whole(path: Path) -> bool:
    with path.open("rb") as file:
        (length,) = struct.unpack("<I", file.read(8)[4:])
    return 8 + int(length) <= path.stat().st_size
