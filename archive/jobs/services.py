"""Steering jobs: pause, resume, cancel, retry, undo. Each a compare-and-set on the state, with who and why."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.jobs import dispatch
from archive.jobs.models import Job, JobItem
from archive.jobs.orders import NotAllowed, forbidden_by_policy, order
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.states import ENDED_JOBS, OPEN_ITEMS, NotNow, next_job
from archive.review import services as review
from archive.review.models import Review

__all__ = [
    "NotAllowed",
    "NotNow",
    "Scope",
    "ScopeError",
    "cancel",
    "close_if_ended",
    "forbidden_by_policy",
    "order",
    "pause",
    "resume",
    "retry",
    "undo",
]


@transaction.atomic
def pause(job: Job, *, by: User, note: str = "") -> Job:
    """No further item is begun; the one a worker is at is finished. Raises NotNow."""
    return _move(job, "pause", by=by, note=note)


@transaction.atomic
def resume(job: Job, *, by: User) -> Job:
    """Go on. Raises NotNow."""
    moved = _move(job, "resume", by=by, note="")
    dispatch.work()
    return moved


@transaction.atomic
def cancel(job: Job, *, by: User, note: str = "") -> Job:
    """Queued items are cancelled at once; running ones stop at their next tile. What is made stays. Raises NotNow."""
    moved = _move(job, "cancel", by=by, note=note)
    moved.items.filter(state=JobItem.State.QUEUED).update(state=JobItem.State.CANCELLED, changed=Now())
    return moved


@transaction.atomic
def retry(job: Job, *, by: User, items: Sequence[int] | None = None) -> int:
    """Queue failed and cancelled items again, all or those named; returns how many. Raises NotNow."""
    moved = _move(job, "retry", by=by, note="")
    chosen = moved.items.filter(state__in=[JobItem.State.FAILED, JobItem.State.CANCELLED])
    if items is not None:
        chosen = chosen.filter(pk__in=items)
    count = chosen.update(
        state=JobItem.State.QUEUED, tries=0, code="", sentence="", not_before=None, changed=Now()
    )
    if not count:
        raise NotNow(_("None of its items failed or was cancelled: there is nothing to try again."))
    Job.objects.filter(pk=moved.pk).update(ended=None)
    dispatch.work()
    return count


@transaction.atomic
def undo(job: Job, *, by: User) -> tuple[int, int]:
    """Withdraw the unpublished derivatives this job made. Returns how many were withdrawn and how many are published
    and so were left alone. The history stays. Raises NotNow."""
    moved = _move(job, "undo", by=by, note="")
    reviews = Review.objects.filter(
        version__made_by_items__job=moved, version__made_by_items__state=JobItem.State.DONE
    )
    published = reviews.filter(state=Review.State.PUBLISHED).count()
    withdrawn = 0
    for one in reviews.exclude(state__in=[Review.State.PUBLISHED, Review.State.WITHDRAWN]).select_related(
        "version"
    ):
        review.decide(one.version, "withdraw", by=by, note=_("job undone"))
        withdrawn += 1
    return withdrawn, published


def close_if_ended(job_id: UUID) -> bool:
    """Finish a running job none of whose items is open; safe to call at any time, from anywhere."""
    open_items = JobItem.objects.filter(job=job_id, state__in=list(OPEN_ITEMS))
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id, state=Job.State.RUNNING).first()
        if job is None or open_items.exists():
            return False
        job.state, job.ended = next_job(job.state, "all-ended"), timezone.now()
        job.save(update_fields=["state", "ended"])
    return True


def _move(job: Job, event: str, *, by: User, note: str) -> Job:
    held = Job.objects.select_for_update().get(pk=job.pk)
    held.state = next_job(held.state, event)
    held.state_by, held.state_note = by, note[:300]
    if held.state in ENDED_JOBS and held.ended is None:
        held.ended = timezone.now()
    held.save(update_fields=["state", "state_by", "state_note", "ended"])
    return held
