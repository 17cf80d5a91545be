"""The restorer in tiles is the restorer on the whole picture, and each way of getting that wrong would show here."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from stylizer.engine import Engine
from stylizer.models import Restorer
from stylizer.models.receptive import reach
from stylizer.recipe import TILES, Recipe
from stylizer.tiling import mirrored, plan_tiles
from tests.stylizer.small import scene, write

SIDES = st.one_of(st.integers(1, 40), st.integers(250, 300), st.integers(505, 530))


def network(*, positive: bool = False) -> Restorer:
    """Small; with weights above zero and open gates nothing cancels, and whatever is seen shows."""
    torch.manual_seed(2)
    made = Restorer(widths=(4, 6, 8), middle=1, gate_floor=0.0).eval().requires_grad_(False)
    for name, weight in made.named_parameters():
        if positive and not name.startswith("tone_net"):
            weight.copy_(torch.rand_like(weight) * 0.2 + 0.02)
        else:
            weight.add_(torch.randn_like(weight) * 0.05)
    return made


def picture(height: int, width: int) -> Tensor:
    random = np.random.default_rng(height * 10_007 + width)
    return torch.from_numpy(random.random((1, 3, height, width), np.float32))


def over(net: Restorer, x: Tensor, *, core: int, halo: int) -> Tensor:
    """The residual, put together of the cores of tiles of at most `core`."""
    height, width = x.shape[2:]
    out = torch.full_like(x, float("nan"))
    for tile in plan_tiles(width, height, core=core, halo=halo, stride=net.stride):
        rows = torch.from_numpy(mirrored(tile.top, tile.bottom, height))
        columns = torch.from_numpy(mirrored(tile.left, tile.right, width))
        part = net(x[:, :, rows][:, :, :, columns].contiguous(memory_format=torch.channels_last)).residual
        place = np.s_[:, :, tile.core[0].start :, tile.core[1].start :]
        out[:, :, tile.y0 : tile.y1, tile.x0 : tile.x1] = part[place][
            :, :, : tile.y1 - tile.y0, : tile.x1 - tile.x0
        ]
    return out


@settings(max_examples=8, deadline=None)
@given(SIDES, SIDES, st.sampled_from(TILES))
@example(1, 1, 256)
@example(1, 2000, 256)
@example(1300, 3, 512)
@example(257, 257, 256)
@example(1025, 9, 1024)
def test_tiles_are_exactly_the_whole_whatever_the_size(height: int, width: int, core: int) -> None:
    net, x = network(), picture(height, width)
    whole = over(net, x, core=4096, halo=net.halo)
    assert not whole.isnan().any()
    assert (over(net, x, core=core, halo=net.halo) - whole).abs().max() <= 1e-5


@pytest.fixture(scope="module")
def plain() -> nn.Sequential:
    """Without normalisation and with weights above zero: the furthest pixel it can see weighs enough to be measured."""
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.PixelUnshuffle(2), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
        nn.PixelShuffle(2), nn.Conv2d(4, 3, 5, padding=2),
    )  # fmt: skip
    for weight in net.parameters():
        weight.requires_grad_(False).copy_(torch.rand_like(weight) * 0.2 + 0.05)
    return net


def test_a_halo_one_pixel_short_shows_and_a_pixel_beyond_the_halo_does_not(plain: nn.Sequential) -> None:
    found = reach(plain)
    core, halo = 7, found.halo
    x = picture(40, 40)
    first = 16 + found.stride - 1  # the last row of a coarse pixel is the one that sees furthest up
    inside = np.s_[:, :, first : first + core, first : first + core]
    exact: Tensor = plain(x)[inside]

    def with_halo_of(pixels: int) -> Tensor:
        """What the core becomes when all that lies further away is something else."""
        kept = np.s_[:, :, first - pixels : first + core + pixels, first - pixels : first + core + pixels]
        y = 1 - x
        y[kept] = x[kept]
        made: Tensor = plain(y)[inside]
        return made

    assert torch.equal(with_halo_of(halo), exact)
    assert torch.equal(with_halo_of(found.radius), exact)
    assert (with_halo_of(found.radius - 1) - exact).abs().max() > 1e-4


def test_an_origin_off_the_stride_shows() -> None:
    net = network(positive=True).double()
    x = picture(240, 240).double()
    whole = net(x).residual[:, :, 120:136, 120:136]
    for off in (1, 4, 7):
        part = net(x[:, :, off : 232 + off, off : 232 + off]).residual
        moved = part[:, :, 120 - off : 136 - off, 120 - off : 136 - off]
        assert (moved - whole).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("precision", "size"), [("archival", (300, 700)), ("archival", (77, 1111)), ("fast", (257, 300))]
)
def test_a_network_sees_one_shape_of_tile_in_a_picture_never_an_odd_edge(
    engine: Engine, recipe: Recipe, tmp_path: Path, precision: str, size: tuple[int, int]
) -> None:
    # In bf16 another shape is other arithmetic: an edge of its own shape would differ from the whole by many steps.
    recipe = replace(recipe, precision=precision, tile=256)
    seen: set[tuple[int, ...]] = set()
    stage = engine.stage(recipe.steps[0], precision)
    hook = stage.network.register_forward_pre_hook(lambda _net, given: seen.add(tuple(given[0].shape)))
    try:
        source = write(tmp_path / "s.tif", scene(3, 8, height=size[0], width=size[1]))
        tiles = engine.apply(source, recipe, out=tmp_path).report.tiles
    finally:
        hook.remove()
    assert tiles > 1
    assert len(seen) == 1
