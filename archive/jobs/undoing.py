"""Undoing a job: its unpublished derivatives are withdrawn, the history stays, and what is left is said beforehand."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.jobs import dispatch
from archive.jobs.models import Job, JobItem
from archive.jobs.states import next_job
from archive.review import services as review
from archive.review.models import Review

S = JobItem.State
AT_ONCE = 200  # derivatives withdrawn while the person waits; more by the io worker
# So that what is undone while the person waits takes all its locks before it changes anything.
BATCH = AT_ONCE
KEPT = (Review.State.PUBLISHED, Review.State.WITHDRAWN)


@dataclass(frozen=True)
class WillTouch:
    """What an undo withdraws, and what it leaves alone: published ones, withdrawn ones, and those it did not make.

    `elsewhere` counts items of other jobs whose result is one that would be withdrawn.
    """

    withdrawn: int
    published: int
    gone: int
    reused: int
    elsewhere: int


@dataclass(frozen=True)
class Undone:
    """What an undo has come to, counted as it was done. `goes_on`: the io worker withdraws the rest."""

    withdrawn: int
    published: int
    goes_on: bool


def will_touch(job: Job) -> WillTouch:
    """What an undo would do now."""
    states = dict(_made(job).order_by().values_list("state").annotate(n=Count("pk")))
    doomed = _doomed(job).values("pk")
    return WillTouch(
        withdrawn=sum(n for state, n in states.items() if state not in KEPT),
        published=states.get(Review.State.PUBLISHED, 0),
        gone=states.get(Review.State.WITHDRAWN, 0),
        reused=job.items.filter(state=S.REUSED).count(),
        elsewhere=JobItem.objects.filter(state=S.REUSED, result__in=doomed).exclude(job=job).count(),
    )


@transaction.atomic
def undo(job: Job, *, by: User) -> Undone:
    """Withdraw the unpublished derivatives this job made, the first of them at once and many of them behind the scenes.

    Raises:
        NotNow: it has not ended, or is undone already.
    """
    held = Job.objects.select_for_update().get(pk=job.pk)
    held.state, held.state_by = next_job(held.state, "undo"), by
    held.state_note = ""
    held.save(update_fields=["state", "state_by", "state_note"])
    withdrawn, goes_on = 0, _doomed(job).count() > AT_ONCE
    if goes_on:
        dispatch.withdraw(job.pk)
    else:
        while batch := _withdraw_batch(held):
            withdrawn += batch
        _all_withdrawn(held)
    published = _made(job).filter(state=Review.State.PUBLISHED).count()
    return Undone(withdrawn, published, goes_on)


@transaction.atomic
def withdraw_some(job_id: UUID) -> bool:
    """Withdraw a batch; True once the job is undone (or was never being undone). Safe to call at any time."""
    job = Job.objects.select_for_update(of=("self",)).select_related("state_by").filter(pk=job_id).first()
    if job is None or job.state != Job.State.UNDOING or job.state_by is None:
        return True
    if _withdraw_batch(job) == BATCH:
        return False
    _all_withdrawn(job)
    return True


def _withdraw_batch(job: Job) -> int:
    """Withdraw some for whoever undoes the job; how many it were."""
    assert job.state_by is not None  # noqa: S101  (somebody undoes it)
    # Held before they are judged: PostgreSQL looks at a row's state anew once it has waited for it, so that what a
    # curator publishes in this moment is no longer among them. Withdrawing is final, and would take it from readers.
    some = list(_doomed(job).select_for_update(of=("self",)).select_related("version")[:BATCH])
    for one in some:
        review.decide(one.version, "withdraw", by=job.state_by, note=_("job undone"))
    return len(some)


def _all_withdrawn(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=next_job(job.state, "withdrawn"), since=Now())


def _made(job: Job) -> QuerySet[Review]:
    return Review.objects.filter(version__made_by_items__job=job, version__made_by_items__state=S.DONE)


def _doomed(job: Job) -> QuerySet[Review]:
    return _made(job).exclude(state__in=KEPT).order_by("pk")
