"""How far a job is: exact counts from the tally, and from the items made last what can be expected of the rest."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, stdev
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from archive.jobs.models import Job, JobItem, Tally
from archive.jobs.states import SETTLED

S = JobItem.State
ENDED = (S.DONE, S.FAILED, S.CANCELLED, S.REUSED, S.EXCLUDED)
LATEST = 240  # items made last, from which the pace is taken
PARTS = 8  # of those, whose differences are the spread


@dataclass(frozen=True)
class Pace:
    """Items a second, and the lower and upper bound within which nine of ten such stretches lie."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Progress:
    """Counts by state, and what can be expected of the rest."""

    total: int
    counts: dict[str, int]
    pace: Pace | None = None

    @property
    def ended(self) -> int:
        return sum(self.counts.get(state, 0) for state in ENDED)

    @property
    def open(self) -> int:
        return self.total - self.ended

    @property
    def settled(self) -> int:
        """What no retry takes back: the part of the bar that never gets shorter."""
        return sum(self.counts.get(state, 0) for state in SETTLED)

    @property
    def percent(self) -> int:
        return 100 if not self.total else self.ended * 100 // self.total

    @property
    def rate(self) -> float | None:
        return self.pace.rate if self.pace else None

    @property
    def remaining(self) -> timedelta | None:
        return self._in(self.pace.rate) if self.pace else None

    @property
    def soonest(self) -> timedelta | None:
        return self._in(self.pace.high) if self.pace else None

    @property
    def latest(self) -> timedelta | None:
        return self._in(self.pace.low) if self.pace else None

    def _in(self, rate: float) -> timedelta | None:
        return timedelta(seconds=round(self.open / rate)) if self.open and rate > 0 else None


def of(job: Job, *, counts: dict[str, int] | None = None) -> Progress:
    """One query for the counts, one for the pace; neither grows with the job."""
    counts = counts_of(job.pk) if counts is None else counts
    open_ = counts.get(S.QUEUED, 0) + counts.get(S.RUNNING, 0)
    return Progress(sum(counts.values()), counts, pace_of(job) if open_ else None)


def counts_of(job_id: UUID) -> dict[str, int]:
    """`{state: items}`, exact at the moment of asking."""
    return counts_of_many([job_id]).get(job_id, {})


def counts_of_many(jobs: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """As `counts_of`, for a page of jobs in one query."""
    found: dict[UUID, dict[str, int]] = {}
    rows = Tally.objects.filter(job__in=list(jobs)).order_by().values_list("job", "state")
    for job, state, n in rows.annotate(n=Sum("delta")):
        if n:
            found.setdefault(job, {})[state] = n
    return found


def pace_of(job: Job) -> Pace | None:
    """From the items made last since the job last began to run: a pause is not a slow worker."""
    rows = job.items.filter(state=S.DONE, ended__isnull=False)
    if job.since and job.state == Job.State.RUNNING:
        rows = rows.filter(ended__gte=job.since)
    ends = rows.order_by("-ended").values_list("ended", flat=True)[:LATEST]
    return pace([at for at in ends if at])


def pace(ends: list[datetime]) -> Pace | None:
    """The pace of items that ended at these times, latest first. Pure; None for fewer than three of them."""
    if len(ends) < 3 or (spent := (ends[0] - ends[-1]).total_seconds()) <= 0:
        return None
    rate = (len(ends) - 1) / spent
    size = max((len(ends) - 1) // PARTS, 1)
    stretches = [
        (ends[i] - ends[i + size]).total_seconds() / size for i in range(0, len(ends) - size, size)
    ]  # seconds an item
    if len(stretches) < 2:
        return Pace(rate, rate * 0.5, rate * 2)
    mean = fmean(stretches)
    error = 1.645 * stdev(stretches) / math.sqrt(len(stretches))
    return Pace(rate, 1 / (mean + error), 1 / max(mean - error, mean * 0.2))


def elapsed(job: Job) -> timedelta | None:
    """How long the job has been at it, or took."""
    return ((job.ended or timezone.now()) - job.started) if job.started else None
