"""Orders: what is in them, what is left out and why, and what is there already; the machines behind them."""

import io

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from archive.accounts.models import User
from archive.catalogue.models import Collection, ModelRelease
from archive.catalogue.services import change_collection, create_collection, register_release
from archive.jobs import claims, endings, services, states
from archive.jobs.models import Job, JobItem, Worker
from archive.jobs.recipes import resolved
from archive.jobs.scope import Scope, ScopeError
from archive.review.models import Review
from archive.review.services import DECISIONS, DecisionRefused, next_state
from tests.archive import factories


@given(
    st.sampled_from(Job.State.values),
    st.lists(st.sampled_from(["pause", "resume", "cancel", "retry", "undo"])),
)
def test_an_undone_job_stays_undone_and_no_event_leads_to_nowhere(state: str, events: list[str]) -> None:
    for event in events:
        try:
            state = states.next_job(state, event)
        except states.NotNow:
            continue
        assert state in Job.State.values
        assert state != Job.State.UNDONE or event == "undo"


@given(st.lists(st.sampled_from(DECISIONS)))
def test_withdrawn_is_final_and_only_the_approved_is_published(decisions: list[str]) -> None:
    state = str(Review.State.DRAFT)
    for decision in decisions:
        before = state
        try:
            state = next_state(state, decision)
        except DecisionRefused:
            assert state == before
        assert before != Review.State.WITHDRAWN or state == before
        assert state != Review.State.PUBLISHED or before in {Review.State.APPROVED, Review.State.PUBLISHED}


@pytest.fixture
def release(db: None) -> ModelRelease:
    return register_release(factories.CARD, factories.stored(b"weights of nothing in particular"))


@pytest.mark.django_db
def test_an_order_takes_a_collection_with_everything_below_it_and_says_what_it_leaves_out(
    portraits: Collection, odo: User, release: ModelRelease
) -> None:
    below = create_collection("below", title="Below", by=None, parent=portraits)
    closed = create_collection("closed", title="Closed", by=None, parent=portraits, ai_policy="none")
    for place in (portraits, below, closed):
        factories.master(place)
    job = services.order(Scope(collection="portraits"), "restore", by=odo)
    assert sorted(job.items.values_list("state", flat=True)) == ["excluded", "queued", "queued"]
    left = job.items.get(state="excluded")
    assert (left.code, left.sentence) == ("policy", "The collection “Closed” allows no AI derivatives.")


@pytest.mark.django_db
def test_what_is_made_already_is_reused_unless_rejected_or_asked_for_again(
    portraits: Collection, odo: User, release: ModelRelease
) -> None:
    recipe = resolved("restore")
    kept, thrown = factories.master(portraits), factories.master(portraits)
    made = factories.derivative(kept, of=recipe)
    factories.derivative(thrown, of=recipe, state="rejected")
    scope = Scope(collection="portraits")
    job = services.order(scope, "restore", by=odo)
    assert job.items.get(source=kept).result == made
    assert job.items.get(source=thrown).state == JobItem.State.QUEUED
    again = services.order(scope, "restore", by=odo, again=True)
    assert (again.run, set(again.items.values_list("state", flat=True))) == (2, {"queued"})


@pytest.mark.django_db
def test_a_policy_for_restoration_only_is_kept(
    portraits: Collection, odo: User, release: ModelRelease
) -> None:
    change_collection(portraits, by=odo, ai_policy="restore-only")
    factories.master(portraits)
    assert services.order(Scope(collection="portraits"), "restore", by=odo).items.get().state == "queued"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "scope", [{}, {"collection": "portraits", "items": ["x"]}, {"items": ["x"]}, {"search": "…"}]
)
def test_a_scope_is_exactly_one_thing(scope: dict[str, object]) -> None:
    with pytest.raises(ScopeError):
        Scope.parse(scope)


@pytest.mark.django_db
def test_a_lease_that_was_lost_writes_nothing(
    portraits: Collection, odo: User, release: ModelRelease
) -> None:
    factories.master(portraits)
    job = services.order(Scope(collection="portraits"), "restore", by=odo)
    from django.db.models.functions import Now

    worker = Worker.objects.create(name="one", kind="gpu", last_seen=Now())
    (held,) = claims.claim(worker, limit=5)
    assert claims.renew({held: (1, 2)})
    assert claims.claim(worker, limit=5) == []
    services.cancel(job, by=odo)
    assert not claims.renew({held: (2, 2)})
    JobItem.objects.filter(pk=held.item.pk).update(state="queued", lease_token=None, lease_until=None)
    assert endings.fail(held, code="x", sentence="y", transient=False) is None


@pytest.mark.django_db
def test_a_transient_failure_comes_back_later_and_not_for_ever(
    portraits: Collection, odo: User, release: ModelRelease
) -> None:
    from django.db.models.functions import Now

    factories.master(portraits)
    job = services.order(Scope(collection="portraits"), "restore", by=odo)
    worker = Worker.objects.create(name="one", kind="gpu", last_seen=Now())
    for _try in range(4):
        job.items.update(not_before=None)
        (held,) = claims.claim(worker, limit=1)
        claims.begin(held, worker=worker)
        state = endings.fail(held, code="store-unavailable", sentence="Away.", transient=True)
    assert state == JobItem.State.FAILED
    assert job.items.get().attempts.count() == 4


@pytest.mark.django_db
def test_the_command_orders_versions_and_refuses_with_a_sentence(
    portraits: Collection, odo: User, release: ModelRelease
) -> None:
    master, out = factories.master(portraits), io.StringIO()
    call_command("order", "restore", "--version", str(master.pk), stdout=out)
    assert "1 queued" in out.getvalue()
    with pytest.raises(CommandError, match="expected one of restore"):
        call_command("order", "unheard-of", "--collection", "portraits")
    with pytest.raises(CommandError, match="There is no collection"):
        call_command("order", "restore", "--collection", "nowhere")
