"""IIIF Image API 3.0 parameters: text to numbers, purely. https://iiif.io/api/image/3.0/#4-image-requests

Every malformed request is a `BadRequest` that says what is wrong with which part.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isqrt

PROFILE = "http://iiif.io/api/image/3/level2.json"
MOST_PIXELS = 16_000_000  # delivered at once
NUMBER = r"\d{1,7}(?:\.\d{1,10})?"
PIXELS = re.compile(r"(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})")
PERCENT = re.compile(rf"pct:({NUMBER}),({NUMBER}),({NUMBER}),({NUMBER})")
SIZE = re.compile(r"(\^?)(!?)(\d{0,9}),(\d{0,9})")
SIZE_PERCENT = re.compile(rf"(\^?)pct:({NUMBER})")
ROTATION = re.compile(rf"(!?)({NUMBER})")
QUALITIES = ("default", "color", "gray", "bitonal")
FORMATS = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


class BadRequest(Exception):
    """A part of the address is not of the API's grammar, or asks for nothing."""


class TooMuch(BadRequest):
    """More pixels than are delivered at once."""


@dataclass(frozen=True)
class Region:
    """In pixels of the full picture, inside it, at least 1 × 1."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class ImageRequest:
    """What is asked for, all numbers settled."""

    region: Region
    width: int
    height: int
    turn: int  # degrees clockwise: 0, 90, 180 or 270
    mirror: bool
    quality: str
    format: str

    def canonical(self, full: tuple[int, int]) -> str:
        """The one spelling of this request, for a picture of `full`. https://iiif.io/api/image/3.0/#47-canonical-uri-syntax"""
        part = self.region
        whole = (part.x, part.y, part.width, part.height) == (0, 0, *full)
        region = "full" if whole else f"{part.x},{part.y},{part.width},{part.height}"
        larger = "^" if self.width > part.width or self.height > part.height else ""
        size = f"{larger}{self.width},{self.height}"
        if (self.width, self.height) == (part.width, part.height):
            size = "max"
        turn = f"{'!' if self.mirror else ''}{self.turn}"
        quality = "default" if self.quality == "color" else self.quality
        return f"{region}/{size}/{turn}/{quality}.{self.format}"


def parse(
    region: str, size: str, rotation: str, quality: str, extension: str, *, full: tuple[int, int], most: int
) -> ImageRequest:
    """Settle a request against a picture of `full` (width, height); at most `most` pixels are delivered.

    Raises:
        BadRequest: says which part is wrong and why.
    """
    part = parse_region(region, *full)
    width, height = parse_size(size, part, most=most)
    if width * height > most:
        raise TooMuch(f"size: {width} × {height} is more than the {most} pixels delivered at once.")
    mirror, turn = parse_rotation(rotation)
    if quality not in QUALITIES:
        raise BadRequest(f"quality: expected one of {', '.join(QUALITIES)}, got {quality[:20]!r}.")
    if extension not in FORMATS:
        raise BadRequest(f"format: expected one of {', '.join(FORMATS)}, got {extension[:20]!r}.")
    return ImageRequest(part, width, height, turn, mirror, quality, extension)


def parse_region(text: str, width: int, height: int) -> Region:
    if text == "full":
        return Region(0, 0, width, height)
    if text == "square":
        side = min(width, height)
        return Region((width - side) // 2, (height - side) // 2, side, side)
    if found := PIXELS.fullmatch(text):
        x, y, w, h = map(int, found.groups())
    elif found := PERCENT.fullmatch(text):
        px, py, pw, ph = (Decimal(number) / 100 for number in found.groups())
        x, y = round(px * width), round(py * height)
        w, h = round(pw * width), round(ph * height)
    else:
        raise BadRequest(f"region: expected full, square, x,y,w,h or pct:x,y,w,h, got {text[:60]!r}.")
    if w < 1 or h < 1:
        raise BadRequest("region: its width and height must be more than nothing.")
    if x >= width or y >= height:
        raise BadRequest(f"region: it lies outside the picture of {width} × {height}.")
    return Region(x, y, min(w, width - x), min(h, height - y))


def parse_size(text: str, region: Region, *, most: int) -> tuple[int, int]:
    """The size asked for. `max` and `!w,h` stay within `most` pixels; the others ask for what they ask for."""
    if text in {"max", "^max"}:
        fits = region.width * region.height <= most
        return (region.width, region.height) if fits and text == "max" else _largest(region, most)
    if found := SIZE_PERCENT.fullmatch(text):
        scale = Decimal(found[2]) / 100
        if scale > 1 and not found[1]:
            raise BadRequest("size: more than 100 per cent is enlarging; write ^pct:n if that is meant.")
        return _size(round(region.width * scale), round(region.height * scale))
    found = SIZE.fullmatch(text)
    if not found or (not found[3] and not found[4]):
        raise BadRequest(
            f"size: expected max, w, ,h w,h !w,h or pct:n (with ^ to enlarge), got {text[:60]!r}."
        )
    larger, confined = bool(found[1]), bool(found[2])
    w, h = (int(number) if number else 0 for number in found.groups()[2:])
    if (found[3] and not w) or (found[4] and not h):
        raise BadRequest("size: its width and height must be more than nothing.")
    if confined:
        return _confined(region, w, h, most=most, larger=larger)
    if not h:
        h = round(Decimal(region.height) * w / region.width)
    elif not w:
        w = round(Decimal(region.width) * h / region.height)
    width, height = max(w, 1), max(h, 1)
    if not larger and (width > region.width or height > region.height):
        raise BadRequest(
            f"size: {width} × {height} is larger than the region; write ^ before it if that is meant."
        )
    return width, height


def _confined(region: Region, w: int, h: int, *, most: int, larger: bool) -> tuple[int, int]:
    if not (w and h):
        raise BadRequest("size: !w,h needs both a width and a height.")
    scale = min(Fraction(w, region.width), Fraction(h, region.height))
    if scale > 1 and not larger:
        # The specification's text would also allow the region as it is; its validator takes that for enlarging.
        raise BadRequest(f"size: the region is smaller than {w} × {h}; write max, or ^!w,h to enlarge it.")
    width, height = max(1, round(region.width * scale)), max(1, round(region.height * scale))
    return (width, height) if width * height <= most else _largest(region, most)


def _largest(region: Region, most: int) -> tuple[int, int]:
    """The largest size of the region's shape that has no more than `most` pixels."""
    width = min(max(1, isqrt(most * region.width // region.height)), most)
    return width, max(1, min(width * region.height // region.width, most // width))


def parse_rotation(text: str) -> tuple[bool, int]:
    found = ROTATION.fullmatch(text)
    if not found or not 0 <= Decimal(found[2]) <= 360:
        raise BadRequest(f"rotation: expected 0…360, with ! before it to mirror, got {text[:20]!r}.")
    turn = Decimal(found[2]) % 360
    if turn % 90:
        raise BadRequest("rotation: only multiples of 90 degrees are delivered.")
    return bool(found[1]), int(turn)


def _size(width: int, height: int) -> tuple[int, int]:
    if width < 1 or height < 1:
        raise BadRequest("size: nothing would be left of the picture.")
    return width, height
