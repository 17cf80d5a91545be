"""Every form a scan comes in: facts from the bytes, and pixels exact and upright."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from stylizer.imageio import facts, open_picture, page_facts, thumbnail

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
KINDS = {"grey": "minisblack", "rgb": "rgb", "rgba": "rgb", "cmyk": "separated"}


def noise(bands: int, bits: int, *, height: int = 37, width: int = 53) -> NDArray[Any]:
    random = np.random.default_rng(bands * bits)
    return random.integers(0, 2**bits, (height, width, bands), np.uint16 if bits == 16 else np.uint8)


def whole(path: Path, page: int | None = None) -> NDArray[Any]:
    with open_picture(path, page=page) as picture:
        parts = [
            picture.read(y, min(y + 10, picture.facts.height)) for y in range(0, picture.facts.height, 10)
        ]
    return np.concatenate(parts)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits"])
@pytest.mark.parametrize(("kind", "bands"), [("grey", 1), ("rgb", 3), ("rgba", 4), ("cmyk", 4)])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "layout", [{"rowsperstrip": 9}, {"tile": (16, 16)}, {"rowsperstrip": 37, "bigtiff": True}]
)
def test_tiff_pixels_are_exact(
    tmp_path: Path, compression: str | None, kind: str, bands: int, bits: int, layout: dict[str, Any]
) -> None:
    pixels, path = noise(bands, bits), tmp_path / "no-suffix"
    options = dict(layout)
    big = options.pop("bigtiff", False)
    with tifffile.TiffWriter(path, bigtiff=big) as out:
        out.write(pixels if bands > 1 else pixels[..., 0], photometric=KINDS[kind], compression=compression,
                  extrasamples=["unassalpha"] if kind == "rgba" else None, iccprofile=ICC, resolution=(300, 400),
                  resolutionunit="INCH", **options)  # fmt: skip
    found = facts(path)
    assert (found.mime, found.width, found.height, found.bands, found.bits) == (
        "image/tiff",
        53,
        37,
        bands,
        bits,
    )
    assert (found.colour, found.alpha) == (kind[:3] if kind == "rgba" else kind, kind == "rgba")
    assert (found.icc, found.ppi, found.pages) == (ICC, (300, 400), 1)
    assert np.array_equal(whole(path), pixels)


def test_jpeg_in_tiff_is_read(tmp_path: Path) -> None:
    smooth = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 48, 0).repeat(3, 2)
    Image.fromarray(smooth).save(tmp_path / "a.tif", "TIFF", compression="jpeg", quality=95)
    assert facts(tmp_path / "a.tif").colour == "rgb"
    assert np.abs(whole(tmp_path / "a.tif").astype(int) - smooth).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_all_eight_orientations_come_upright(tmp_path: Path, orientation: int, form: str) -> None:
    upright = np.zeros((40, 64, 3), np.uint8)
    upright[:20, :32, 0] = upright[20:, :32, 1] = upright[:20, 32:, 2] = 200
    # Stored as a camera would: the inverse of what the tag says to do.
    stored = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
              5: upright.transpose(1, 0, 2), 6: np.rot90(upright, 1), 7: upright[::-1, ::-1].transpose(1, 0, 2),
              8: np.rot90(upright, -1)}[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    if form == "JPEG":
        Image.fromarray(np.ascontiguousarray(stored)).save(
            tmp_path / "a", form, exif=exif, quality=95, subsampling=0
        )
    else:
        Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a", form, tiffinfo={274: orientation})
    found = facts(tmp_path / "a")
    assert (found.width, found.height, found.orientation) == (64, 40, orientation)
    pixels = whole(tmp_path / "a").astype(int)
    assert pixels.shape == upright.shape
    assert np.abs(pixels - upright)[4:-4, 4:-4].mean() < 4


@pytest.mark.parametrize(
    ("mode", "bands", "colour"), [("L", 1, "grey"), ("RGB", 3, "rgb"), ("CMYK", 4, "cmyk")]
)
def test_jpeg_in_its_colours_with_its_profile(tmp_path: Path, mode: str, bands: int, colour: str) -> None:
    Image.new(mode, (30, 20)).save(tmp_path / "a", "JPEG", icc_profile=ICC, dpi=(240, 240))
    found = facts(tmp_path / "a")
    assert (found.mime, found.bands, found.colour, found.icc, found.ppi) == (
        "image/jpeg", bands, colour, ICC, (240, 240))  # fmt: skip
    assert whole(tmp_path / "a").shape == (20, 30, bands)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("bands", [1, 3, 4])
@pytest.mark.parametrize("form", ["png", "jp2"])
def test_png_and_jpeg_2000_pixels_are_exact(tmp_path: Path, bits: int, bands: int, form: str) -> None:
    pixels = noise(bands, bits)
    flat = pixels if bands > 1 else pixels[..., 0]
    code = imagecodecs.png_encode(flat) if form == "png" else imagecodecs.jpeg2k_encode(flat, level=0)
    (tmp_path / "a").write_bytes(code)
    found = facts(tmp_path / "a")
    assert (found.width, found.height, found.bands, found.bits, found.alpha) == (
        53,
        37,
        bands,
        bits,
        bands == 4,
    )
    assert np.array_equal(whole(tmp_path / "a"), pixels)


def test_palettes_bitonal_pictures_and_webp_are_read(tmp_path: Path) -> None:
    colours = Image.fromarray(noise(3, 8)).quantize(16)
    colours.save(tmp_path / "p", "PNG")
    assert np.array_equal(whole(tmp_path / "p"), np.asarray(colours.convert("RGB")))
    tifffile.imwrite(tmp_path / "pt", np.asarray(colours), photometric="palette",
                     colormap=np.arange(768, dtype=np.uint16).reshape(3, 256) * 80)  # fmt: skip
    assert whole(tmp_path / "pt").shape == (37, 53, 3)
    Image.fromarray(noise(1, 8)[..., 0] > 127).save(tmp_path / "b", "TIFF")
    assert set(np.unique(whole(tmp_path / "b"))) == {0, 255}
    Image.fromarray(noise(3, 8)).save(tmp_path / "w", "WEBP", lossless=True)
    assert np.array_equal(whole(tmp_path / "w"), noise(3, 8))


def test_an_album_of_2000_pages_is_read_quickly_and_page_by_page(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "album") as out:
        for number in range(2000):
            out.write(np.full((8, 8 + number % 5), number, np.uint16), metadata=None)
    pages = list(page_facts(tmp_path / "album"))
    assert [page.page for page in pages] == list(range(2000))
    assert {page.pages for page in pages} == {2000}
    assert pages[7].width == 10
    assert (whole(tmp_path / "album", 1234) == 1234).all()


def test_the_thumbnail_is_an_area_average_and_the_digest_is_of_pixels_alone(tmp_path: Path) -> None:
    pixels = noise(3, 16, height=600, width=300)
    tifffile.imwrite(tmp_path / "a", pixels, photometric="rgb", rowsperstrip=7)
    tifffile.imwrite(tmp_path / "b", pixels, photometric="rgb", compression="lzw", tile=(64, 64))
    with open_picture(tmp_path / "a") as one, open_picture(tmp_path / "b") as other:
        small = thumbnail(one, 100)
        assert small.shape == (100, 50, 3)
        assert np.allclose(small, pixels.reshape(100, 6, 50, 6, 3).mean((1, 3)) / 65535)
        assert one.pixel_digest() == other.pixel_digest()
