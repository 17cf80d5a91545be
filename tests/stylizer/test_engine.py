"""The engine: exact, repeatable, true to the source's form, and leaving nothing behind when it fails."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylizer.cards import Weights
from stylizer.engine import Engine, Source
from stylizer.errors import (
    BadTile,
    Cancelled,
    EngineError,
    SourceChanged,
    UnsupportedImage,
    WeightsMismatch,
)
from stylizer.imageio import facts, open_picture
from stylizer.recipe import Recipe, Step
from tests.stylizer.small import ARGUMENTS, ICC, pixels_of, save_weights, scene, with_step, write


def test_a_16_bit_scan_comes_back_in_16_bits_with_its_profile_and_a_true_report(
    engine: Engine, recipe: Recipe, tmp_path: Path
) -> None:
    source = write(tmp_path / "scan.tif", scene(3, 16))
    seen: list[tuple[int, int]] = []
    result = engine.apply(
        source, replace(recipe, tile=256), out=tmp_path / "out", on_tile=lambda *at: seen.append(at)
    )
    made, before = facts(result.output), facts(source.path)
    assert (made.bits, made.bands, made.icc, made.ppi) == (16, 3, ICC, before.ppi)
    assert seen == [(1, 1)]
    report, old, new = result.report, pixels_of(source.path), pixels_of(result.output)
    assert report.output_sha256 == hashlib.sha256(result.output.read_bytes()).hexdigest()
    assert report.source_sha256 == hashlib.sha256(source.path.read_bytes()).hexdigest()
    with open_picture(result.output) as picture:
        assert report.output_pixel_sha256 == picture.pixel_digest()
    difference = np.abs(old.astype(float) - new) / 65535
    assert difference.max() > 0
    assert report.changed_share == pytest.approx((difference.max(2) > 2 / 255).mean(), abs=1e-5)
    assert report.psnr == pytest.approx(-10 * np.log10((difference**2).mean()), abs=0.01)
    change = np.asarray(Image.open(result.sidecars["change_map"], formats=["PNG"]))
    assert change.dtype == np.uint8
    assert np.abs(change - difference.max(2) * 255).max() <= 1.01
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "output.change.png", "output.damage.png", "output.tif"]  # fmt: skip


@pytest.mark.parametrize(("bands", "bits"), [(3, 16), (3, 8), (1, 16)])
def test_at_strength_0_not_one_bit_changes(
    engine: Engine, recipe: Recipe, tmp_path: Path, bands: int, bits: int
) -> None:
    pixels = scene(bands, bits)
    source = write(tmp_path / "scan.tif", pixels if bands > 1 else pixels[..., 0])
    result = engine.apply(source, with_step(recipe, strength="0"), out=tmp_path)
    assert np.array_equal(pixels_of(result.output), pixels)
    assert result.report.source_pixel_sha256 == result.report.output_pixel_sha256
    assert (result.report.changed_share, result.report.to_dict()["psnr"]) == (0, None)


def test_half_the_strength_is_half_the_change(engine: Engine, recipe: Recipe, tmp_path: Path) -> None:
    source = write(tmp_path / "scan.tif", scene(3, 16) // 2 + 16384)
    old = pixels_of(source.path).astype(int)
    full = pixels_of(engine.apply(source, recipe, out=tmp_path, name="full").output) - old
    half = (
        pixels_of(engine.apply(source, with_step(recipe, strength="0.5"), out=tmp_path, name="half").output)
        - old
    )
    inside = (full + old > 0) & (full + old < 65535)
    assert np.abs(full - 2 * half)[inside].max() <= 1
    assert inside.mean() > 0.5


def test_grey_stays_grey_and_alpha_stays_as_it_was(engine: Engine, recipe: Recipe, tmp_path: Path) -> None:
    grey = engine.apply(write(tmp_path / "g.tif", scene(1, 16)[..., 0]), recipe, out=tmp_path, name="grey")
    assert (facts(grey.output).bands, facts(grey.output).colour) == (1, "grey")
    rgba = scene(4, 8)
    result = engine.apply(write(tmp_path / "a.tif", rgba, extrasamples=["unassalpha"]), recipe, out=tmp_path)
    assert np.array_equal(pixels_of(result.output)[..., 3], rgba[..., 3])


def test_a_scan_on_its_side_is_made_upright(engine: Engine, recipe: Recipe, tmp_path: Path) -> None:
    source = write(tmp_path / "s.tif", scene(3, 8), extratags=[(274, 3, 1, 6, True)])
    result = engine.apply(source, with_step(recipe, strength="0"), out=tmp_path)
    assert np.array_equal(pixels_of(result.output), np.rot90(scene(3, 8), -1))
    assert facts(result.output).orientation == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 600), (257, 3), (280, 300)])
def test_the_tile_does_not_show(
    engine: Engine, recipe: Recipe, tmp_path: Path, size: tuple[int, int]
) -> None:
    source = write(tmp_path / "scan.tif", scene(3, 16, height=size[0], width=size[1]))
    whole, part = (
        pixels_of(
            engine.apply(source, replace(recipe, tile=tile), out=tmp_path, name=str(tile)).output
        ).astype(int)
        for tile in (1024, 256)
    )
    assert np.abs(part - whole).max() <= 1


def test_a_chain_does_one_step_after_the_other(engine: Engine, recipe: Recipe, tmp_path: Path) -> None:
    source = write(tmp_path / "scan.tif", scene(3, 16))
    once = engine.apply(source, recipe, out=tmp_path, name="once")
    twice = engine.apply(Source(once.output), recipe, out=tmp_path, name="twice")
    chain = engine.apply(source, replace(recipe, steps=recipe.steps * 2), out=tmp_path, name="chain")
    assert chain.report.output_pixel_sha256 == twice.report.output_pixel_sha256
    assert chain.report.tiles == 2


AGAIN = """
import sys, torch
from pathlib import Path
from stylizer.cards import Card, Weights
from stylizer.engine import Engine, Source
from stylizer.recipe import Recipe
import json
torch.set_num_threads(int(sys.argv[1]))
weights, card, recipe, source, out = sys.argv[2:7]
found = Weights(Path(weights), Card.from_json(card))
Engine(device="cpu", weights=lambda _: found).apply(Source(Path(source)), Recipe.from_json(recipe), out=Path(out))
"""


@pytest.mark.parametrize(("precision", "threads"), [("archival", ("1", "2")), ("fast", ("1",))])
def test_the_same_recipe_gives_the_same_bytes(
    engine: Engine, weights: Weights, recipe: Recipe, tmp_path: Path, precision: str, threads: tuple[str, ...]
) -> None:
    source = write(tmp_path / "scan.tif", scene(3, 16, height=200, width=300))
    recipe = replace(recipe, precision=precision, tile=256)
    first, second = (engine.apply(source, recipe, out=tmp_path / name).output.read_bytes() for name in "ab")
    assert first == second
    for count in threads:
        out = tmp_path / count
        subprocess.run([sys.executable, "-c", AGAIN, count, str(weights.path), json.dumps(weights.card.to_dict()),
                        recipe.canonical().decode(), str(source.path), str(out)], check=True)  # fmt: skip
        for name in ("output.tif", "output.change.png", "output.damage.png"):
            assert (out / name).read_bytes() == (tmp_path / "a" / name).read_bytes()


def _spoilt(folder: Path) -> Engine:
    weights = save_weights(folder / "spoilt.safetensors", spoil=True)
    return Engine(device="cpu", weights=lambda _digest: weights)


def test_a_failure_has_a_name_and_leaves_nothing(
    engine: Engine, weights: Weights, recipe: Recipe, tmp_path: Path
) -> None:
    source, out = write(tmp_path / "scan.tif", scene(3, 16)), tmp_path / "out"
    spoilt = _spoilt(tmp_path)
    bad = with_step(recipe, weights=spoilt._find_weights("").card.weights)
    cmyk = write(tmp_path / "cmyk.tif", scene(4, 8), photometric="separated")
    attempts: list[tuple[type[Exception], Callable[[], object]]] = [
        (Cancelled, lambda: engine.apply(source, recipe, out=out, cancel=lambda: True)),
        (BadTile, lambda: spoilt.apply(source, bad, out=out)),
        (SourceChanged, lambda: engine.apply(replace(source, sha256="0" * 64), recipe, out=out)),
        (UnsupportedImage, lambda: engine.apply(cmyk, recipe, out=out)),
        (EngineError, lambda: engine.apply(source, replace(recipe, mask="0" * 64), out=out)),
    ]
    for refusal, attempt in attempts:
        with pytest.raises(refusal):
            attempt()
        assert not out.exists() or not list(out.iterdir())


def test_weights_are_verified_before_they_are_believed(
    weights: Weights, recipe: Recipe, tmp_path: Path
) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(weights.path.read_bytes()[:-1] + b"x")
    with pytest.raises(WeightsMismatch, match="SHA-256"):
        Engine(device="cpu", weights=lambda _: replace(weights, path=other)).stage(
            recipe.steps[0], "archival"
        )
    wide = replace(weights, card=replace(weights.card, arguments={**ARGUMENTS, "middle": 2}))
    step: Step = recipe.steps[0]
    with pytest.raises(WeightsMismatch, match="do not fit the architecture"):
        Engine(device="cpu", weights=lambda _: wide).stage(step, "archival")
