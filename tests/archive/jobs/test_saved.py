"""Recipes under names: what a name stands for never changes, who may use one could have asked for it without."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue.models import Collection, ModelRelease, Recipe, Version
from archive.catalogue.services import register_file, register_release
from archive.jobs import saved, services, standing
from archive.jobs.models import Job, SavedRecipe
from archive.jobs.orders import NotAllowed
from archive.jobs.recipes import resolve_asked
from archive.jobs.states import NotNow
from archive.proofs import services as proofs
from stylizer.cards import Card
from stylizer.errors import RecipeError
from tests.archive import factories

GENTLE = {"steps": [{"model": "restore", "strength": "0.6"}]}
AFTER = {"steps": [{"model": "style/reference"}]}


def release(name: str, version: str, digit: str, **more: Any) -> ModelRelease:
    file = register_file(digit * 64, size=9, media_type="application/octet-stream")
    operation = "restore" if name == "restore" else "stylise"
    return register_release(Card(name, version, operation, "small", digit * 64, **more), file)


@pytest.fixture(autouse=True)
def _models(db: None) -> None:
    release("restore", "1", "d")
    release("style/reference", "1", "e", reference=True)


@pytest.fixture
def scan(portraits: Collection) -> Version:
    return factories.master(portraits)


@pytest.fixture
def gentle(ada: User) -> SavedRecipe:
    return saved.save("Gentle", GENTLE, by=ada, note="For faded prints")


def test_a_saved_recipe_is_ordered_by_its_name_with_the_weights_it_was_saved_with(
    gentle: SavedRecipe, scan: Version, ada: User
) -> None:
    release("restore", "2", "f")
    assert json.loads(resolve_asked(GENTLE).canonical())["steps"][0]["weights"] == "f" * 64
    job = services.order(services.Scope(versions=(scan.pk,)), "gentle", by=ada)
    assert job.recipe == gentle.recipe
    assert json.loads(job.recipe.canonical)["steps"][0]["weights"] == "d" * 64
    assert job.title.startswith("gentle: ")


def test_a_name_stands_for_one_recipe_whoever_asks(gentle: SavedRecipe, cai: User) -> None:
    with pytest.raises(saved.NameTaken, match="never changes"):
        saved.save("gENTLE", {"steps": [{"model": "restore", "strength": "0.3"}]}, by=cai)
    with pytest.raises(NotAllowed, match="saved already"):
        saved.save("Gentler", "Gentle", by=cai)
    assert SavedRecipe.objects.get() == gentle


@pytest.mark.parametrize(
    "change", ["name = 'Rough'", "recipe_id = %s", "note = 'x'", "saved = now()", "look = 'x'"]
)
def test_the_database_refuses_another_meaning(change: str, gentle: SavedRecipe) -> None:
    values = [factories.recipe().digest] if "%s" in change else []
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE jobs_savedrecipe SET {change}", values)


def test_the_database_keeps_its_history(gentle: SavedRecipe, ada: User) -> None:
    saved.remove(gentle, by=ada)
    for statement in (
        "DELETE FROM jobs_savedrecipe",
        "UPDATE jobs_savedrecipe SET removed = NULL, removed_by_id = NULL",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_one_that_is_taken_off_frees_its_name_and_its_row_says_what_it_was(
    gentle: SavedRecipe, ada: User, cai: User, odo: User, scan: Version
) -> None:
    with pytest.raises(NotAllowed, match="by who saved it"):
        saved.remove(gentle, by=cai)
    saved.remove(gentle, by=odo)
    with pytest.raises(NotNow):
        saved.remove(gentle, by=ada)
    with pytest.raises(RecipeError):
        services.order(services.Scope(versions=(scan.pk,)), "Gentle", by=ada)
    again = saved.save("Gentle", "restore", by=cai)
    assert again.recipe != gentle.recipe
    assert list(saved.listed(ada)) == [again]
    (past,) = saved.past(ada)
    assert (past.name, past.recipe_id, past.removed_by) == ("Gentle", gentle.recipe_id, odo)


@pytest.mark.parametrize(
    "name", ["", " ", "restore", "Restore-Tone", "a+b", "style/x", "mine.toml", "none", "x" * 81, "a\x00b"]
)
def test_a_name_is_taken_for_nothing_else(name: str, ada: User) -> None:
    with pytest.raises(NotAllowed):
        saved.save(name, GENTLE, by=ada)
    assert not SavedRecipe.objects.exists()


def test_who_may_not_order_may_not_save_and_sees_no_names(
    gentle: SavedRecipe, rea: User, client: Client
) -> None:
    with pytest.raises(NotAllowed):
        saved.save("Mine", GENTLE, by=rea)
    assert not saved.listed(rea).exists()
    client.force_login(rea)
    assert client.get("/api/v1/recipes/").json()["saved"] == []
    assert client.get(f"/api/v1/recipes/{gentle.pk}/").status_code == 404
    assert client.get(reverse("jobs:recipes")).status_code == 404
    assert client.post(reverse("jobs:save-recipe"), {"name": "x", "recipe": "restore"}).status_code == 404
    assert client.post("/api/v1/recipes/", {"name": "x", "recipe": "restore"}).status_code == 404


def test_a_style_picture_comes_with_its_name_for_those_who_may_see_it(
    scan: Version, ada: User, max_: User, odo: User
) -> None:
    hidden = factories.master(factories.collection("closed", access="private"))
    with pytest.raises(NotAllowed, match="style picture"):
        saved.save("After the poster", AFTER, by=ada, reference=hidden)
    kept = saved.save("After the poster", AFTER, by=odo, reference=hidden)
    assert (kept.reference, bool(kept.look)) == (hidden, True)
    assert not saved.listed(ada).exists()
    scope = services.Scope(versions=(scan.pk,))
    with pytest.raises(NotAllowed, match="style picture"):
        services.order(scope, "After the poster", by=ada)
    job = services.order(scope, "After the poster", by=odo)
    assert (job.reference, json.loads(job.recipe.canonical)["reference"]) == (hidden, hidden.file_id)
    with pytest.raises(RecipeError, match="saved with"):
        services.order(scope, "After the poster", by=odo, reference=scan)


def test_a_mask_limits_a_saved_recipe_without_becoming_part_of_it(
    gentle: SavedRecipe, scan: Version, ada: User
) -> None:
    from archive.jobs.masks import Area, Mask, Where

    mask = Mask(Where.INSIDE, (Area(0, 0, 8, 8),))
    job = services.order(services.Scope(versions=(scan.pk,)), "Gentle", by=ada, mask=mask)
    assert json.loads(job.recipe.canonical) == json.loads(gentle.recipe.canonical) | {
        "mask": json.loads(job.recipe.canonical)["mask"]
    }
    assert job.recipe != gentle.recipe


def test_the_order_form_saves_what_it_shows_and_offers_it(client: Client, scan: Version, ada: User) -> None:
    client.force_login(ada)
    form = {
        "recipe": "restore",
        "tuned": "yes",
        "strength": "60",
        "detail": "yes",
        "name": "  Gentle   one ",
        "note": "",
    }
    answer = client.post(reverse("jobs:save-recipe"), form).content.decode()
    assert "“Gentle one” is saved" in answer
    assert 'hx-swap-oob="true"' in answer
    kept = SavedRecipe.objects.get()
    step = json.loads(kept.recipe.canonical)["steps"][0]
    assert (kept.name, step["strength"], step["parameters"]["tone"]) == ("Gentle one", "0.6", False)
    assert "Choose another" in client.post(reverse("jobs:save-recipe"), form).content.decode()
    page = client.get(reverse("jobs:new"), {"version": str(scan.pk), "recipe": "Gentle one"}).content.decode()
    assert 'value="Gentle one" checked data-fixed' in page
    assert "Restore at 60 %" in page
    # Dials beside a saved recipe say nothing: it is what it is.
    ordered = client.post(reverse("jobs:new"), form | {"recipe": "Gentle one", "version": str(scan.pk)})
    assert ordered.status_code == 302
    assert Job.objects.get().recipe == kept.recipe


def test_the_page_of_recipes_lists_them_and_takes_them_off(
    client: Client, gentle: SavedRecipe, ada: User, cai: User
) -> None:
    remove = reverse("jobs:remove-recipe", args=[gentle.pk])
    client.force_login(cai)
    assert remove not in client.get(reverse("jobs:recipes")).content.decode()
    client.post(remove)
    assert SavedRecipe.objects.get().removed is None
    client.force_login(ada)
    page = client.get(reverse("jobs:recipes")).content.decode()
    assert "For faded prints" in page
    assert remove in page
    assert client.post(remove).status_code == 302
    assert "taken off by" in client.get(reverse("jobs:recipes")).content.decode()


def test_proofs_show_saved_recipes_beside_the_archives_own(
    gentle: SavedRecipe, scan: Version, ada: User
) -> None:
    found = {one.preset: one for one in proofs.candidates(scan, by=ada)}
    assert found["Gentle"].recipe is not None
    assert found["Gentle"].recipe.digest == gentle.recipe_id
    assert found["Gentle"].words == "For faded prints"


def test_a_standing_order_may_name_one(gentle: SavedRecipe, portraits: Collection, odo: User) -> None:
    order = standing.make(portraits, "Gentle", by=odo)
    factories.master(portraits)
    job = standing.look_now(order, by=odo)
    assert job is not None
    assert job.recipe == gentle.recipe


def test_the_api_saves_lists_and_takes_off(client: Client, ada: User, cai: User) -> None:
    client.force_login(ada)
    asked = {"name": "Gentle", "recipe": GENTLE, "note": "For faded prints"}
    answer = client.post("/api/v1/recipes/", asked, content_type="application/json")
    assert answer.status_code == 201, answer.content
    kept = answer.json()
    listed = client.get("/api/v1/recipes/").json()
    assert [(one["name"], one["digest"]) for one in listed["saved"]] == [("Gentle", kept["digest"])]
    assert kept["digest"] in {one["digest"] for one in listed["results"]}
    twice = client.post("/api/v1/recipes/", asked, content_type="application/json")
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/recipe-name-taken")
    assert client.post("/api/v1/recipes/", {"name": 3}, content_type="application/json").status_code == 400
    masked = asked | {"name": "Masked", "recipe": GENTLE | {"mask": "a" * 64}}
    assert client.post("/api/v1/recipes/", masked, content_type="application/json").status_code == 400
    client.force_login(cai)
    assert client.delete(f"/api/v1/recipes/{kept['id']}/").status_code == 403
    client.force_login(ada)
    assert client.delete(f"/api/v1/recipes/{kept['id']}/").json()["removed"]
    assert client.get("/api/v1/recipes/").json()["saved"] == []
    assert client.get(f"/api/v1/recipes/{kept['id']}/").json()["name"] == "Gentle"


def test_the_command_orders_by_a_saved_name(gentle: SavedRecipe, scan: Version, odo: User) -> None:
    call_command("order", "Gentle", "--version", str(scan.pk))
    assert Job.objects.get().recipe == gentle.recipe


def test_saving_keeps_the_recipe_as_a_record_and_looking_does_not(ada: User, scan: Version) -> None:
    proofs.want(scan, proofs.candidates(scan, by=ada))
    assert not Recipe.objects.exists()
    kept = saved.save("Gentle", GENTLE, by=ada)
    assert Recipe.objects.get() == kept.recipe
