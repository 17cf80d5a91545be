"""A look at a region shows what the derivative will hold there, and nothing is written for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylizer.engine import Engine, Source, _digest
from stylizer.errors import Cancelled, EngineError, MaskMismatch, UnsupportedImage
from stylizer.look import Region
from stylizer.recipe import Recipe
from tests.stylizer.small import pixels_of, scene, with_step, write

HEIGHT, WIDTH = 330, 410


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    made = write(tmp_path_factory.mktemp("look") / "s.tif", scene(3, 16, height=HEIGHT, width=WIDTH))
    return replace(made, sha256=_digest(made.path))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(-20, WIDTH + 20), st.integers(-20, HEIGHT + 20), st.integers(1, 300), st.integers(1, 300),
    st.sampled_from(["tone", "detail", "chain"]),
)  # fmt: skip
def test_a_look_is_a_part_of_the_whole(
    engine: Engine, recipe: Recipe, source: Source, tmp_path_factory: pytest.TempPathFactory,
    x: int, y: int, width: int, height: int, kind: str,
) -> None:  # fmt: skip
    detail = {**recipe.steps[0].parameters, "tone": False}
    asked = recipe if kind == "tone" else with_step(recipe, parameters=detail, strength="0.7")
    if kind == "chain":
        asked = replace(asked, steps=asked.steps * 2)
    whole = tmp_path_factory.getbasetemp() / f"whole-{kind}"
    if not (whole / "output.tif").exists():
        engine.apply(source, asked, out=whole)
    seen = engine.look(source, asked, Region(x, y, width, height))
    at = seen.region
    place = np.s_[at.y : at.y + at.height, at.x : at.x + at.width]
    assert (at.width, at.height) == (min(width, WIDTH), min(height, HEIGHT))
    assert seen.exact
    assert np.array_equal(seen.before, pixels_of(source.path)[place])
    # Another shape of tile is another order of sums: a step of 65 535 for one network, two for one after another.
    apart = np.abs(seen.after.astype(int) - pixels_of(whole / "output.tif")[place])
    assert apart.max() <= (2 if kind == "chain" else 1)
    damage = np.asarray(Image.open(whole / "output.damage.png", formats=["PNG"]))[place]
    assert np.abs(np.ceil(seen.damage * 255) - damage).max() <= 1


def test_a_chain_that_must_see_the_whole_twice_says_that_it_is_not_exact(
    engine: Engine, recipe: Recipe, source: Source
) -> None:
    twice = replace(recipe, steps=recipe.steps * 2)
    assert not engine.look(source, twice, Region(0, 0, 64, 64)).exact


def test_a_look_keeps_to_the_mask_and_to_alpha(
    engine: Engine, recipe: Recipe, source: Source, tmp_path: Path
) -> None:
    allowed = np.zeros((HEIGHT, WIDTH), np.uint8)
    allowed[:, 100:] = 255
    Image.fromarray(allowed).save(tmp_path / "mask.png")
    masked = replace(recipe, mask=_digest(tmp_path / "mask.png"))
    seen = engine.look(source, masked, Region(50, 50, 100, 100), mask=tmp_path / "mask.png")
    changed = (seen.before != seen.after).any(2)
    assert not changed[:, :50].any()
    assert changed[:, 50:].any()
    assert 0 < seen.changed_share <= 0.5
    with pytest.raises(MaskMismatch):
        engine.look(source, recipe, Region(0, 0, 9, 9), mask=tmp_path / "mask.png")
    rgba = write(tmp_path / "a.tif", scene(4, 8), extrasamples=["unassalpha"])
    alpha = engine.look(rgba, recipe, Region(10, 10, 50, 50))
    assert np.array_equal(alpha.before[..., 3], alpha.after[..., 3])


def test_what_cannot_be_looked_at_is_refused(
    engine: Engine, recipe: Recipe, source: Source, tmp_path: Path
) -> None:
    for region in (Region(0, 0, 0, 5), Region(0, 0, 1025, 5), Region(0, 0, 5, -1)):
        with pytest.raises(EngineError, match="expected 1 to 1024 px"):
            engine.look(source, recipe, region)
    with pytest.raises(EngineError, match="style picture"):
        engine.look(source, replace(recipe, reference="0" * 64), Region(0, 0, 8, 8))
    with pytest.raises(Cancelled):
        engine.look(source, recipe, Region(0, 0, 8, 8), cancel=lambda: True)
    cmyk = write(tmp_path / "cmyk.tif", scene(4, 8), photometric="separated")
    with pytest.raises(UnsupportedImage):
        engine.look(cmyk, recipe, Region(0, 0, 8, 8))
