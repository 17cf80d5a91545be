"""What is refused: with a type, with a sentence, at bounded cost, and never with another exception."""

import io
import struct
import time
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylizer.errors import (
    EmptyFile,
    ImageError,
    ImageTooLarge,
    NotAnImage,
    UnreadableImage,
    UnsupportedImage,
)
from stylizer.imageio import DEFAULT_LIMITS, facts, open_picture

PIXELS = np.random.default_rng(3).integers(0, 255, (24, 40, 3), np.uint8)


def _encoded(form: str) -> bytes:
    if form == "jp2":
        return bytes(imagecodecs.jpeg2k_encode(PIXELS, level=0))
    out = io.BytesIO()
    if form == "tiled":
        tifffile.imwrite(out, PIXELS, photometric="rgb", tile=(16, 16), compression="zlib")
    elif form == "strips":
        tifffile.imwrite(out, PIXELS, photometric="rgb", rowsperstrip=5, iccprofile=b"x" * 200)
    else:
        Image.fromarray(PIXELS).save(out, form)
    return out.getvalue()


SAMPLES = {form: _encoded(form) for form in ("tiled", "strips", "JPEG", "PNG", "WEBP", "jp2")}


@pytest.mark.parametrize(
    ("content", "refusal", "words"),
    [
        (b"", EmptyFile, "empty"),
        (b"<!DOCTYPE html><title>Not found</title>", NotAnImage, "web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedImage, "SVG"),
        (b"GIF89a....", UnsupportedImage, "GIF"),
        (b"%PDF-1.7", UnsupportedImage, "PDF"),
        (b"8BPS\0\1", UnsupportedImage, "Photoshop"),
        (b"PK\x03\x04....", NotAnImage, "ZIP"),
        (b"just some words", NotAnImage, "TIFF, JPEG"),
    ],
)
def test_what_is_no_scan_is_refused_by_name(
    tmp_path: Path, content: bytes, refusal: type[ImageError], words: str
) -> None:
    (tmp_path / "scan.tif").write_bytes(content)
    with pytest.raises(refusal, match=words):
        facts(tmp_path / "scan.tif")


def test_a_wrong_extension_is_no_reason_to_refuse(tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(SAMPLES["PNG"])
    assert facts(tmp_path / "scan.tif").mime == "image/png"


@pytest.mark.parametrize("form", SAMPLES)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, form: str, share: float) -> None:
    content = SAMPLES[form]
    if form == "tiled" and share > 0.9:  # the writer may end with a byte nobody points at
        share = 0.9
    (tmp_path / "a").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageError):
        facts(tmp_path / "a")


def _png_of(width: int, height: int) -> bytes:
    import zlib

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    (tmp_path / "png").write_bytes(_png_of(60_000, 60_000))
    with pytest.raises(ImageTooLarge, match="60000 × 60000"):
        facts(tmp_path / "png")
    assert DEFAULT_LIMITS.pixels >= 10_000 * 14_000


def test_values_that_would_have_to_be_converted_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "f", np.zeros((8, 8), np.float32))
    with pytest.raises(UnsupportedImage, match="floating-point"):
        facts(tmp_path / "f")
    tifffile.imwrite(tmp_path / "i", np.zeros((8, 8), np.uint32))
    with pytest.raises(UnsupportedImage, match="8 or 16 bits"):
        facts(tmp_path / "i")


@pytest.mark.parametrize("form", SAMPLES)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    data=st.data(),
)
def test_damaged_bytes_give_facts_or_a_refusal_and_nothing_else(
    tmp_path: Path, form: str, changes: list[tuple[int, int]], data: st.DataObject
) -> None:
    content = bytearray(SAMPLES[form])
    for place, value in changes:  # half of them in the header, where it hurts
        content[place % (len(content) if place % 2 else min(len(content), 200))] = value
    path = tmp_path / "a"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))] if changes[0][1] < 60 else content)
    started = time.monotonic()
    try:
        found = facts(path)
        if found.width * found.height < 10**6:
            with open_picture(path) as picture:
                picture.read(0, found.height)
    except ImageError:
        pass  # the one family of errors that may come; any other fails this test
    assert time.monotonic() - started < 5


def test_a_directory_that_points_at_itself_ends(tmp_path: Path) -> None:
    content = bytearray(SAMPLES["strips"])
    (at,) = struct.unpack("<I", content[4:8])
    (entries,) = struct.unpack("<H", content[at : at + 2])
    content[at + 2 + 12 * entries : at + 6 + 12 * entries] = struct.pack("<I", at)
    (tmp_path / "loop").write_bytes(content)
    with pytest.raises(UnreadableImage, match="points back at itself"):
        facts(tmp_path / "loop")
