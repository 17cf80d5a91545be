"""The one derivative form: exact, without a clock, with the profile and the disclosure in it."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from stylizer.imageio import DerivativeWriter, facts, open_picture
from stylizer.imageio.disclosure import xmp


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("colour", "bands", "alpha"), [("grey", 1, False), ("rgb", 3, False), ("rgb", 4, True)]
)
def test_what_is_written_is_read_back_and_written_again_is_the_same_file(
    tmp_path: Path, bits: int, colour: str, bands: int, alpha: bool
) -> None:
    random = np.random.default_rng(bits + bands)
    pixels = random.integers(0, 2**bits, (517, 301, bands), np.uint16 if bits == 16 else np.uint8)
    icc, packet = bytes(range(256)), xmp(recipe="a" * 64, source="b" * 64)
    options: dict[str, Any] = {"width": 301, "height": 517, "bands": bands, "bits": bits, "colour": colour,
                               "alpha": alpha, "icc": icc, "ppi": (600.0, 600.0), "xmp": packet}  # fmt: skip
    for name, rows in (("a.tif", 100), ("b.tif", 517)):
        with DerivativeWriter(tmp_path / name, **options) as out:
            for y in range(0, 517, rows):
                out.write(pixels[y : y + rows])
        time.sleep(0.01)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    found = facts(tmp_path / "a.tif")
    assert (found.icc, found.ppi, found.bits, found.alpha) == (icc, (600, 600), bits, alpha)
    with open_picture(tmp_path / "a.tif") as picture:
        assert np.array_equal(picture.read(0, 517), pixels)
        assert picture.pixel_digest() == out.pixel_digest
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page: Any = file.pages[0]
        tags = page.tags
        assert b"compositeWithTrainedAlgorithmicMedia" in tags[700].value
        assert 305 not in tags  # software
        assert 306 not in tags  # date


def test_too_few_rows_leave_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="expected 10 rows, got 4"),
        DerivativeWriter(tmp_path / "a.tif", width=5, height=10, bands=1, bits=8, colour="grey") as out,
    ):
        out.write(np.zeros((4, 5, 1), np.uint8))
    assert not list(tmp_path.iterdir())
