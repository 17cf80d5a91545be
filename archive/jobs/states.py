"""Jobs and their items as small machines: what may follow what. Pure; the rows follow by conditional updates."""

from datetime import time
from typing import Final

from django.utils.translation import gettext as _

from archive.jobs.models import Job, JobItem

J, I = Job.State, JobItem.State  # noqa: E741

JOB: Final[dict[tuple[str, str], str]] = {
    (J.FREEZING, "frozen"): J.RUNNING,
    (J.FREEZING, "sample"): J.SAMPLING,
    (J.FREEZING, "all-ended"): J.FINISHED,
    (J.SAMPLING, "sampled"): J.WAITING,
    (J.SAMPLING, "start"): J.RUNNING,
    (J.SAMPLING, "all-ended"): J.FINISHED,
    (J.WAITING, "start"): J.RUNNING,
    (J.RUNNING, "pause"): J.PAUSED,
    (J.PAUSED, "resume"): J.RUNNING,
    (J.RUNNING, "all-ended"): J.FINISHED,
    **{(state, "cancel"): J.CANCELLED for state in (J.FREEZING, J.SAMPLING, J.WAITING, J.RUNNING, J.PAUSED)},
    (J.FINISHED, "retry"): J.RUNNING,
    (J.RUNNING, "retry"): J.RUNNING,
    (J.PAUSED, "retry"): J.PAUSED,
    (J.WAITING, "retry"): J.WAITING,
    (J.CANCELLED, "retry"): J.RUNNING,
    (J.FINISHED, "undo"): J.UNDOING,
    (J.CANCELLED, "undo"): J.UNDOING,
    (J.UNDOING, "withdrawn"): J.UNDONE,
}

ITEM: Final[dict[tuple[str, str], str]] = {
    (I.QUEUED, "claim"): I.RUNNING,
    (I.QUEUED, "cancel"): I.CANCELLED,
    (I.RUNNING, "made"): I.DONE,
    (I.RUNNING, "made-before"): I.REUSED,
    (I.RUNNING, "fail"): I.FAILED,
    (I.RUNNING, "release"): I.QUEUED,
    (I.RUNNING, "leave-out"): I.EXCLUDED,
    (I.RUNNING, "cancel"): I.CANCELLED,
    (I.FAILED, "retry"): I.QUEUED,
    (I.CANCELLED, "retry"): I.QUEUED,
}

ENDED_JOBS: Final = frozenset({J.FINISHED, J.CANCELLED, J.UNDONE})
# A worker may finish what it is at; in the others it stops at the next tile and records nothing.
GOING_ON: Final = frozenset({J.SAMPLING, J.RUNNING, J.PAUSED})
SERVED: Final = frozenset({J.SAMPLING, J.RUNNING})  # a worker may begin items of these
OPEN_ITEMS: Final = frozenset({I.QUEUED, I.RUNNING})
SETTLED: Final = frozenset({I.DONE, I.REUSED, I.EXCLUDED})  # for good: nothing takes these back to the queue

TOO_FEW: Final = 20  # ended items, below which a share says nothing


class NotNow(Exception):
    """The job is in a state in which that cannot be done."""

    code = "job-not-now"


def next_job(state: str, event: str) -> str:
    """The job's state after the event.

    Raises:
        NotNow: the event may not happen in this state.
    """
    try:
        return str(JOB[(state, event)])
    except KeyError as error:
        raise NotNow(
            _("A job that is “%(state)s” cannot do “%(event)s”.") % {"state": J(state).label, "event": event}
        ) from error


def next_item(state: str, event: str) -> str:
    """The item's state after the event.

    Raises:
        NotNow: the event may not happen in this state.
    """
    try:
        return str(ITEM[(state, event)])
    except KeyError as error:
        raise NotNow(
            _("An item that is “%(state)s” cannot do “%(event)s”.")
            % {"state": I(state).label, "event": event}
        ) from error


def too_many_failures(
    *, failed: int, ended: int, forgiven: int, stop_after: int | None, stop_share: float | None
) -> bool:
    """Do the failures since it was last resumed (`failed` less `forgiven`) stop the job?"""
    new = failed - forgiven
    if new <= 0:
        return False
    if stop_after is not None and new >= stop_after:
        return True
    return stop_share is not None and ended >= TOO_FEW and new / ended >= stop_share


def within_hours(now: time, start: time | None, end: time | None) -> bool:
    """Is `now` in the allowed hours? They may span midnight; equal ends mean the whole day."""
    if start is None or end is None or start == end:
        return True
    return start <= now < end if start < end else now >= start or now < end
