"""Exact tiles: the cut does not show, and what would make it show is refused or caught."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from stylizer.tiling import (
    MOST_MEMORY,
    MOST_READ,
    PER_BAND,
    PER_TILE,
    core_shape,
    mirrored,
    plan_tiles,
    rows_of,
)

STRIDE, RADIUS = 4, 13
sides = st.integers(1, 70)


class Net(nn.Module):
    """Down by 4 and up again, with convolutions at both levels: stride 4, and a radius below 13."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 16, 4, 4), nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1), nn.PixelShuffle(4), nn.Conv2d(1, 1, 3, padding=1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.parts(x)
        return out


@pytest.fixture(scope="module")
def net() -> Net:
    torch.manual_seed(1)
    return Net().eval()


def tiled(net: Net, picture: np.ndarray, *, core: int, halo: int) -> np.ndarray:
    height, width = picture.shape
    out = np.full_like(picture, np.nan)
    for tile in plan_tiles(width, height, core=core, halo=halo, stride=STRIDE):
        x = picture[mirrored(tile.top, tile.bottom, height)][:, mirrored(tile.left, tile.right, width)]
        with torch.no_grad():
            y = net(torch.from_numpy(x)[None, None])[0, 0].numpy()
        out[tile.y0 : tile.y1, tile.x0 : tile.x1] = y[tile.core]
    return out


@given(sides, sides, st.integers(1, 9), st.integers(0, 4))
def test_cores_cover_every_pixel_once_and_lie_on_the_stride(
    width: int, height: int, core: int, halo: int
) -> None:
    hits = np.zeros((height, width), int)
    plan = plan_tiles(width, height, core=core * STRIDE, halo=halo * STRIDE, stride=STRIDE)
    for tile in plan:
        hits[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
        assert tile.y0 % STRIDE == tile.x0 % STRIDE == tile.top % STRIDE == tile.left % STRIDE == 0
        assert (tile.bottom - tile.top) % STRIDE == (tile.right - tile.left) % STRIDE == 0
    assert (hits == 1).all()
    assert len({(tile.bottom - tile.top, tile.right - tile.left) for tile in plan}) == 1
    assert [tile for row in rows_of(plan) for tile in row] == plan


@settings(max_examples=25, deadline=None)
@given(sides, sides, st.sampled_from([4, 12, 16, 32]))
def test_the_cut_does_not_show(net: Net, width: int, height: int, core: int) -> None:
    picture = np.random.default_rng(width * 100 + height).random((height, width), np.float32)
    whole = tiled(net, picture, core=128, halo=16)
    assert np.abs(tiled(net, picture, core=core, halo=16) - whole).max() <= 1e-5


def test_a_halo_that_is_too_short_shows(net: Net) -> None:
    picture = np.random.default_rng(5).random((64, 64), np.float32)
    whole = tiled(net, picture, core=128, halo=16)
    assert np.abs(tiled(net, picture, core=16, halo=4) - whole).max() > 1e-4


@pytest.mark.parametrize(("core", "halo"), [(6, 16), (16, 15), (-4, 16)])
def test_an_origin_off_the_stride_is_refused(core: int, halo: int) -> None:
    with pytest.raises(ValueError, match="multiples of the stride 4"):
        plan_tiles(50, 50, core=core, halo=halo, stride=STRIDE)


@given(st.integers(-300, 300), st.integers(1, 40), st.integers(1, 60))
def test_the_mirror_is_numpys_reflection(start: int, count: int, size: int) -> None:
    before, after = max(0, -start), max(0, start + count - size)
    padded = np.pad(np.arange(size), (before, after), mode="reflect")
    assert np.array_equal(mirrored(start, start + count, size), padded[start + before :][:count])


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_the_tile_follows_from_the_pictures_size_alone_and_fits_into_memory(width: int, height: int) -> None:
    tall, wide = core_shape(width, height, halo=104, stride=8)
    read = (tall + 208) * (wide + 208)
    assert read <= MOST_READ
    assert read * PER_TILE + (tall + 208) * width * PER_BAND <= MOST_MEMORY
    assert tall % 8 == wide % 8 == 0
    assert (tall, wide) == core_shape(width, height, halo=104, stride=8)


@given(st.floats(4.0, 150.0), st.floats(0.5, 2.0))
def test_from_4_to_150_megapixels_halos_cost_some_two_fifths_at_most(
    megapixels: float, aspect: float
) -> None:
    width = min(10_000, round((megapixels * 1e6 * aspect) ** 0.5))  # wider ones pay more, for memory's sake
    height = round(megapixels * 1e6 / width)
    tall, wide = core_shape(width, height, halo=104, stride=8)
    read = -(-height // tall) * -(-width // wide) * (tall + 208) * (wide + 208)
    assert read / (width * height) <= 1.41


def test_a_tile_as_asked_for_and_a_small_picture_in_one_piece() -> None:
    assert core_shape(10_000, 14_000, halo=104, stride=8, asked=256) == (256, 256)
    assert core_shape(450, 450, halo=104, stride=8) == (456, 456)
    assert core_shape(1, 1, halo=104, stride=8) == (8, 8)
    assert core_shape(500_000, 3_000, halo=104, stride=8) == (256, 2048)
