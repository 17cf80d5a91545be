"""Styled collections as a grid: styles by readable names, the pictures that have them, and only what one may see."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.accounts.models import User
from archive.accounts.permissions import Person
from archive.catalogue.looks import look_of
from archive.catalogue.models import Collection, Version
from archive.catalogue.search.finding import Finder
from archive.catalogue.search.wanted import Wanted
from archive.jobs.models import SavedRecipe
from archive.review.services import decide
from tests.archive import factories

pytestmark = pytest.mark.django_db
PLATE = "style/halftone-plate"


def styles(person: Person, query: str = "") -> dict[str, int]:
    return dict(Finder(person, Wanted.parse(QueryDict(query))).find().counts["styles"])


@pytest.fixture
def plate(portraits: Collection) -> Version:
    return factories.derivative(
        factories.master(portraits, title="Quay"), of=factories.style(), state="published"
    )


@pytest.fixture
def half(portraits: Collection, ada: User) -> SavedRecipe:
    """The same style at half strength, saved, with a derivative made with it before."""
    recipe = factories.style(strength="0.5")
    factories.derivative(factories.master(portraits, title="Mole"), of=recipe, state="published")
    import json

    look = look_of(json.loads(recipe.canonical))
    return SavedRecipe.objects.create(name="Faint plate", recipe=recipe, look=look, saved_by=ada)


def test_styles_are_counted_by_model_and_by_saved_name(
    plate: Version, half: SavedRecipe, portraits: Collection
) -> None:
    factories.derivative(factories.master(portraits), state="published")  # a restoration has no style
    nobody = AnonymousUser()
    assert styles(nobody) == {PLATE: 2, "Faint plate": 1, "none": 1}
    assert Finder(nobody, Wanted.parse(QueryDict("style=Faint plate"))).find().total == 1
    assert Finder(nobody, Wanted.parse(QueryDict(f"style={PLATE}"))).find().total == 2


def test_a_picture_says_under_which_name_its_style_was_saved(client: Client, half: SavedRecipe) -> None:
    assert "<span>Halftone plate, Faint plate</span>" in client.get("/", {"style": PLATE}).content.decode()
    assert "<span>Faint plate</span>" in client.get("/", {"style": "Faint plate"}).content.decode()


def test_a_name_shows_as_soon_as_it_is_saved_and_no_longer_when_it_is_taken_off(
    half: SavedRecipe, odo: User
) -> None:
    from archive.jobs import saved

    saved.remove(half, by=odo)
    assert styles(AnonymousUser()) == {PLATE: 1}


def test_a_mask_or_another_precision_is_no_other_style() -> None:
    steps = [{"operation": "stylise", "model": PLATE, "strength": "1"}]
    one = {"steps": steps, "mask": None, "reference": None, "precision": "archival"}
    assert look_of(one) == look_of(one | {"mask": "a" * 64, "precision": "fast"})
    assert look_of(one) != look_of(one | {"steps": [steps[0] | {"strength": "0.5"}]})
    assert look_of(one) != look_of(one | {"reference": "b" * 64})
    assert look_of({"steps": [{"operation": "restore"}]}) == ""


def test_the_grid_shows_the_pictures_in_the_style_labelled_with_the_original_beside(
    client: Client, plate: Version
) -> None:
    plain = client.get("/", {"view": "grid", "sort": "new"}).content.decode()
    assert 'class="card styled"' not in plain
    page = client.get("/", {"style": PLATE}).content.decode()
    assert 'class="card styled"' in page
    assert f"/compare/{plate.pk}/" in page
    assert "AI stylisation" in page
    assert "<span>Halftone plate</span>" in page
    assert "AI stylisation, version 2 of Quay: compare with the original" in page
    assert "Original of Quay" in page
    assert f"/iiif/thumbnails/{plate.pk}" in page or str(plate.pk) in page
    assert "Style: Halftone plate" in page  # the choice, to be taken back
    lines = client.get("/", {"style": PLATE, "view": "list"}).content.decode()
    assert f"/compare/{plate.pk}/" in lines
    assert "AI stylisation" in lines


def test_a_draft_in_the_style_is_staffs_business(client: Client, portraits: Collection, ada: User) -> None:
    draft = factories.derivative(factories.master(portraits), of=factories.style())
    assert styles(AnonymousUser()) == {"none": 1}
    assert str(draft.pk) not in client.get("/", {"style": PLATE}).content.decode()
    client.force_login(ada)
    page = client.get("/", {"style": PLATE}).content.decode()
    assert f"/compare/{draft.pk}/" in page
    assert ">draft<" in page


def test_what_was_rejected_is_not_shown_and_the_newest_of_several_is(
    client: Client, plate: Version, portraits: Collection, odo: User
) -> None:
    assert plate.derived_from is not None
    newer = factories.derivative(plate.derived_from, of=factories.style(strength="0.7"), state="published")
    page = client.get("/", {"style": PLATE}).content.decode()
    assert f"/compare/{newer.pk}/" in page
    assert f"/compare/{plate.pk}/" not in page
    decide(newer, "unpublish", by=odo)
    page = client.get("/", {"style": PLATE}).content.decode()
    assert f"/compare/{plate.pk}/" in page


def test_a_style_from_a_picture_is_named_after_it_for_those_who_may_see_it(
    client: Client, portraits: Collection, odo: User
) -> None:
    poster = factories.master(factories.collection("closed", access="private"), title="The poster")
    recipe = factories.style("style/reference", reference=poster)
    made = factories.derivative(factories.master(portraits), of=recipe, state="published", reference=poster)
    value = f"after:{poster.pk}"
    assert styles(AnonymousUser()) == {value: 1}
    page = client.get("/", {"style": value}).content.decode()
    assert "after a picture" in page
    assert "The poster" not in page
    client.force_login(odo)
    page = client.get("/", {"style": value}).content.decode()
    assert "after “The poster”" in page
    assert f"/compare/{made.pk}/" in page


def test_the_api_tells_and_takes_styles(client: Client, plate: Version) -> None:
    answer = client.get("/api/v1/search/", {"style": PLATE}).json()
    assert answer["total"] == 1
    assert answer["facets"]["styles"] == [{"value": PLATE, "count": 1}]


def test_a_styled_page_takes_few_queries_however_many_items(
    client: Client, plate: Version, half: SavedRecipe, portraits: Collection, ada: User
) -> None:
    client.force_login(ada)
    for _n in range(6):
        factories.derivative(factories.master(portraits), of=factories.style(), state="published")
    client.get("/", {"style": PLATE})
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/", {"style": PLATE}).status_code == 200
    assert len(queries) <= 12
