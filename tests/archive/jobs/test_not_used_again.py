"""What was rejected or withdrawn is not used again: neither as a source nor as a style picture."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive.accounts.models import User
from archive.catalogue.models import Collection, Version
from archive.catalogue.services import register_file, register_release
from archive.jobs import claims, judging, saved, services
from archive.jobs.models import JobItem, Worker
from archive.jobs.recipes import resolve_asked
from archive.proofs import services as proofs
from archive.review.services import decide
from stylizer.cards import Card
from stylizer.errors import RecipeError
from tests.archive import factories

pytestmark = pytest.mark.django_db
S = JobItem.State
AFTER = {"steps": [{"model": "style/reference"}]}


@pytest.fixture(autouse=True)
def _models(db: None) -> None:
    file = register_file("a" * 64, size=1, media_type="application/octet-stream")
    register_release(factories.CARD, file)
    file = register_file("e" * 64, size=1, media_type="application/octet-stream")
    register_release(Card("style/reference", "1", "stylise", "small", "e" * 64, reference=True), file)


@pytest.fixture
def worker(db: None) -> Worker:
    return Worker.objects.create(name="w", kind="gpu", last_seen=timezone.now())


def restored(portraits: Collection, state: str = "draft") -> Version:
    return factories.derivative(factories.master(portraits), state=state, of=factories.style())


@pytest.mark.parametrize("state", ["rejected", "withdrawn"])
def test_an_order_leaves_out_what_was_thrown_away_and_says_so(
    portraits: Collection, odo: User, state: str
) -> None:
    kept, gone = restored(portraits), restored(portraits, state)
    scope = services.Scope(versions=(kept.pk, gone.pk))
    terms = services.Terms()
    recipe = resolve_asked("restore")
    found = judging.judge(scope.sources(odo), recipe=recipe.digest, operations=recipe.operations, terms=terms)
    assert (found.queued, found.excluded) == (1, {"source-withdrawn": 1})
    job = services.order(scope, "restore", by=odo)
    assert job.items.get(source=kept).state == S.QUEUED
    left = job.items.get(source=gone)
    assert (left.state, left.code) == (S.EXCLUDED, "source-withdrawn")
    assert left.sentence == "This version was rejected or withdrawn, and is not used again."
    client = Client()
    client.force_login(odo)
    page = client.get(reverse("jobs:job", args=[job.pk])).content.decode()
    assert "they were rejected or withdrawn, and are not used again" in page


def test_what_is_withdrawn_after_the_order_is_left_out_before_the_engine(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    source = restored(portraits)
    job = services.order(services.Scope(versions=(source.pk,)), "restore", by=odo)
    [held] = claims.claim(worker, limit=1)
    decide(source, "withdraw", by=odo)
    assert not claims.begin(held, worker=worker)
    assert job.items.get().code == "source-withdrawn"


def test_a_withdrawn_picture_lends_its_style_to_nothing_more(
    portraits: Collection, odo: User, worker: Worker
) -> None:
    source, style = factories.master(portraits), restored(portraits)
    saved.save("After the mill", AFTER, by=odo, reference=style)
    scope = services.Scope(versions=(source.pk,))
    job = services.order(scope, AFTER, by=odo, reference=style)
    [held] = claims.claim(worker, limit=1)
    decide(style, "withdraw", by=odo)
    assert not claims.begin(held, worker=worker)
    assert job.items.get().code == "style-withdrawn"
    style = Version.objects.get(pk=style.pk)
    with pytest.raises(
        RecipeError, match="neither rejected nor withdrawn, got 'version 2, which is withdrawn'"
    ):
        services.order(scope, AFTER, by=odo, reference=style)
    with pytest.raises(RecipeError, match="neither rejected nor withdrawn"):
        services.order(scope, "After the mill", by=odo)
    [proof] = [one for one in proofs.candidates(source, by=odo) if one.preset == "After the mill"]
    assert proof.recipe is None
    assert "neither rejected nor withdrawn" in proof.refusal


def test_a_scan_and_a_draft_lend_their_style(portraits: Collection, odo: User) -> None:
    source = factories.master(portraits)
    for style in (factories.master(portraits), restored(portraits)):
        job = services.order(services.Scope(versions=(source.pk,)), AFTER, by=odo, reference=style)
        assert job.items.get().state == S.QUEUED
