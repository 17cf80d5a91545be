"""Styles through the engine: exact, in the form of the source, colour out of grey, and never with the wrong picture."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stylizer.cards import Card, Weights, packaged_card
from stylizer.engine import Engine, Source
from stylizer.errors import RecipeError, ReferenceMismatch, UnsupportedImage
from stylizer.imageio import facts
from stylizer.look import Region
from stylizer.models import Stylist
from stylizer.recipe import PRESETS, Recipe, resolve, takes_reference
from tests.stylizer.small import pixels_of, save_weights, scene, with_step, write

LAID = {"radius": 4, "lined": 0.4, "strokes": 0.05, "breadth": 2.0}
SHAPE = {"widths": [4, 6], "blocks": 2, "code": 4}


def stylist(path: Path, name: str, *, seed: int, **more: object) -> Weights:
    """A small network with weights of its own, as a release."""
    torch.manual_seed(seed)
    network = Stylist(widths=(4, 6), blocks=2, code=4, **more)  # type: ignore[arg-type]
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.05)
    save_file(network.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = Card(
        name, "1", "stylise", "stylist", digest, arguments={**SHAPE, **more}, reference="encoder" in more
    )
    return Weights(path, card)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Weights]:
    folder = tmp_path_factory.mktemp("shelf")
    made = [
        stylist(folder / "colour.safetensors", "style/colour", seed=1),
        stylist(folder / "grey.safetensors", "style/grey", seed=2, grey=True),
        stylist(folder / "laid.safetensors", "style/laid", seed=4, laid=LAID),
        stylist(folder / "reference.safetensors", "style/reference", seed=3, encoder=3),
        save_weights(folder / "restore.safetensors"),
    ]
    return {one.card.name: one for one in made}


@pytest.fixture(scope="module")
def engine(shelf: dict[str, Weights]) -> Engine:
    return Engine(device="cpu", weights={one.card.weights: one for one in shelf.values()}.__getitem__)


def recipe_of(shelf: dict[str, Weights], *models: str, reference: Path | None = None) -> Recipe:
    digest = hashlib.sha256(reference.read_bytes()).hexdigest() if reference else None
    steps = [{"model": model} for model in models]
    return resolve({"steps": steps}, cards={n: w.card for n, w in shelf.items()}, reference=digest)


@pytest.fixture
def picture(tmp_path: Path) -> Source:
    """A style picture."""
    return write(tmp_path / "style.tif", scene(3, 8, height=90, width=60))


@pytest.mark.parametrize("style", ["style/colour", "style/laid"])
def test_a_style_in_tiles_is_the_style_of_the_whole(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path, style: str
) -> None:
    recipe, source = (
        recipe_of(shelf, style),
        write(tmp_path / "s.tif", scene(3, 16, height=301, width=523)),
    )
    whole = pixels_of(engine.apply(source, recipe, out=tmp_path, name="whole").output).astype(int)
    parts = engine.apply(source, replace(recipe, tile=256), out=tmp_path, name="parts")
    assert parts.report.tiles > 1
    assert np.abs(pixels_of(parts.output).astype(int) - whole).max() <= 1
    assert recipe.role == "stylised"
    assert parts.report.damaged_share == 0
    assert parts.report.changed_share > 0.5


def test_a_grey_scan_becomes_colour_where_the_style_has_colour_and_stays_grey_where_it_has_none(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    source = write(tmp_path / "grey.tif", scene(1, 16)[..., 0])
    coloured = engine.apply(source, recipe_of(shelf, "style/colour"), out=tmp_path, name="coloured")
    made = facts(coloured.output)
    assert (made.colour, made.bands, made.bits, made.icc) == ("rgb", 3, 16, None)
    assert coloured.report.bands == 3
    assert (np.ptp(pixels_of(coloured.output).astype(int), axis=2) > 0).any()
    plain = engine.apply(source, recipe_of(shelf, "style/grey"), out=tmp_path, name="plain")
    kept = facts(plain.output)
    assert (kept.colour, kept.bands, kept.icc) == ("grey", 1, facts(source.path).icc)


def test_charcoal_leaves_no_colour_in_a_colour_scan_and_alpha_passes_through(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    rgba = write(tmp_path / "rgba.tif", scene(4, 8), extrasamples=["unassalpha"])
    made = pixels_of(engine.apply(rgba, recipe_of(shelf, "style/grey"), out=tmp_path, name="grey").output)
    assert np.array_equal(made[..., 3], scene(4, 8)[..., 3])
    assert np.ptp(made[..., :3].astype(int), axis=2).max() <= 1
    veiled = write(
        tmp_path / "veiled.tif", scene(2, 8), photometric="minisblack", extrasamples=["unassalpha"]
    )
    coloured = engine.apply(veiled, recipe_of(shelf, "style/colour"), out=tmp_path, name="veiled-colour")
    assert facts(coloured.output).bands == 4
    assert np.array_equal(pixels_of(coloured.output)[..., 3], scene(2, 8)[..., 1])


def test_half_the_strength_is_half_the_change_and_none_changes_nothing(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    recipe, source = recipe_of(shelf, "style/colour"), write(tmp_path / "s.tif", scene(3, 16))
    before = pixels_of(source.path).astype(int)
    full = pixels_of(engine.apply(source, recipe, out=tmp_path, name="full").output).astype(int)
    half = engine.apply(source, with_step(recipe, strength="0.5"), out=tmp_path, name="half")
    none = engine.apply(source, with_step(recipe, strength="0"), out=tmp_path, name="none")
    assert np.abs((pixels_of(half.output) - before) * 2 - (full - before)).max() <= 2
    assert np.array_equal(pixels_of(none.output), before)


def test_a_chain_of_restoring_and_styling_is_one_derivative(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    source = write(tmp_path / "grey.tif", scene(1, 8)[..., 0])
    recipe = recipe_of(shelf, "restore", "style/colour")
    made = engine.apply(source, recipe, out=tmp_path)
    assert recipe.role == "stylised"
    assert facts(made.output).bands == 3


def test_the_style_picture_decides_and_is_named_in_the_report(
    engine: Engine, shelf: dict[str, Weights], picture: Source, tmp_path: Path
) -> None:
    source = write(tmp_path / "s.tif", scene(3, 8))
    recipe = recipe_of(shelf, "style/reference", reference=picture.path)
    made = engine.apply(source, recipe, out=tmp_path, name="one", reference=picture)
    again = engine.apply(source, recipe, out=tmp_path, name="again", reference=picture)
    assert made.report.reference_sha256 == recipe.reference
    assert made.report.output_sha256 == again.report.output_sha256
    other = write(tmp_path / "other.tif", 255 - scene(3, 8))
    another = recipe_of(shelf, "style/reference", reference=other.path)
    assert another.digest != recipe.digest
    differs = engine.apply(source, another, out=tmp_path, name="other", reference=other)
    assert differs.report.output_pixel_sha256 != made.report.output_pixel_sha256
    seen = engine.look(source, recipe, Region(10, 10, 64, 64), reference=picture)
    assert np.array_equal(seen.after, pixels_of(made.output)[10:74, 10:74])


def test_a_missing_wrong_changed_or_useless_style_picture_is_refused_and_nothing_is_left_behind(
    engine: Engine, shelf: dict[str, Weights], picture: Source, tmp_path: Path
) -> None:
    source, out = write(tmp_path / "s.tif", scene(3, 8)), tmp_path / "out"
    recipe = recipe_of(shelf, "style/reference", reference=picture.path)
    with pytest.raises(ReferenceMismatch, match="none was given"):
        engine.apply(source, recipe, out=out)
    with pytest.raises(ReferenceMismatch, match="expected the style picture"):
        engine.apply(source, recipe, out=out, reference=source)
    with pytest.raises(ReferenceMismatch, match="names none"):
        engine.apply(source, replace(recipe, reference=None), out=out, reference=picture)
    with pytest.raises(ReferenceMismatch, match="no step"):
        engine.apply(source, recipe_of(shelf, "style/colour"), out=out, reference=picture)
    picture.path.write_bytes(picture.path.read_bytes() + b"\0")
    with pytest.raises(ReferenceMismatch, match="Check its fixity"):
        engine.apply(source, recipe, out=out, reference=picture)
    assert not out.exists()
    inks = write(tmp_path / "inks.tif", scene(4, 8), photometric="separated")
    with pytest.raises(UnsupportedImage, match="CMYK"):
        engine.apply(
            source, recipe_of(shelf, "style/reference", reference=inks.path), out=out, reference=inks
        )


def test_a_recipe_names_a_style_picture_exactly_where_a_step_takes_one(shelf: dict[str, Weights]) -> None:
    cards = {name: one.card for name, one in shelf.items()}
    spec = {"steps": [{"model": "restore"}, {"model": "style/reference"}]}
    with pytest.raises(RecipeError, match="reference: expected a style picture"):
        resolve(spec, cards=cards)
    with pytest.raises(RecipeError, match="expected nothing"):
        resolve({"steps": [{"model": "style/colour"}]}, cards=cards, reference="0" * 64)
    recipe = resolve(spec, cards=cards, reference="0" * 64)
    assert Recipe.from_json(recipe.canonical()) == recipe
    assert json.loads(recipe.canonical())["reference"] == "0" * 64
    assert takes_reference(spec, cards=cards)
    assert not takes_reference({"steps": [{"model": "style/colour"}]}, cards=cards)


def test_a_look_at_a_grey_scan_shows_the_colours_it_would_get(
    engine: Engine, shelf: dict[str, Weights], tmp_path: Path
) -> None:
    source = write(tmp_path / "grey.tif", scene(1, 8)[..., 0])
    recipe = recipe_of(shelf, "style/colour")
    seen = engine.look(source, recipe, Region(20, 30, 60, 50))
    made = pixels_of(engine.apply(source, recipe, out=tmp_path).output)
    assert (seen.before.shape[2], seen.after.shape[2], seen.form.colour) == (1, 3, "rgb")
    assert np.array_equal(seen.after, made[30:80, 20:80])
    assert 0 < seen.changed_share <= 1


STYLES = [name for name in PRESETS if name.startswith("style/")]


def released(preset: str, tmp_path: Path) -> tuple[Recipe, Source | None]:
    """A style as it is shipped, and the style picture where it takes one."""
    if preset != "style/reference":
        return resolve(preset, cards=packaged_card), None
    picture = write(tmp_path / "style.tif", scene(3, 8, height=130, width=170))
    return resolve(
        preset, cards=packaged_card, reference=hashlib.sha256(picture.path.read_bytes()).hexdigest()
    ), picture


@pytest.mark.parametrize("preset", STYLES)
def test_every_style_of_this_release_is_exact_in_tiles(preset: str, tmp_path: Path) -> None:
    recipe, picture = released(preset, tmp_path)
    source = write(tmp_path / "s.tif", scene(3, 8, height=270, width=300))
    engine = Engine(device="cpu")
    whole, parts = (
        engine.apply(source, replace(recipe, tile=tile), out=tmp_path, name=str(tile), reference=picture)
        for tile in (512, 256)
    )
    assert (whole.report.tiles, parts.report.tiles) == (1, 4)
    assert np.abs(pixels_of(parts.output).astype(int) - pixels_of(whole.output)).max() <= 1


@pytest.mark.parametrize("preset", STYLES)
def test_every_style_of_this_release_makes_a_picture_of_a_grey_16_bit_scan(
    preset: str, tmp_path: Path
) -> None:
    recipe, picture = released(preset, tmp_path)
    source = write(tmp_path / "grey.tif", scene(1, 16)[..., 0])
    made = Engine(device="cpu").apply(source, recipe, out=tmp_path, reference=picture)
    assert made.report.changed_share > 0.2
    assert facts(made.output).bits == 16
    assert made.report.reference_sha256 == recipe.reference
    chained = resolve(f"restore+{preset}", cards=packaged_card, reference=recipe.reference)
    assert (chained.role, chained.operations) == ("stylised", ("restore", "stylise"))
