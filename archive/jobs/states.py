"""Jobs and their items as small machines: what may follow what. Pure; the rows follow by conditional updates."""

from typing import Final

from django.utils.translation import gettext as _

from archive.jobs.models import Job, JobItem

J, I = Job.State, JobItem.State  # noqa: E741

JOB: Final[dict[tuple[str, str], str]] = {
    (J.FREEZING, "frozen"): J.RUNNING,
    (J.FREEZING, "cancel"): J.CANCELLED,
    (J.WAITING, "start"): J.RUNNING,
    (J.WAITING, "cancel"): J.CANCELLED,
    (J.RUNNING, "pause"): J.PAUSED,
    (J.PAUSED, "resume"): J.RUNNING,
    (J.RUNNING, "cancel"): J.CANCELLED,
    (J.PAUSED, "cancel"): J.CANCELLED,
    (J.RUNNING, "all-ended"): J.FINISHED,
    (J.FINISHED, "retry"): J.RUNNING,
    (J.RUNNING, "retry"): J.RUNNING,
    (J.PAUSED, "retry"): J.PAUSED,
    (J.CANCELLED, "retry"): J.RUNNING,
    (J.FINISHED, "undo"): J.UNDONE,
    (J.CANCELLED, "undo"): J.UNDONE,
}

ITEM: Final[dict[tuple[str, str], str]] = {
    (I.QUEUED, "claim"): I.RUNNING,
    (I.QUEUED, "cancel"): I.CANCELLED,
    (I.RUNNING, "made"): I.DONE,
    (I.RUNNING, "made-before"): I.REUSED,
    (I.RUNNING, "fail"): I.FAILED,
    (I.RUNNING, "release"): I.QUEUED,
    (I.RUNNING, "cancel"): I.CANCELLED,
    (I.FAILED, "retry"): I.QUEUED,
    (I.CANCELLED, "retry"): I.QUEUED,
}

ENDED_JOBS: Final = frozenset({J.FINISHED, J.CANCELLED, J.UNDONE})
OPEN_ITEMS: Final = frozenset({I.QUEUED, I.RUNNING})


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
