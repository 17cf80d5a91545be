"""JPEG 2000: facts from the codestream's SIZ marker and the boxes before it; pixels by imagecodecs, exactly."""

import struct
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from stylizer.errors import UnreadableImage, UnsupportedImage
from stylizer.imageio.facts import Facts, Limits, admit

HEAD = 4 * 2**20  # boxes before the codestream (a profile among them) are small
DECODE_LIMIT = 150_000_000  # pixels: the format is decoded whole


def jp2_facts(path: Path, limits: Limits) -> Facts:
    """Facts of a .jp2 file or a bare codestream.

    Raises:
        UnreadableImage: no sound header, or cut off.
        UnsupportedImage: a depth or number of channels that is not taken.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(max(0, path.stat().st_size - 64))
        tail = file.read()
    at = head.find(b"\xff\x4f\xff\x51")
    try:
        _length, _caps, x1, y1, x0, y0 = struct.unpack(">HHIIII", head[at + 4 : at + 24])
        (channels,) = struct.unpack(">H", head[at + 40 : at + 42])
        depths = {(head[at + 42 + 3 * i] & 0x7F) + 1 for i in range(channels)}
        steps = {head[at + 43 + 3 * i : at + 45 + 3 * i] for i in range(channels)}
    except (struct.error, IndexError) as error:
        raise UnreadableImage(
            "The JPEG 2000 file has no sound header. Copy it again from where it came from."
        ) from error
    if at < 0 or x1 <= x0 or y1 <= y0:
        raise UnreadableImage(
            "The JPEG 2000 file has no sound header. Copy it again from where it came from."
        )
    if b"\xff\xd9" not in tail:
        raise UnreadableImage("The JPEG 2000 file is cut off. Copy it again from where it came from.")
    if channels not in {1, 3, 4} or not depths <= {8, 16} or len(depths) != 1 or steps != {b"\x01\x01"}:
        raise UnsupportedImage(
            f"The JPEG 2000 file has {channels} channels of {sorted(depths)} bits; grey or RGB in 8 or 16 is taken."
        )
    width, height = x1 - x0, y1 - y0
    admit(width, height, Limits(pixels=min(limits.pixels, DECODE_LIMIT), side=limits.side))
    return Facts(
        mime="image/jp2",
        width=width,
        height=height,
        bands=channels,
        bits=depths.pop(),
        colour="grey" if channels == 1 else "rgb",
        alpha=channels == 4,
        icc=_profile(head[:at]),
        compression="jpeg2000",
    )


def jp2_pixels(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """All pixels (rows, columns, bands).

    Raises:
        UnreadableImage: the codestream is damaged.
    """
    try:
        pixels: NDArray[np.uint8] | NDArray[np.uint16] = imagecodecs.jpeg2k_decode(path.read_bytes())
    except Exception as error:  # the codec's own error type, and others on damaged streams
        raise UnreadableImage(f"The JPEG 2000 file is damaged: {str(error)[:160]}.") from error
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _profile(boxes: bytes) -> bytes | None:
    at = boxes.find(b"colr")
    if at < 4 or boxes[at + 4 : at + 5] != b"\x02":
        return None
    (length,) = struct.unpack(">I", boxes[at - 4 : at])
    return boxes[at + 7 : at - 4 + length] or None
