"""Recipes: resolved to the last default, one text, one digest, and errors that say where."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylizer.cards import OPERATIONS, Card
from stylizer.errors import RecipeError
from stylizer.parameters import PARAMETERS
from stylizer.parsing import decimal_text
from stylizer.recipe import REFUSALS, Recipe, Step, load_spec, resolve

RESTORE = Card(name="restore", version="1", operation="restore", architecture="restorer", weights="a" * 64)
COLOURISE = Card(name="colourise", version="2", operation="colourise", architecture="x", weights="b" * 64)
CARDS = {card.name: card for card in (RESTORE, COLOURISE)}

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
strengths = st.decimals(0, 1, places=4).map(lambda n: decimal_text(n, "", least=Decimal(0), most=Decimal(1)))


@st.composite
def steps(draw: st.DrawFn) -> Step:
    operation = draw(st.sampled_from(OPERATIONS))
    settings: dict[str, str | bool] = {}
    for name, known in PARAMETERS[operation].items():
        settings[name] = draw(st.booleans()) if isinstance(known.default, bool) else draw(strengths)
    perceptual = draw(strengths)
    return Step(operation, draw(st.sampled_from(["restore", "style/engraving"])), "1.2", draw(digests),
                draw(strengths), settings, perceptual, None if perceptual == "0" else draw(digests))  # fmt: skip


recipes = st.builds(
    Recipe, steps=st.lists(steps(), min_size=1, max_size=3).map(tuple),
    precision=st.sampled_from(["archival", "fast"]), tile=st.sampled_from([0, 256, 1024]),
    mask=st.none() | digests, reference=st.none() | digests,
    accept=st.sets(st.sampled_from(REFUSALS)).map(sorted).map(tuple),
)  # fmt: skip


@given(recipes)
def test_reading_the_canonical_text_gives_the_recipe_back(recipe: Recipe) -> None:
    assert Recipe.from_json(recipe.canonical()) == recipe
    assert Recipe.from_json(recipe.canonical()).digest == recipe.digest


@given(recipes, st.integers(0, 4), st.randoms(use_true_random=False))
def test_the_digest_knows_nothing_of_spaces_and_the_order_of_keys(
    recipe: Recipe, indent: int, random: Any
) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            names = list(value)
            random.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        return [shuffled(part) for part in value] if isinstance(value, list) else value

    text = json.dumps(shuffled(json.loads(recipe.canonical())), indent=indent)
    assert Recipe.from_json(text).digest == recipe.digest


def test_a_default_spelled_out_is_the_same_recipe_and_a_preset_leaves_no_name() -> None:
    short = resolve("restore", cards=CARDS)
    long = {"steps": [{"model": "restore", "operation": "restore", "strength": "1.0", "version": "1",
                       "parameters": {"tone": False, "detail": True}}], "precision": "archival", "tile": 0}  # fmt: skip
    assert resolve(long, cards=CARDS).digest == short.digest
    assert resolve("restore-damage-only", cards=CARDS).digest != short.digest
    assert b"damage-only" not in resolve("restore-damage-only", cards=CARDS).canonical()


def test_the_canonical_text_is_exactly_this() -> None:
    assert resolve({"steps": [{"model": "restore", "strength": 0.50}]}, cards=CARDS).canonical() == (
        b'{"accept":[],"mask":null,"precision":"archival","reference":null,"schema":3,"steps":[{"blend":null,'
        b'"model":"restore","operation":"restore","parameters":{"boldness":"0","detail":true,"only_damage":false,'
        b'"tone":true},"perceptual":"0","strength":"0.5","version":"1","weights":"'
        + b"a" * 64
        + b'"}],"tile":0}'
    )


def test_a_recipe_of_schema_1_is_read_as_it_was_and_keeps_its_digest() -> None:
    old = (
        b'{"mask":null,"precision":"archival","reference":null,"schema":1,"steps":[{"model":"restore",'
        b'"operation":"restore","parameters":{"detail":true,"tone":true},"strength":"0.5","version":"1",'
        b'"weights":"' + b"a" * 64 + b'"}],"tile":0}'
    )
    recipe = Recipe.from_json(old)
    assert recipe.canonical() == old
    assert recipe.digest == hashlib.sha256(old).hexdigest()
    with pytest.raises(RecipeError, match=r"recipe.accept"):
        Recipe.from_json(old.replace(b'{"mask"', b'{"accept":[],"mask"'))
    with pytest.raises(RecipeError, match="schema: expected 1 to 3, got 4"):
        Recipe.from_json(old.replace(b'"schema":1', b'"schema":4'))


def test_a_recipe_of_schema_2_knows_no_boldness_and_keeps_its_digest() -> None:
    new = resolve("restore", cards=CARDS).canonical()
    old = new.replace(b'"schema":3', b'"schema":2').replace(b'"boldness":"0",', b"")
    recipe = Recipe.from_json(old)
    assert recipe.canonical() == old
    assert "boldness" not in recipe.steps[0].parameters
    with pytest.raises(RecipeError, match=r"parameters.*boldness"):
        Recipe.from_json(new.replace(b'"schema":3', b'"schema":2'))


@pytest.mark.parametrize("boldness", ["2", "-0.1", True, "much"])
def test_a_boldness_that_is_no_share_is_refused(boldness: object) -> None:
    with pytest.raises(RecipeError, match=r"steps\[0\]\.parameters\.boldness"):
        resolve({"steps": [{"model": "restore", "parameters": {"boldness": boldness}}]}, cards=CARDS)


def test_a_perceptual_share_names_the_weights_it_moves_towards() -> None:
    faithful = replace(RESTORE, counterpart="fresh")
    fresh = replace(RESTORE, name="fresh", weights="f" * 64)
    cards = {"restore": faithful, "fresh": fresh}
    step = resolve({"steps": [{"model": "restore", "perceptual": 0.25}]}, cards=cards).steps[0]
    assert (step.perceptual, step.blend) == ("0.25", "f" * 64)
    assert resolve("restore", cards=cards).steps[0].blend is None
    with pytest.raises(RecipeError, match="restore 1 has no perceptual counterpart"):
        resolve({"steps": [{"model": "restore", "perceptual": 0.25}]}, cards=CARDS)
    other = {**cards, "fresh": replace(fresh, architecture="another")}
    with pytest.raises(RecipeError, match="a counterpart of restore 1's own form"):
        resolve({"steps": [{"model": "restore", "perceptual": 0.25}]}, cards=other)


def test_what_is_accepted_is_named_once_and_in_order() -> None:
    asked = {"steps": [{"model": "restore"}], "accept": ["size", "damage", "size"]}
    assert resolve(asked, cards=CARDS).accept == ("damage", "size")
    for wrong in ("size", ["everything"], [1]):
        with pytest.raises(RecipeError, match="accept: expected"):
            resolve({"steps": [{"model": "restore"}], "accept": wrong}, cards=CARDS)


def test_a_chain_takes_the_last_role_and_lists_all_its_operations() -> None:
    chain = resolve({"steps": [{"model": "colourise"}, {"model": "restore"}]}, cards=CARDS)
    assert chain.role == "colourised"
    assert chain.operations == ("colourise", "restore")
    assert len(resolve("restore+restore-damage-only", cards=CARDS).steps) == 2


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ({"strength": 1.4}, "steps[1].strength: expected 0…1, got 1.4"),
        ({"strength": float("nan")}, "steps[1].strength: expected 0…1, got nan"),
        ({"strength": True}, "steps[1].strength: expected 0…1, got True"),
        ({"model": "oracle"}, "steps[1].model: expected one of colourise, restore, got 'oracle'"),
        ({"parameters": {"tone": "yes"}}, "steps[1].parameters.tone: expected true or false, got 'yes'"),
        ({"sharpness": 1}, "steps[1].sharpness: expected one of"),
        ({"weights": "c" * 64}, "steps[1].weights: expected"),
    ],
)
def test_an_error_says_where_what_and_instead_of_what(step: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecipeError) as refused:
        resolve({"steps": [{"model": "restore"}, {"model": "restore", **step}]}, cards=CARDS)
    assert str(refused.value).startswith(sentence)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_other_text_is_refused_as_no_recipe(text: str | bytes) -> None:
    with pytest.raises(RecipeError):
        Recipe.from_json(text)


def test_a_resolved_recipe_must_say_everything_itself() -> None:
    data = json.loads(resolve("restore", cards=CARDS).canonical())
    del data["steps"][0]["parameters"]["tone"]
    with pytest.raises(RecipeError, match=r"steps\[0\].parameters.tone: expected a value"):
        Recipe.from_json(json.dumps(data))


def test_a_command_line_takes_a_name_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('precision = "fast"\n[[steps]]\nmodel = "restore"\nstrength = 0.25\n')
    recipe = resolve(load_spec(str(tmp_path / "mine.toml")), cards=CARDS)
    assert (recipe.precision, recipe.steps[0].strength) == ("fast", "0.25")
    assert load_spec("restore+restore") == "restore+restore"
    with pytest.raises(RecipeError, match="expected one of restore"):
        load_spec("restoer")
    with pytest.raises(RecipeError, match="a readable TOML or JSON file"):
        load_spec(str(tmp_path / "absent.json"))
