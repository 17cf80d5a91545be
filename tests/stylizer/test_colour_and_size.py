"""Colour and size through the engine: luma kept to the step, twice the pixels, tiles that are the whole, chains."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from stylizer.cards import Card, Weights
from stylizer.engine import Engine, Source
from stylizer.errors import MaskMismatch, RecipeError, UnsupportedImage
from stylizer.imageio import facts
from stylizer.look import Region
from stylizer.models import create
from stylizer.recipe import Recipe, resolve
from tests.stylizer.small import pixels_of, save_weights, scene, with_step, write

SHAPES: dict[str, dict[str, Any]] = {
    "colourise": {"widths": [4, 6, 8, 8], "middle": 1, "doubt": 0.5},
    "upscale": {"width": 4, "blocks": 1},
}
ARCHITECTURES = {"colourise": "colourist", "upscale": "enlarger"}


def release(folder: Path, operation: str) -> Weights:
    """A small network with weights of its own, which colours or draws a good deal."""
    torch.manual_seed(5)
    network = create(ARCHITECTURES[operation], **SHAPES[operation])
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.add_(torch.randn_like(weight) * (0.3 if "head" in name else 0.05))
    path = folder / f"{operation}.safetensors"
    save_file(network.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = Card(operation, "1", operation, ARCHITECTURES[operation], digest, arguments=SHAPES[operation])
    return Weights(path, card)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Weights]:
    folder = tmp_path_factory.mktemp("shelf")
    made = [
        release(folder, "colourise"),
        release(folder, "upscale"),
        save_weights(folder / "restore.safetensors"),
    ]
    return {one.card.name: one for one in made}


@pytest.fixture(scope="module")
def engine(shelf: dict[str, Weights]) -> Engine:
    return Engine(device="cpu", weights={one.card.weights: one for one in shelf.values()}.__getitem__)


def recipe_of(shelf: dict[str, Weights], *models: str, mask: str | None = None) -> Recipe:
    steps: list[dict[str, Any]] = [{"model": model} for model in models]
    return resolve({"steps": steps}, cards={n: w.card for n, w in shelf.items()}, mask=mask)


def luma(pixels: NDArray[Any]) -> NDArray[np.int64]:
    """Rec. 601, rounded to whole steps."""
    red, green, blue = (pixels[..., band].astype(np.int64) for band in range(3))
    return (299 * red + 587 * green + 114 * blue + 500) // 1000


# ---- colour


@pytest.mark.parametrize("bits", [8, 16])
def test_a_coloured_grey_scan_has_the_luma_of_the_scan_to_the_last_step(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path, bits: int
) -> None:
    grey = scene(1, bits, height=301, width=523)[..., 0]
    grey[:40] = np.linspace(0, 2**bits - 1, 523).astype(grey.dtype)  # black and white, and all between
    made = engine.apply(
        write(tmp_path / "grey.tif", grey), recipe_of(shelf, "colourise"), out=tmp_path, name="coloured"
    )
    coloured = pixels_of(made.output)
    assert np.ptp(coloured.astype(int), axis=2).mean() > 0.02 * 2**bits
    assert np.array_equal(luma(coloured), grey)
    form = facts(made.output)
    assert (form.colour, form.bands, form.bits, form.icc) == ("rgb", 3, bits, None)


def test_eight_bit_luma_is_what_a_common_library_reads_back_as_grey(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    grey = scene(1, 8)[..., 0]
    made = engine.apply(
        write(tmp_path / "grey.tif", grey), recipe_of(shelf, "colourise"), out=tmp_path, name="coloured"
    )
    assert np.array_equal(np.asarray(Image.fromarray(pixels_of(made.output)).convert("L")), grey)


def test_a_toned_scan_keeps_its_luma_its_alpha_and_its_pixels_outside_a_mask(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    rgba = scene(4, 16)
    source = write(tmp_path / "rgba.tif", rgba, extrasamples=["unassalpha"])
    allowed = np.zeros(rgba.shape[:2], np.uint8)
    allowed[30:90, 40:120] = 255
    mask = write(tmp_path / "mask.tif", allowed).path
    recipe = recipe_of(shelf, "colourise", mask=hashlib.sha256(mask.read_bytes()).hexdigest())
    made = pixels_of(engine.apply(source, recipe, out=tmp_path, name="made", mask=mask).output)
    assert np.array_equal(made[allowed == 0], rgba[allowed == 0])
    assert (made[allowed > 0] != rgba[allowed > 0]).any()
    assert np.array_equal(luma(made), luma(rgba))
    assert np.array_equal(made[..., 3], rgba[..., 3])


@pytest.mark.parametrize("size", [(301, 523), (1, 1), (3, 700)])
def test_colour_in_tiles_is_the_colour_of_the_whole(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path, size: tuple[int, int]
) -> None:
    recipe = recipe_of(shelf, "colourise")
    source = write(tmp_path / "s.tif", scene(1, 16, height=size[0], width=size[1])[..., 0])
    whole = pixels_of(engine.apply(source, recipe, out=tmp_path, name="whole").output).astype(int)
    parts = engine.apply(source, replace(recipe, tile=256), out=tmp_path, name="parts")
    assert parts.report.tiles > 1 or max(size) == 1
    # Green follows from the other two, and so may differ by as much as it takes to keep the luma.
    assert np.abs(pixels_of(parts.output).astype(int) - whole).max() <= 2


def test_half_the_strength_is_half_the_colour_at_the_same_luma(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    recipe, grey = recipe_of(shelf, "colourise"), scene(1, 16)[..., 0]
    source = write(tmp_path / "s.tif", grey)
    full = pixels_of(engine.apply(source, recipe, out=tmp_path, name="full").output).astype(int)
    half = engine.apply(source, with_step(recipe, strength="0.5"), out=tmp_path, name="half")
    made = pixels_of(half.output).astype(int)
    assert np.abs(2 * (made - grey[..., None]) - (full - grey[..., None])).max() <= 4
    assert np.array_equal(luma(made), grey)


def test_where_the_network_is_in_doubt_a_grey_picture_stays_grey(
    shelf: dict[str, Weights], tmp_path: Path
) -> None:
    known = shelf["colourise"]
    wary = replace(known, card=replace(known.card, arguments={**known.card.arguments, "doubt": 1e-6}))
    source = write(tmp_path / "s.tif", scene(1, 8)[..., 0])
    made = Engine(device="cpu", weights=lambda _digest: wary).apply(
        source, recipe_of(shelf, "colourise"), out=tmp_path
    )
    assert np.ptp(pixels_of(made.output).astype(int), axis=2).max() <= 1


# ---- size


@pytest.mark.parametrize("bits", [8, 16])
def test_an_enlargement_is_twice_as_wide_and_high_and_as_large_on_paper(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path, bits: int
) -> None:
    source = write(tmp_path / "s.tif", scene(3, bits, height=97, width=131))
    made = engine.apply(source, recipe_of(shelf, "upscale"), out=tmp_path, name="large")
    form = facts(made.output)
    assert (form.width, form.height, form.bands, form.bits, form.ppi) == (262, 194, 3, bits, (600, 600))
    assert form.icc == facts(source.path).icc
    assert (made.report.width, made.report.height, made.report.enlarged) == (262, 194, 2)
    assert facts(made.sidecars["change_map"]).width == 262
    assert recipe_of(shelf, "upscale").role == "upscaled"


@pytest.mark.parametrize("bands", [1, 3])
def test_without_its_network_an_enlargement_is_the_plain_one_by_lanczos_kernel(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path, bands: int
) -> None:
    pixels = scene(bands, 16, height=97, width=131)
    source = write(tmp_path / "s.tif", pixels[..., 0] if bands == 1 else pixels)
    recipe = with_step(recipe_of(shelf, "upscale"), strength="0")
    made = engine.apply(source, recipe, out=tmp_path, name="plain")
    for band in range(bands):
        plane = Image.fromarray(pixels[..., band].astype(np.float32), mode="F")
        wanted = np.asarray(plane.resize((262, 194), Image.Resampling.LANCZOS)).clip(0, 65535)
        # At the edges the picture is mirrored; the other library forgets what lies beyond.
        apart = np.abs(pixels_of(made.output)[..., band].astype(float) - wanted)
        assert apart[8:-8, 8:-8].max() <= 1
    assert (made.report.changed_share, made.report.psnr) == (0, float("inf"))


@pytest.mark.parametrize("size", [(301, 523), (1, 1), (2, 700), (257, 9)])
def test_an_enlargement_in_tiles_is_the_enlargement_of_the_whole(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path, size: tuple[int, int]
) -> None:
    recipe = recipe_of(shelf, "upscale")
    source = write(tmp_path / "s.tif", scene(3, 16, height=size[0], width=size[1]))
    first = engine.apply(source, replace(recipe, tile=1024), out=tmp_path, name="whole")
    parts = engine.apply(source, replace(recipe, tile=256), out=tmp_path, name="parts")
    assert parts.report.tiles > 1 or max(size) < 256
    whole = pixels_of(first.output).astype(int)
    assert np.abs(pixels_of(parts.output).astype(int) - whole).max() <= 1
    assert parts.report.psnr == pytest.approx(first.report.psnr, abs=1e-3)
    assert parts.report.changed_share == pytest.approx(first.report.changed_share, abs=1e-4)


def test_a_mask_and_a_picture_too_large_to_open_again_are_refused_before_any_work(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="enlarge"):
        recipe_of(shelf, "upscale", mask="0" * 64)
    with pytest.raises(RecipeError, match="one enlargement"):
        recipe_of(shelf, "upscale", "upscale")
    mask = write(tmp_path / "mask.tif", np.zeros((130, 170), np.uint8)).path
    recipe = replace(recipe_of(shelf, "upscale"), mask=hashlib.sha256(mask.read_bytes()).hexdigest())
    source = write(tmp_path / "s.tif", scene(3, 8))
    with pytest.raises(MaskMismatch, match="enlarge"):
        engine.apply(source, recipe, out=tmp_path, mask=mask)
    wide = Source(tmp_path / "wide.tif")
    Image.new("L", (20_000, 6_000)).save(wide.path, compression="tiff_deflate")
    with pytest.raises(UnsupportedImage, match="480 million"):
        engine.apply(wide, recipe_of(shelf, "upscale"), out=tmp_path)


# ---- chains and looks

CHAINS = [
    ("colourise",), ("upscale",), ("restore", "upscale"), ("upscale", "colourise"),
    ("restore", "colourise", "upscale"),
]  # fmt: skip


@pytest.mark.parametrize("chain", CHAINS, ids="+".join)
def test_a_chain_gives_one_derivative_compared_with_the_scan_in_its_own_size(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path, chain: tuple[str, ...]
) -> None:
    recipe = recipe_of(shelf, *chain)
    source = write(tmp_path / "s.tif", scene(1, 16, height=151, width=203)[..., 0])
    made = engine.apply(source, replace(recipe, tile=256), out=tmp_path, name="made")
    by = 2 if "upscale" in chain else 1
    form = facts(made.output)
    assert (form.width, form.height) == (203 * by, 151 * by)
    assert form.colour == ("rgb" if "colourise" in chain else "grey")
    plain = engine.apply(source, with_step(recipe, strength="0"), out=tmp_path, name="plain")
    assert plain.report.psnr == float("inf")
    assert 5 < made.report.psnr < 60
    assert made.report.tile[0] <= 400


@pytest.mark.parametrize("chain", CHAINS, ids="+".join)
def test_a_look_shows_what_the_derivative_will_hold(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path, chain: tuple[str, ...]
) -> None:
    steps = [{"model": name, "parameters": {"tone": False} if name == "restore" else {}} for name in chain]
    recipe = resolve({"steps": steps}, cards={n: w.card for n, w in shelf.items()})
    source = write(tmp_path / "s.tif", scene(3, 16, height=151, width=203))
    made = pixels_of(engine.apply(source, recipe, out=tmp_path, name="made").output).astype(int)
    by = 2 if "upscale" in chain else 1
    for region in (Region(0, 0, 40, 30), Region(71, 53, 64, 49), Region(163, 111, 40, 40)):
        seen = engine.look(source, recipe, region)
        y, x = by * region.y, by * region.x
        part = made[y : y + by * region.height, x : x + by * region.width]
        assert seen.before.shape == seen.after.shape == part.shape
        assert seen.damage.shape == seen.sure.shape == part.shape[:2]
        if seen.exact:
            assert np.abs(seen.after.astype(int) - part).max() <= 2
