"""How far a job is: counts from the rows, never kept apart from them, so that a bar cannot go back or lie."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max, Min
from django.utils import timezone

from archive.jobs.models import Job, JobItem

S = JobItem.State
ENDED = (S.DONE, S.FAILED, S.CANCELLED, S.REUSED, S.EXCLUDED)


@dataclass(frozen=True)
class Progress:
    """Counts by state, and what can be expected of the rest."""

    total: int
    counts: dict[str, int]
    rate: float | None  # items a second since the job started, from those it made
    remaining: timedelta | None

    @property
    def ended(self) -> int:
        return sum(self.counts.get(state, 0) for state in ENDED)

    @property
    def open(self) -> int:
        return self.total - self.ended

    @property
    def percent(self) -> int:
        return 100 if not self.total else self.ended * 100 // self.total


def of(job: Job) -> Progress:
    """One query for the counts, one for the pace."""
    counts = dict(job.items.order_by().values_list("state").annotate(n=Count("pk")))
    total = sum(counts.values())
    made = job.items.filter(state=S.DONE, attempts__outcome="done")
    pace = made.aggregate(n=Count("pk"), first=Min("attempts__started"), last=Max("attempts__ended"))
    rate = remaining = None
    if pace["n"] and pace["last"] and (spent := (pace["last"] - pace["first"]).total_seconds()) > 0:
        rate = pace["n"] / spent
        left = counts.get(S.QUEUED, 0) + counts.get(S.RUNNING, 0)
        remaining = timedelta(seconds=round(left / rate)) if left else None
    return Progress(total=total, counts=counts, rate=rate, remaining=remaining)


def elapsed(job: Job) -> timedelta | None:
    """How long the job has been at it, or took."""
    return ((job.ended or timezone.now()) - job.started) if job.started else None
