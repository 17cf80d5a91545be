"""The order form: what a person sets becomes exactly that recipe, marked parts become exactly that mask."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from archive.accounts.models import User
from archive.catalogue.models import Collection, ModelRelease, StoredFile, Version
from archive.catalogue.services import register_file, register_release
from archive.jobs.masks import Area, Where, draw, parse
from archive.jobs.models import Job
from archive.jobs.recipes import offered
from archive.jobs.tuning import Tuning
from archive.store import get_store
from stylizer.cards import Card
from stylizer.errors import RecipeError
from stylizer.recipe import Recipe, resolve
from tests.archive import factories

CARD = Card(name="restore", version="9", operation="restore", architecture="small", weights="d" * 64)


@pytest.fixture
def release(db: None) -> ModelRelease:
    return register_release(CARD, register_file("d" * 64, size=9, media_type="application/octet-stream"))


def form(**fields: Any) -> QueryDict:
    made = QueryDict(mutable=True)
    made.update({name.replace("_size", "-size").replace("_dama", "-dama") if name.startswith("accept") else name: value
                 for name, value in fields.items()})  # fmt: skip
    return made


def recipe_of(tuning: Tuning) -> Recipe:
    return resolve(tuning.spec(), cards={"restore": CARD})


def test_an_untouched_form_is_the_preset_and_nothing_else() -> None:
    plain = Tuning.parse(form(recipe="restore", tuned="yes", strength="100", boldness="0", detail="yes"))
    assert plain.spec() == "restore"
    assert Tuning.parse(form(recipe="restore", strength="3")).spec() == "restore"
    damage = Tuning.parse(form(recipe="restore-damage-only", tuned="yes", detail="yes", only_damage="yes"))
    assert damage.spec() == "restore-damage-only"


FRESH = replace(CARD, name="restore-fresh", weights="e" * 64)
BOTH = {"restore": replace(CARD, counterpart="restore-fresh"), "restore-fresh": FRESH}


def test_the_fresh_preset_stands_at_one_end_of_the_dial_and_restore_at_the_other() -> None:
    plain, fresh = (resolve(name, cards=BOTH) for name in ("restore", "restore-perceptual"))
    assert (fresh.steps[0].perceptual, fresh.steps[0].blend) == ("1", "e" * 64)
    fields = {"tuned": "yes", "strength": "100", "boldness": "0", "detail": "yes"}
    for preset, dial, wanted in [
        ("restore-perceptual", "100", fresh), ("restore", "100", fresh), ("restore-perceptual", "0", plain),
    ]:  # fmt: skip
        made = resolve(Tuning.parse(form(recipe=preset, perceptual=dial, **fields)).spec(), cards=BOTH)
        assert made.digest == wanted.digest, (preset, dial)
    assert (
        Tuning.parse(form(recipe="restore-perceptual", perceptual="100", **fields)).spec()
        == "restore-perceptual"
    )


def test_dials_that_stand_as_another_preset_has_them_say_nothing_about_the_one_chosen() -> None:
    """Without the page's script they do not follow the choice."""
    stale = {
        "tuned": "yes",
        "strength": "60",
        "boldness": "0",
        "perceptual": "0",
        "detail": "yes",
        "dials_of": "restore",
    }
    fresh = resolve(Tuning.parse(form(recipe="restore-perceptual", **stale)).spec(), cards=BOTH)
    toned = resolve(Tuning.parse(form(recipe="restore-tone", **stale)).spec(), cards=BOTH)
    assert (fresh.steps[0].perceptual, fresh.steps[0].strength) == ("1", "0.6")
    assert toned.steps[0].parameters["tone"] is True
    same = resolve(Tuning.parse(form(recipe="restore", **stale)).spec(), cards=BOTH)
    assert same.steps[0].parameters["tone"] is False


@pytest.mark.django_db
def test_the_fresh_preset_is_offered_where_both_networks_are_and_fit_each_other() -> None:
    files = {
        digit: register_file(digit * 64, size=9, media_type="application/octet-stream") for digit in "def"
    }
    register_release(BOTH["restore"], files["d"])
    assert "restore" in offered()
    assert "restore-perceptual" not in offered()
    register_release(replace(FRESH, arguments={"width": 3}), files["e"])
    assert "restore-perceptual" not in offered()
    register_release(replace(FRESH, version="10", weights="f" * 64), files["f"])
    assert "restore-perceptual" in offered()


