"""What a person can hold the engine to: strength, masks, damage only, refusals, and stopping it."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from stylizer.cards import Weights
from stylizer.engine import BATCHES, Engine, Source, _digest
from stylizer.errors import Cancelled, MaskMismatch, OutOfMemory, OutsideTraining
from stylizer.reading import Reading
from stylizer.recipe import Recipe, resolve
from stylizer.sidecars import MapWriter
from tests.stylizer.small import pixels_of, save_weights, scene, with_step, write


def mask_file(path: Path, values: np.ndarray[Any, Any]) -> Path:
    Image.fromarray(values).save(path, "PNG")
    return path


def limited(weights: Weights, **limits: Any) -> Engine:
    found = replace(weights, card=replace(weights.card, limits=limits))
    return Engine(device="cpu", weights=lambda _digest: found)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("tile", [256, 1024])
def test_outside_the_mask_not_one_bit_changes(
    engine: Engine, recipe: Recipe, tmp_path: Path, bits: int, tile: int
) -> None:
    pixels = scene(3, bits, height=300, width=290)
    allowed = np.zeros((300, 290), np.uint8)
    allowed[40:200, 100:280] = 255
    allowed[210:220, :] = 128
    mask = mask_file(tmp_path / "mask.png", allowed)
    recipe = replace(recipe, mask=_digest(mask), tile=tile)
    made = pixels_of(engine.apply(write(tmp_path / "s.tif", pixels), recipe, out=tmp_path, mask=mask).output)
    free = pixels_of(
        engine.apply(Source(tmp_path / "s.tif"), replace(recipe, mask=None), out=tmp_path, name="free").output
    )
    assert np.array_equal(made[allowed == 0], pixels[allowed == 0])
    assert np.array_equal(made[allowed == 255], free[allowed == 255])
    assert (made[allowed == 255] != pixels[allowed == 255]).any()
    inside = (free > 0) & (free < 2**bits - 1) & (allowed == 128)[..., None]
    change, half = (x[inside].astype(int) - pixels[inside] for x in (free, made))
    assert np.abs(change * 128 / 255 - half).max() <= 1


def test_a_mask_that_is_not_the_recipes_or_does_not_fit_is_refused(
    engine: Engine, recipe: Recipe, tmp_path: Path
) -> None:
    source = write(tmp_path / "s.tif", scene(3, 8))
    fitting = mask_file(tmp_path / "fitting.png", np.zeros((130, 170), np.uint8))
    small = mask_file(tmp_path / "small.png", np.zeros((13, 17), np.uint8))
    colour = mask_file(tmp_path / "colour.png", np.zeros((130, 170, 3), np.uint8))
    for given, named, words in [
        (None, _digest(fitting), "got none"),
        (fitting, None, "expected the mask none"),
        (fitting, _digest(small), "expected the mask"),
        (small, _digest(small), "17 × 13 px in 1 bands; expected one grey band of 170 × 130"),
        (colour, _digest(colour), "in 3 bands"),
    ]:
        with pytest.raises(MaskMismatch, match=words):
            engine.apply(source, replace(recipe, mask=named), out=tmp_path / "out", mask=given)
    assert not list((tmp_path / "out").glob("*"))


def test_damage_only_changes_nothing_the_network_does_not_call_damage(
    engine: Engine, recipe: Recipe, tmp_path: Path
) -> None:
    pixels = scene(3, 16, height=200, width=300)
    source = write(tmp_path / "s.tif", pixels)
    parameters = {**recipe.steps[0].parameters, "only_damage": True}
    result = engine.apply(source, with_step(recipe, parameters=parameters), out=tmp_path)
    free = engine.apply(source, recipe, out=tmp_path, name="free")
    damage = np.asarray(Image.open(result.sidecars["damage_mask"], formats=["PNG"]))
    touched = (pixels_of(result.output) != pixels).any(2)
    assert not touched[damage <= 127].any()
    assert touched.any()
    assert touched.sum() < (pixels_of(free.output) != pixels).any(2).sum()


def test_the_bolder_the_more_is_changed_and_an_older_recipe_is_never_bold(
    weights: Weights, recipe: Recipe, tmp_path: Path
) -> None:
    shut = {**weights.card.arguments, "gate_floor": 0.9}
    found = replace(weights, card=replace(weights.card, arguments=shut))
    engine = Engine(device="cpu", weights=lambda _digest: found)
    source = write(tmp_path / "s.tif", scene(3, 16, height=200, width=300))

    def made(name: str, recipe: Recipe) -> np.ndarray[Any, Any]:
        return pixels_of(engine.apply(source, recipe, out=tmp_path, name=name).output)

    def bold(share: str) -> Recipe:
        return with_step(recipe, parameters={**recipe.steps[0].parameters, "tone": False, "boldness": share})

    known = {k: v for k, v in bold("0").steps[0].parameters.items() if k != "boldness"}
    older = replace(with_step(recipe, parameters=known), schema=2)
    calm, half, boldest = (made(f"at{share}", bold(share)) for share in ("0", "0.5", "1"))
    assert np.array_equal(made("older", older), calm)
    scan = pixels_of(source.path)
    changed = [np.abs(x.astype(int) - scan).mean() for x in (calm, half, boldest)]
    assert changed[0] < changed[1] < changed[2]


def test_the_perceptual_share_moves_between_two_sets_of_weights(tmp_path: Path) -> None:
    faithful, fresh = save_weights(tmp_path / "a"), save_weights(tmp_path / "b", seed=4)
    named = replace(faithful.card, counterpart="fresh")
    cards = {"restore": named, "fresh": replace(fresh.card, name="fresh")}
    files = {w.card.weights: w for w in (faithful, fresh)}
    engine = Engine(device="cpu", weights=files.__getitem__)
    source = write(tmp_path / "s.tif", scene(3, 16))

    def made(share: float, model: str = "restore") -> np.ndarray[Any, Any]:
        spec = {"steps": [{"model": model, "perceptual": share}]}
        return pixels_of(
            engine.apply(source, resolve(spec, cards=cards), out=tmp_path / f"{model}{share}").output
        )

    assert np.array_equal(made(1), made(0, "fresh"))
    assert not np.array_equal(made(0.5), made(0))
    assert not np.array_equal(made(0.5), made(1))


def test_the_report_says_how_far_each_tile_can_be_trusted(
    engine: Engine, recipe: Recipe, tmp_path: Path
) -> None:
    source = write(tmp_path / "s.tif", scene(3, 16, height=300, width=600))
    report = engine.apply(source, replace(recipe, tile=256), out=tmp_path).report
    trust = report.trust
    assert (trust["columns"], len(trust["values"])) == (3, 6)  # type: ignore[arg-type]
    assert trust["least"] == min(trust["values"])  # type: ignore[call-overload]
    assert all(0 <= value <= 1 for value in trust["values"])  # type: ignore[attr-defined]
    assert 0 <= report.damaged_share <= 1
    untouched = with_step(recipe, parameters={"tone": False, "detail": False, "only_damage": False})
    assert engine.apply(source, untouched, out=tmp_path).report.trust["least"] == 1


def test_what_the_network_was_not_trained_for_is_refused_unless_accepted_by_name(
    weights: Weights, recipe: Recipe, tmp_path: Path
) -> None:
    source = write(tmp_path / "s.tif", scene(3, 8))
    small = limited(weights, least_side=200, most_damage=1)
    with pytest.raises(OutsideTraining, match="170 × 130 px; restore 1 was trained for sides of 200 px"):
        small.apply(source, recipe, out=tmp_path / "out")
    damaged = limited(weights, most_damage=0.0001)
    with pytest.raises(OutsideTraining, match="of the picture looks damaged to restore 1"):
        damaged.apply(source, recipe, out=tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))
    for engine, name in [(small, "size"), (damaged, "damage")]:
        made = engine.apply(source, replace(recipe, accept=(name,)), out=tmp_path / name)
        assert made.output.exists()


def test_it_stops_within_a_tile(engine: Engine, recipe: Recipe, tmp_path: Path) -> None:
    source, asked = write(tmp_path / "s.tif", scene(3, 8)), []

    def cancel() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 5

    with pytest.raises(Cancelled, match="after 0 of 1 tiles"):
        engine.apply(source, recipe, out=tmp_path / "out", cancel=cancel)
    assert not list((tmp_path / "out").iterdir())
    assert engine.apply(
        source, recipe, out=tmp_path / "out"
    ).output.exists()  # and goes on as if nothing had been


def test_memory_that_does_not_suffice_makes_smaller_batches_and_then_a_failure(
    engine: Engine, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "s.tif", scene(3, 8, height=300, width=1100))
    recipe = replace(recipe, tile=256)
    whole = engine.apply(source, recipe, out=tmp_path / "whole")
    assert whole.report.batch == 1
    monkeypatch.setitem(BATCHES, "cpu", 4)
    network = engine.stage(recipe.steps[0], "archival").network
    most: list[int] = [2]

    def scarce(_module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if inputs[0].shape[0] > most[0]:
            raise MemoryError

    hook = network.register_forward_pre_hook(scarce)
    try:
        fewer = engine.apply(source, recipe, out=tmp_path / "two")
        assert fewer.report.batch == 2
        assert np.abs(pixels_of(fewer.output).astype(int) - pixels_of(whole.output)).max() <= 1
        most[0] = 0
        with pytest.raises(OutOfMemory, match="not enough memory for a tile of 264 × 336 px"):
            engine.apply(source, recipe, out=tmp_path / "none")
    finally:
        hook.remove()
    assert not list((tmp_path / "none").iterdir())


@pytest.mark.parametrize("where", ["reading", "finishing"])
def test_a_failure_in_either_thread_is_raised_and_leaves_nothing(
    engine: Engine, recipe: Recipe, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "s.tif", scene(3, 8, height=600, width=200))

    def broken(*_: Any, **__: Any) -> Any:
        raise OSError("the disk is full")

    place: tuple[Any, str] = (Reading, "next") if where == "reading" else (MapWriter, "add")
    monkeypatch.setattr(*place, broken)
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="the disk is full"):
        engine.apply(source, replace(recipe, tile=256), out=tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    assert not set(threading.enumerate()) - before


def test_one_bit_and_alpha_and_16_bit_grey_come_back_as_they_should(
    engine: Engine, recipe: Recipe, tmp_path: Path
) -> None:
    bitonal = scene(1, 8)[..., 0] > 128
    tifffile.imwrite(tmp_path / "b.tif", bitonal, photometric="minisblack")
    made = engine.apply(Source(tmp_path / "b.tif"), recipe, out=tmp_path, name="b").report
    assert (made.bands, made.bits) == (1, 8)
    grey_alpha = scene(2, 16)
    write(tmp_path / "ga.tif", grey_alpha, photometric="minisblack", extrasamples=["unassalpha"])
    result = engine.apply(Source(tmp_path / "ga.tif"), recipe, out=tmp_path, name="ga")
    assert np.array_equal(pixels_of(result.output)[..., 1], grey_alpha[..., 1])
