"""A stored picture as it is delivered: upright, sRGB or grey, 8 bits, opaque. The stored file is left as it is."""

from pathlib import Path
from typing import Any

import pyvips

from archive.catalogue.models import Version
from stylizer.imageio import open_picture
from stylizer.imageio.raster import load
from stylizer.imageio.sniff import MIMES

PAPER = [236, 234, 228]  # behind what is transparent


def delivered(path: Path, version: Version, scratch: Path) -> Any:
    """The version's picture in `path` as a libvips image that can be read once, from top to bottom.

    It is decoded as it is read, in little memory whatever its size. One that lies on its side cannot be read in the
    order it is wanted in: not yet turned, it is laid down as tiles in `scratch`, and turned from there. A JPEG 2000
    file is decoded whole.
    """
    mime = version.technical.get("mime", version.file.media_type)
    if mime == MIMES["jp2"]:
        with open_picture(path, page=version.page) as picture:
            return for_display(picture.image)
    kind = next(kind for kind, known in MIMES.items() if known == mime)
    image = load(path, kind, page=version.page, once=True)
    turn = image.get("orientation") if image.get_typeof("orientation") else 1
    if turn == 1:
        return for_display(image)
    for_display(image).tiffsave(str(scratch), tile=True, tile_width=256, tile_height=256, bigtiff=True)
    return pyvips.Image.tiffload(str(scratch)).autorot()


def for_display(image: Any) -> Any:
    """Colour managed to sRGB where a profile or CMYK asks for it, then 8 bits, then without transparency."""
    if image.get_typeof("icc-profile-data") or image.interpretation == "cmyk":
        try:
            image = image.icc_transform(
                "srgb", embedded=True, intent="relative", black_point_compensation=True
            )
        except pyvips.Error:  # a broken profile, or one for other colours: show the values as they are
            image = image.colourspace("srgb")
    elif image.interpretation in {"rgb16", "grey16"}:
        image = image.colourspace("srgb" if image.bands > 2 else "b-w")
    if image.format != "uchar":
        image = (image / 257).cast("uchar") if image.format == "ushort" else image.cast("uchar")
    if image.hasalpha():
        image = image.flatten(background=PAPER[: image.bands - 1] if image.bands > 2 else PAPER[:1])
    return image.copy(interpretation="srgb" if image.bands > 2 else "b-w")