@given(st.integers(0, 100), st.integers(0, 100), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_what_is_set_is_what_is_in_the_recipe(
    strength: int, boldness: int, tone: bool, detail: bool, only_damage: bool, fast: bool
) -> None:
    fields = {"tone": tone, "detail": detail, "only_damage": only_damage}
    given = {name: "yes" for name, value in fields.items() if value}
    asked = form(
        recipe="restore", tuned="yes", strength=str(strength), boldness=str(boldness),
        precision="fast" if fast else "archival", accept_size="yes", **given,
    )  # fmt: skip
    made = recipe_of(Tuning.parse(asked))
    step = made.steps[0]
    assert float(step.strength) == strength / 100
    assert {name: step.parameters[name] for name in fields} == fields
    assert float(step.parameters["boldness"]) == boldness / 100
    assert (made.precision, made.accept) == ("fast" if fast else "archival", ("size",))


@pytest.mark.parametrize(
    "fields", [{"strength": "101"}, {"strength": "-1"}, {"strength": "½"}, {"perceptual": "x"}, {"recipe": "magic"},
               {"recipe": ""}, {"precision": "quick"}, {"perceptual": "50"},
               {"boldness": "1e1"}]
)  # fmt: skip
@pytest.mark.django_db  # what is no preset may be the name of a saved recipe
def test_a_form_that_makes_no_sense_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(RecipeError):
        recipe_of(Tuning.parse(form(**({"recipe": "restore", "tuned": "yes"} | fields))))


def test_marked_parts_become_the_mask_to_the_pixel(tmp_path: Path) -> None:
    areas = [Area(2, 3, 4, 5), Area(18, 1, 9, 2)]
    inside = np.asarray(Image.open(draw(tmp_path / "a.png", 20, 10, Where.INSIDE, areas), formats=["PNG"]))
    expected = np.zeros((10, 20), np.uint8)
    expected[3:8, 2:6] = expected[1:3, 18:20] = 255
    assert np.array_equal(inside, expected)
    outside = draw(tmp_path / "b.png", 20, 10, Where.OUTSIDE, areas)
    assert np.array_equal(np.asarray(Image.open(outside, formats=["PNG"])), 255 - expected)
    assert draw(tmp_path / "c.png", 20, 10, Where.OUTSIDE, areas).read_bytes() == outside.read_bytes()
    with pytest.raises(RecipeError, match=r"areas\[0\]"):
        draw(tmp_path / "d.png", 20, 10, Where.INSIDE, [Area(20, 0, 1, 1)])


@pytest.mark.parametrize(
    ("where", "areas"),
    [("inside", []), ("inside", None), ("inside", [{}]), ("outside", [{"x": 0, "y": 0, "width": 1}]), ("up", []),
     ("inside", [{"x": 0.5, "y": 0, "width": 1, "height": 1}]),
     ("inside", [{"x": 0, "y": 0, "width": 1, "height": 1}] * 51)],
)  # fmt: skip
def test_areas_that_are_none_are_refused(where: str, areas: Any) -> None:
    with pytest.raises(RecipeError):
        parse(where, areas)


def test_an_order_with_marked_parts_keeps_their_mask_as_a_file(
    release: ModelRelease, portraits: Collection, ada: User, client: Client
) -> None:
    scan = factories.master(portraits)
    client.force_login(ada)
    area = {"x": 1, "y": 2, "width": 5, "height": 4}
    fields = {
        "version": str(scan.pk),
        "recipe": "restore",
        "tuned": "yes",
        "strength": "60",
        "tone": "yes",
        "detail": "yes",
    }
    posted = client.post(reverse("jobs:new"), fields | {"where": "outside", "areas": json.dumps([area])})
    assert posted.status_code == 302
    job = Job.objects.get()
    recipe = Recipe.from_json(job.recipe.canonical)
    assert recipe.steps[0].strength == "0.6"
    assert recipe.mask is not None
    assert StoredFile.objects.get(pk=recipe.mask).media_type == "image/png"
    with get_store().local_path(recipe.mask) as path:
        mask = np.asarray(Image.open(path, formats=["PNG"]))
    assert mask.shape == (scan.height, scan.width)
    assert (mask == 0).sum() == 20
    assert (mask[2:6, 1:6] == 0).all()


def test_a_mask_file_must_fit_the_scan_and_a_mask_one_scan(
    release: ModelRelease, portraits: Collection, ada: User, client: Client, tmp_path: Path
) -> None:
    scan = factories.master(portraits)
    client.force_login(ada)

    def order(pixels: np.ndarray[Any, Any], **more: str) -> Any:
        Image.fromarray(pixels).save(tmp_path / "m.png")
        file = SimpleUploadedFile("m.png", (tmp_path / "m.png").read_bytes(), "image/png")
        return client.post(reverse("jobs:new"), {"recipe": "restore", "mask": file} | more)

    one = {"version": str(scan.pk)}
    wrong = order(np.zeros((3, 4), np.uint8), **one)
    assert wrong.status_code == 400
    assert "4 × 3 pixels" in wrong.content.decode()
    assert (
        "it must be grey" in order(np.zeros((scan.height, scan.width, 3), np.uint8), **one).content.decode()
    )
    fitting = np.full((scan.height, scan.width), 255, np.uint8)
    factories.master(portraits, seed=2)
    many = order(fitting, collection="portraits")
    assert many.status_code == 400
    assert "fit one scan" in many.content.decode()
    assert not Job.objects.exists()
    assert order(fitting, **one).status_code == 302
    assert Version.objects.filter(role="master").count() == 2
