"""A style from a picture of the archive: ordered by its version, given by digest, kept as a second source."""

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client

from archive.accounts.models import Role, User
from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection, Event, EventObject, Version
from archive.jobs import services, sweep
from archive.jobs.models import Job
from archive.jobs.recipes import offered
from archive.store import get_store
from stylizer.cards import Card
from stylizer.engine import Engine, Source
from stylizer.errors import RecipeError
from tests.archive import factories
from tests.stylizer.test_stylise import stylist
from tests.workers.conftest import Start, wait_until
from workers import health
from workers.engines import reference_of
from workers.rederivation import rederive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def card(home: dict[str, str], tmp_path: Path) -> Card:
    """A registered release that takes a style picture."""
    weights = stylist(tmp_path / "reference.safetensors", "style/reference", seed=3, encoder=3)
    kept = get_store().put_path(weights.path)
    file = catalogue.register_file(kept.sha256, size=kept.size, media_type="application/octet-stream")
    catalogue.register_release(weights.card, file)
    return weights.card


@pytest.fixture
def engine(card: Card) -> Engine:
    from workers.engines import weights

    return Engine(device="cpu", weights=weights)


SPEC = {"steps": [{"model": "style/reference"}]}


def ordered(source: Version, style: Version | None, by: User) -> Job:
    return services.order(services.Scope(versions=(source.pk,)), SPEC, by=by, reference=style)


def test_a_style_is_ordered_by_a_version_and_the_derivative_remembers_it(
    portraits: Collection, odo: User, card: Card, worker: Start
) -> None:
    source, style = factories.master(portraits, seed=1), factories.master(portraits, seed=2)
    job = ordered(source, style, odo)
    assert json.loads(job.recipe.canonical)["reference"] == style.file_id
    worker()

    def finished() -> bool:
        sweep.sweep()
        job.refresh_from_db()
        return bool(job.state == Job.State.FINISHED)

    wait_until(finished)
    made = Version.objects.get(derived_from=source)
    assert made.role == "stylised"
    assert made.reference_id == style.pk
    assert made.report["reference_sha256"] == style.file_id
    known = EventObject.objects.get(event__objects_linked__version=made, role="reference")
    assert known.version == style


def made_by(engine: Engine, source: Version, style: Version, folder: Path) -> Version:
    """As a worker makes and records it."""
    from archive.jobs.recipes import resolve_asked

    recipe = resolve_asked(SPEC, reference=style)
    with get_store().local_path(source.file_id) as path, reference_of(recipe) as reference:
        result = engine.apply(
            Source(path, sha256=source.file_id), recipe, out=folder / "made", reference=reference
        )
    kept, report = get_store().put_path(result.output), result.report
    new = catalogue.NewDerivative(
        file=catalogue.register_file(kept.sha256, size=kept.size, media_type="image/tiff"), width=report.width,
        height=report.height, bands=report.bands, bits=report.bits, report=report.to_dict(), technical={}, sidecars={},
    )  # fmt: skip
    row = catalogue.register_recipe(recipe)
    return catalogue.add_derivative(source, new, recipe=row, by=None, agents=report.software, reference=style)


def test_made_again_from_the_same_style_picture_it_is_the_same_file(
    portraits: Collection, engine: Engine, tmp_path: Path, settings: Any
) -> None:
    settings.SCRATCH = tmp_path / "scratch"
    source, style = factories.master(portraits, seed=1), factories.master(portraits, seed=2)
    version, token = made_by(engine, source, style, tmp_path), uuid4().hex
    rederive(version.pk, token, engine=engine)
    event = Event.objects.get(type=Event.Type.REDERIVATION, detail__token=token)
    assert event.outcome == Event.Outcome.SUCCESS
    assert event.detail["compared"] == "files"
    with get_store().local_path(style.file_id) as path:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == version.report["reference_sha256"]


def test_made_again_from_a_style_picture_that_was_a_file_and_is_gone(
    portraits: Collection, odo: User, engine: Engine, tmp_path: Path, settings: Any
) -> None:
    settings.SCRATCH = tmp_path / "scratch"
    source, file = factories.master(portraits, seed=1), factories.tiff(tmp_path / "wave.tif", seed=8)
    asked = ["--version", str(source.pk), "--reference", str(file), "--user", odo.username]
    call_command("order", "style/reference", *asked)
    file.unlink()
    style = Job.objects.get().reference
    assert style is not None
    version, token = made_by(engine, source, style, tmp_path), uuid4().hex
    rederive(version.pk, token, engine=engine)
    assert Event.objects.get(detail__token=token).outcome == Event.Outcome.SUCCESS


def test_a_worker_tests_itself_with_a_recipe_that_takes_a_style_picture(
    portraits: Collection, engine: Engine, tmp_path: Path, settings: Any
) -> None:
    from archive.jobs.recipes import resolve_asked

    settings.SCRATCH = tmp_path / "scratch"
    health.test(resolve_asked(SPEC, reference=factories.master(portraits)), engine)
    assert not list((tmp_path / "scratch").iterdir())


def test_an_order_names_a_style_picture_exactly_where_the_recipe_takes_one(
    portraits: Collection, odo: User, card: Card, release: Card
) -> None:
    source, style = factories.master(portraits, seed=1), factories.master(portraits, seed=2)
    with pytest.raises(RecipeError, match="expected a style picture"):
        ordered(source, None, odo)
    with pytest.raises(RecipeError, match="expected nothing"):
        services.order(services.Scope(versions=(source.pk,)), "restore", by=odo, reference=style)
    assert "style/reference" not in offered()
    assert not Job.objects.exists()


def test_ada_may_not_take_a_style_from_a_picture_she_may_not_see(
    portraits: Collection, odo: User, card: Card
) -> None:
    ada = factories.user("ada", Role.ARCHIVIST, collection=portraits)
    source = factories.master(portraits, seed=1)
    hidden = factories.master(factories.collection("closed", access="private"), seed=2)
    with pytest.raises(services.NotAllowed, match="style picture"):
        ordered(source, hidden, ada)
    client = Client()
    client.force_login(ada)
    asked = {"scope": {"versions": [str(source.pk)]}, "recipe": SPEC, "reference": str(hidden.pk)}
    assert client.post("/api/v1/jobs/", asked, content_type="application/json").status_code == 404
    seen = asked | {"reference": str(factories.master(portraits, seed=3).pk)}
    answer = client.post("/api/v1/jobs/", seen, content_type="application/json")
    assert answer.status_code == 201, answer.content
    nonsense = client.post("/api/v1/jobs/", asked | {"reference": "x"}, content_type="application/json")
    assert nonsense.status_code == 400
