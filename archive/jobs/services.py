"""Steering jobs: start, pause, resume, cancel, retry, undo. Each a compare-and-set on the state, with who and why."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.jobs import announcing, dispatch, estimating
from archive.jobs.judging import Terms
from archive.jobs.models import Job, JobItem
from archive.jobs.orders import NotAllowed, allow_again, forbidden_by_policy, order
from archive.jobs.progress import counts_of
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.states import ENDED_JOBS, OPEN_ITEMS, NotNow, next_job, too_many_failures
from archive.jobs.undoing import Undone, WillTouch, undo, will_touch

__all__ = [
    "NotAllowed",
    "NotNow",
    "Scope",
    "ScopeError",
    "Terms",
    "Undone",
    "WillTouch",
    "cancel",
    "close_if_ended",
    "forbidden_by_policy",
    "order",
    "pause",
    "resume",
    "retry",
    "start",
    "stop_if_failing",
    "undo",
    "will_touch",
]

S = JobItem.State
RETRIED = (S.FAILED, S.CANCELLED)


@transaction.atomic
def start(job: Job, *, by: User) -> Job:
    """After the sample: go on with all of it. Raises NotNow, NotAllowed."""
    moved = _move(job, "start", by=by)
    allow_again(_still_open(moved), by=by)
    dispatch.work()
    return moved


@transaction.atomic
def pause(job: Job, *, by: User, note: str = "", until: datetime | None = None) -> Job:
    """No further item is begun; the one a worker is at is finished. With `until` it goes on then by itself.

    Raises NotNow.
    """
    return _move(job, "pause", by=by, note=note, until=until)


@transaction.atomic
def resume(job: Job, *, by: User | None, note: str = "") -> Job:
    """Go on. Failures until now are forgiven: the job stops by itself only for new ones.

    By nobody (a pause is over) it goes on if whoever ordered it may still order that. Raises NotNow, NotAllowed.
    """
    moved = _move(job, "resume", by=by, note=note)
    allow_again(_still_open(moved), by=by or moved.ordered_by)
    Job.objects.filter(pk=job.pk).update(forgiven=counts_of(job.pk).get(S.FAILED, 0))
    dispatch.work()
    return moved


@transaction.atomic
def cancel(job: Job, *, by: User, note: str = "") -> Job:
    """Queued items are cancelled at once; running ones stop at their next tile. What is made stays. Raises NotNow."""
    moved = _move(job, "cancel", by=by, note=note)
    moved.items.filter(state=S.QUEUED).update(state=S.CANCELLED, changed=Now(), ended=Now())
    return moved


@transaction.atomic
def retry(job: Job, *, by: User, items: Sequence[int] | None = None) -> int:
    """Queue failed and cancelled items again, all or those named; returns how many. Raises NotNow, NotAllowed."""
    moved = _move(job, "retry", by=by)
    chosen = moved.items.filter(state__in=RETRIED)
    if items is not None:
        chosen = chosen.filter(pk__in=items)
    allow_again(chosen, by=by)
    count = chosen.update(
        state=S.QUEUED, tries=0, code="", sentence="", not_before=None, ended=None, changed=Now()
    )
    if not count:
        raise NotNow(_("None of its items failed or was cancelled: there is nothing to try again."))
    Job.objects.filter(pk=moved.pk).update(ended=None, forgiven=counts_of(moved.pk).get(S.FAILED, 0))
    dispatch.work()
    return count


def close_if_ended(job_id: UUID) -> bool:
    """Bring a job on whose items, or whose sample, are all at their end; safe at any time, from anywhere."""
    job = Job.objects.filter(pk=job_id, state__in=[Job.State.RUNNING, Job.State.SAMPLING]).first()
    if job is None or _open(job):
        return False
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.state not in {Job.State.RUNNING, Job.State.SAMPLING} or _open(job):
            return False
        _conclude(job)
    return True


def _still_open(job: Job) -> QuerySet[JobItem]:
    return job.items.filter(state__in=list(OPEN_ITEMS))


def _open(job: Job) -> bool:
    items = _still_open(job)
    return (items.filter(sample=True) if job.state == Job.State.SAMPLING else items).exists()


def _conclude(job: Job) -> None:
    """Of a job held: its sample, or all of it, is at its end."""
    counts = counts_of(job.pk)
    if job.state == Job.State.RUNNING or not counts.get(S.QUEUED, 0) + counts.get(S.RUNNING, 0):
        _move(job, "all-ended", by=None)
        announcing.tell_later(job.pk)
        return
    job.estimate = estimating.measured(job)
    job.save(update_fields=["estimate"])
    failed = counts.get(S.FAILED, 0)
    note = _("The sample is made: look at it, then start the job.")
    if job.auto_start and not failed:
        try:
            allow_again(_still_open(job), by=job.ordered_by)
        except NotAllowed as problem:
            note = str(problem)
        else:
            _move(job, "start", by=None, note=_("The sample went well; it went on by itself."))
            dispatch.work()
            return
    _move(job, "sampled", by=None, note=note)
    announcing.tell_later(job.pk)


def stop_if_failing(job_id: UUID) -> bool:
    """Pause a running job that has more failures than its order allows."""
    job = Job.objects.filter(pk=job_id, state=Job.State.RUNNING).first()
    if job is None or (job.stop_after is None and job.stop_share is None):
        return False
    counts = counts_of(job_id)
    failed = counts.get(S.FAILED, 0)
    if not too_many_failures(
        failed=failed,
        ended=failed + counts.get(S.DONE, 0),
        forgiven=job.forgiven,
        stop_after=job.stop_after,
        stop_share=job.stop_share,
    ):
        return False
    note = _("Stopped by itself: %(failed)d failed of %(ended)d, as the order says.") % {
        "failed": failed,
        "ended": failed + counts.get(S.DONE, 0),
    }
    try:
        with transaction.atomic():
            _move(job, "pause", by=None, note=note)
            announcing.tell_later(job_id)
    except NotNow:  # somebody was quicker
        return False
    return True


def _move(job: Job, event: str, *, by: User | None, note: str = "", until: datetime | None = None) -> Job:
    held = Job.objects.select_for_update().get(pk=job.pk)
    before, held.state = held.state, next_job(held.state, event)
    held.state_by, held.state_note = by, note[:300]
    held.paused_until, held.told = until, None
    over = held.state in ENDED_JOBS
    held.save(update_fields=["state", "state_by", "state_note", "paused_until", "told"])
    if held.state != before:
        Job.objects.filter(pk=job.pk).update(since=Now(), **({"ended": Now()} if over else {"ended": None}))
        held.refresh_from_db(fields=["since", "ended"])
    return held
