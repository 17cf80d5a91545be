"""A window of rows that moves down a picture: each row read once, whatever the spans."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylizer.imageio import Rows, open_picture
from stylizer.tiling import mirrored, plan_tiles, rows_of

PIXELS = np.random.default_rng(3).integers(0, 65536, (301, 23, 3), np.uint16)
FORMS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 7}, "tiles": {"tile": (32, 16)}, "deflate": {"compression": "zlib", "predictor": True},
}  # fmt: skip


@pytest.fixture(scope="module", params=FORMS)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rows") / "scan.tif"
    tifffile.imwrite(made, PIXELS, photometric="rgb", **FORMS[request.param])
    return made


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 40).map(lambda n: n * 8), st.integers(0, 12).map(lambda n: n * 8))
def test_every_span_is_the_pictures_rows_and_the_digest_is_of_all_of_them(
    path: Path, core: int, halo: int
) -> None:
    plan = list(rows_of(plan_tiles(23, 301, core=core, halo=halo, stride=8)))
    spans = []
    for row in plan:
        lines = mirrored(row[0].top, row[0].bottom, 301)
        spans.append((int(lines.min()), int(lines.max()) + 1))
    with open_picture(path, once=True) as picture:
        rows = Rows(picture, spans)
        for first, stop in spans:
            assert np.array_equal(rows.read(), PIXELS[first:stop])
    with open_picture(path) as picture:
        assert rows.digest() == picture.pixel_digest()


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "jp2", "turned"])
def test_any_format_can_be_read_from_the_top(tmp_path: Path, form: str) -> None:
    values = (PIXELS >> 8).astype(np.uint8)
    made = tmp_path / "scan"
    if form == "turned":
        tifffile.imwrite(made, values, photometric="rgb", extratags=[(274, 3, 1, 6, True)])
    elif form == "jp2":
        import imagecodecs

        made.write_bytes(imagecodecs.jpeg2k_encode(values, level=0))
    else:
        Image.fromarray(values).save(made, form.upper(), quality=95)
    with open_picture(made) as picture:
        whole = picture.read(0, picture.facts.height)
        size = picture.facts.height
    spans = [(0, 10), (5, 20), (18, size), (2, size)][:3]
    with open_picture(made, once=True) as picture:
        rows = Rows(picture, spans)
        for first, stop in spans:
            assert np.array_equal(rows.read(), whole[first:stop])
