"""A derivative made again: the same file on this machine, the same pixels elsewhere; what was altered is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection, Event, Version
from archive.catalogue.models import Recipe as RecipeRow
from archive.preservation.rederivation import Verdict, in_words
from archive.store import get_store
from stylizer import machine
from stylizer.engine import Engine, Source
from stylizer.recipe import Recipe, resolve
from tests.archive import factories
from tests.stylizer.small import save_weights
from workers.rederivation import rederive


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    weights = save_weights(tmp_path_factory.mktemp("weights") / "model.safetensors")
    return Engine(device="cpu", weights=lambda _digest: weights)


@pytest.fixture
def recipe(engine: Engine) -> Recipe:
    return resolve("restore", cards={"restore": engine._find_weights("").card})


@pytest.fixture
def derivative(db: None, engine: Engine, recipe: Recipe, tmp_path: Path, settings: Any) -> Version:
    """Made by the engine and recorded as a worker records it."""
    settings.STORE, settings.SCRATCH = str(tmp_path / "store"), tmp_path / "scratch"
    source = factories.master(factories.collection("portraits"))
    return made(source, engine, recipe, tmp_path)


def made(source: Version, engine: Engine, recipe: Recipe, folder: Path) -> Version:
    with get_store().local_path(source.file_id) as path:
        result = engine.apply(Source(path, sha256=source.file_id), recipe, out=folder / "made")
    kept = get_store().put_path(result.output)
    report = result.report
    new = catalogue.NewDerivative(
        file=catalogue.register_file(kept.sha256, size=kept.size, media_type="image/tiff"), width=report.width,
        height=report.height, bands=report.bands, bits=report.bits, report=report.to_dict(), technical={}, sidecars={},
    )  # fmt: skip
    row = catalogue.register_recipe(recipe)
    return catalogue.add_derivative(source, new, recipe=row, by=None, agents=report.software)


@contextmanager
def unguarded(model: type[Model]) -> Iterator[None]:
    """Past the triggers that refuse it, as somebody who owns the database could go."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def verdict(version: Version, engine: Engine, token: str) -> Verdict:
    rederive(version.pk, token, engine=engine)
    event = Event.objects.get(type=Event.Type.REDERIVATION, detail__token=token)
    return Verdict(event.outcome == Event.Outcome.SUCCESS, event.detail)


def test_made_again_it_is_the_same_file(derivative: Version, engine: Engine) -> None:
    found = verdict(derivative, engine, "a")
    assert found.same
    assert found.detail["compared"] == "files"
    assert found.detail["found"] == derivative.file_id
    assert "The same file" in in_words(found)


def test_on_another_kind_of_machine_the_pixels_count(
    derivative: Version, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "fingerprint", lambda *_: "another")
    found = verdict(derivative, engine, "b")
    assert found.same
    assert found.detail["compared"] == "pixels"
    assert "The same pixels" in in_words(found)


def test_a_recipe_that_was_tampered_with_is_named_and_makes_nothing(
    derivative: Version, engine: Engine
) -> None:
    assert derivative.recipe is not None
    weaker = derivative.recipe.canonical.replace('"strength":"1"', '"strength":"0.9"')
    assert weaker != derivative.recipe.canonical
    with unguarded(RecipeRow):
        RecipeRow.objects.filter(pk=derivative.recipe_id).update(canonical=weaker)
    found = verdict(derivative, engine, "c")
    assert not found.same
    assert "tampered with" in in_words(found)


def test_a_derivative_recorded_with_another_file_is_found_out(
    derivative: Version, engine: Engine, recipe: Recipe, tmp_path: Path
) -> None:
    half = replace(recipe, steps=tuple(replace(step, strength="0.5") for step in recipe.steps))
    assert derivative.derived_from is not None
    other = made(derivative.derived_from, engine, half, tmp_path)
    report = {**derivative.report, "output_sha256": other.file_id}
    with unguarded(Version):
        Version.objects.filter(pk=derivative.pk).update(report=report)
    found = verdict(derivative, engine, "d")
    assert not found.same
    assert "Not the same file" in in_words(found)


def test_an_original_is_not_made_again(portraits: Collection, engine: Engine, db: None) -> None:
    source = factories.master(portraits)
    found = verdict(source, engine, "e")
    assert not found.same
    assert "An original is not made" in in_words(found)
