"""The machine against a model: whatever people, workers and the sweeper do, and in whatever order, the rows say what is
true. The model is a dictionary; the machine is the database.
"""

from datetime import time, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection, Version
from archive.jobs import claims, endings, services, sweep, undoing
from archive.jobs.models import Job, JobItem, Worker
from archive.jobs.progress import counts_of
from archive.jobs.states import ENDED_JOBS, GOING_ON, NotNow, too_many_failures, within_hours
from archive.review.models import Review
from tests.archive import factories

pytestmark = pytest.mark.django_db
S = JobItem.State


class Jobs(RuleBasedStateMachine):
    """One job of three items; what should be so after each step."""

    place: Collection
    sources: list[Version]

    def __init__(self) -> None:
        super().__init__()
        self.before = transaction.savepoint()  # every run of the machine begins with the same rows
        self.odo = factories.user("odo", "admin")
        self.worker = Worker.objects.create(name="w", kind="gpu", last_seen=timezone.now())
        factories.recipe()
        scope = services.Scope(versions=tuple(version.pk for version in self.sources))
        self.job = services.order(scope, "restore", by=self.odo, again=True, terms=services.Terms())
        self.held: list[claims.Claim] = []
        self.settled: set[int] = set()

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.before)

    def state(self) -> str:
        self.job.refresh_from_db()
        return self.job.state

    @rule(action=st.sampled_from(["start", "pause", "resume", "cancel", "retry", "undo"]))
    def somebody_steers(self, action: str) -> None:
        before = self.state()
        try:
            getattr(services, action)(self.job, by=self.odo)
        except NotNow:
            assert self.state() == before
        if action == "cancel" and self.state() == Job.State.CANCELLED:
            assert not self.job.items.filter(state=S.QUEUED).exists()

    @rule(limit=st.integers(1, 3))
    def a_worker_claims(self, limit: int) -> None:
        open_now = self.job.items.filter(state=S.QUEUED, not_before=None).count()
        serves = self.state() == Job.State.RUNNING
        found = claims.claim(self.worker, limit=limit)
        assert len(found) == (min(limit, open_now) if serves else 0)
        self.held += found

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def it_begins_one(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.held))
        row = JobItem.objects.get(pk=one.item.pk)
        ours = row.state == S.RUNNING and row.lease_token == one.token
        assert claims.begin(one, worker=self.worker) == (ours and self.state() == Job.State.RUNNING)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["made", "failed", "transient", "stopped", "released"]))
    def it_ends_one(self, data: st.DataObject, how: str) -> None:
        one = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        before = JobItem.objects.get(pk=one.item.pk)
        ours = before.state == S.RUNNING and before.lease_token == one.token
        going = self.state() in GOING_ON
        if how == "made":
            ended = endings.finish([endings.Made(one, made_of(one.item.source), {})])
            assert (one.token in ended) == ours
        elif how in {"failed", "transient"}:
            said = endings.fail(one, code="x", sentence="y", transient=how == "transient")
            assert (said is not None) == ours
        elif how == "stopped":
            assert endings.give_back(one) == ours
        else:
            claims.release([one])
        after = JobItem.objects.get(pk=one.item.pk)
        if not ours:
            assert (after.state, after.lease_token) == (before.state, before.lease_token)
        elif not going:
            assert after.state == S.CANCELLED
        else:
            assert after.state in {S.DONE, S.REUSED, S.FAILED, S.QUEUED}
        services.close_if_ended(self.job.pk)

    @rule()
    def a_worker_dies_and_the_sweeper_comes(self) -> None:
        JobItem.objects.filter(state=S.RUNNING).update(lease_until=timezone.now() - timedelta(hours=1))
        sweep.sweep()
        assert not self.job.items.filter(state=S.RUNNING).exists()

    @rule()
    def time_passes(self) -> None:
        self.job.items.update(not_before=None)

    @invariant()
    def counts_are_exact(self) -> None:
        counted: dict[str, int] = {}
        for state in self.job.items.values_list("state", flat=True):
            counted[state] = counted.get(state, 0) + 1
        assert counts_of(self.job.pk) == counted
        assert sum(counted.values()) == len(self.sources)

    @invariant()
    def what_is_settled_stays_so(self) -> None:
        settled = set(self.job.items.filter(state__in=[S.DONE, S.REUSED]).values_list("pk", flat=True))
        assert self.settled <= settled
        self.settled = settled

    @invariant()
    def one_version_for_each_item_that_is_done(self) -> None:
        done = list(self.job.items.filter(state=S.DONE).values_list("result", flat=True))
        assert len(done) == len(set(done))
        assert None not in done
        made = Version.objects.filter(derived_from__in=self.sources, run=self.job.run)
        assert made.count() >= len(done)

    @invariant()
    def an_ended_job_has_nothing_open_but_what_a_worker_still_holds(self) -> None:
        if self.state() in ENDED_JOBS:
            assert not self.job.items.filter(state=S.QUEUED).exists()
        if self.job.state == Job.State.UNDONE:
            made = Review.objects.filter(
                version__made_by_items__job=self.job, version__made_by_items__state=S.DONE
            )
            assert set(made.values_list("state", flat=True)) <= {
                Review.State.WITHDRAWN,
                Review.State.PUBLISHED,
            }


def made_of(source: Version) -> catalogue.NewDerivative:
    return catalogue.NewDerivative(
        file=factories.stored(factories.tiff_bytes()),
        width=source.width, height=source.height, bands=source.bands, bits=source.bits, report={},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whatever_is_done_in_whatever_order_the_rows_tell_the_truth(portraits: Collection) -> None:
    catalogue.register_release(
        factories.CARD,
        catalogue.register_file(factories.CARD.weights, size=1, media_type="application/octet-stream"),
    )
    Jobs.sources = [factories.master(portraits) for _n in range(3)]
    connection.cursor().execute("SET LOCAL lock_timeout = '5s'")
    run_state_machine_as_test(
        Jobs,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@given(
    failed=st.integers(0, 1000),
    done=st.integers(0, 1000),
    forgiven=st.integers(0, 1000),
    after=st.none() | st.integers(1, 100),
    share=st.none() | st.floats(0.01, 1),
)
def test_a_job_stops_for_new_failures_alone(
    failed: int, done: int, forgiven: int, after: int | None, share: float | None
) -> None:
    stops = too_many_failures(
        failed=failed, ended=failed + done, forgiven=forgiven, stop_after=after, stop_share=share
    )
    if failed <= forgiven or (after is None and share is None):
        assert not stops
    if after is not None and failed - forgiven >= after:
        assert stops


@given(st.times(), st.times(), st.times())
def test_hours_and_their_complement_share_no_moment(now: time, start: time, end: time) -> None:
    if start != end:
        assert within_hours(now, start, end) != within_hours(now, end, start)
    else:
        assert within_hours(now, start, end)


def test_an_undo_of_many_is_carried_on_by_whoever_comes(portraits: Collection) -> None:
    assert undoing.withdraw_some(factories.user("x").pk)  # no such job: nothing to do, and no error
