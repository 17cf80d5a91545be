"""What a sample says of the rest: time and disk, each with the spread it was measured with."""

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F, Sum
from django.utils import timezone

from archive.catalogue.models import Sidecar
from archive.jobs.models import Job, JobItem, Worker

RESAMPLES = 400
LEAST_SPREAD = 0.05  # nothing is known better than this before it is done
MEGAPIXEL = 1_000_000


@dataclass(frozen=True)
class Measured:
    """One picture of the sample. `seconds` on one worker, `size` in bytes with its sidecars."""

    megapixels: float
    seconds: float
    size: int


@dataclass(frozen=True)
class Estimate:
    """Of what was left when the sample was done; each `(low, likely, high)`, the bounds holding nine times in ten."""

    sampled: int
    left: int
    workers: int
    seconds: tuple[float, float, float]
    bytes: tuple[float, float, float]


def measured(job: Job) -> dict[str, Any] | None:
    """The estimate of a job whose sample is made, as JSON; None if too little of it was."""
    rows = list(
        job.items.filter(sample=True, state=JobItem.State.DONE, seconds__isnull=False).values_list(
            "source__width", "source__height", "seconds", "result_id", "result__file__size"
        )
    )
    beside = dict(
        Sidecar.objects.filter(version__in=[row[3] for row in rows])
        .order_by()
        .values_list("version")
        .annotate(n=Sum("file__size"))
    )
    sample = [
        Measured(w * h / MEGAPIXEL, s or 0.0, size + beside.get(made, 0)) for w, h, s, made, size in rows
    ]
    left = job.items.filter(state=JobItem.State.QUEUED)
    pixels = left.aggregate(n=Sum(F("source__width") * F("source__height") * 1.0))["n"] or 0.0
    found = estimate(sample, count=left.count(), megapixels=pixels / MEGAPIXEL, workers=workers_now())
    return asdict(found) if found else None


def estimate(sample: Sequence[Measured], *, count: int, megapixels: float, workers: int) -> Estimate | None:
    """From a sample to `count` pictures of `megapixels` in all. Pure; the same for the same sample."""
    if len(sample) < 2:
        return None
    return Estimate(
        sampled=len(sample), left=count, workers=workers,
        seconds=_spread(sample, lambda some: _total(some, lambda m: m.seconds, count, megapixels) / max(workers, 1)),
        bytes=_spread(sample, lambda some: _total(some, lambda m: float(m.size), count, megapixels)),
    )  # fmt: skip


def workers_now() -> int:
    """Stylizer workers that are there and not resting."""
    alive = Worker.objects.filter(kind="gpu", stopped=None)
    return alive.exclude(resting_until__gt=timezone.now()).count()


def _total(
    sample: Sequence[Measured], value: Callable[[Measured], float], count: int, megapixels: float
) -> float:
    """Least squares of `fixed + slope × megapixels`, neither below 0, summed over all pictures."""
    n = len(sample)
    mean_x = sum(m.megapixels for m in sample) / n
    mean_y = sum(map(value, sample)) / n
    var = sum((m.megapixels - mean_x) ** 2 for m in sample)
    slope = sum((m.megapixels - mean_x) * (value(m) - mean_y) for m in sample) / var if var > 1e-12 else 0.0
    slope = min(max(slope, 0.0), mean_y / mean_x if mean_x else 0.0)
    return (mean_y - slope * mean_x) * count + slope * megapixels


def _spread(
    sample: Sequence[Measured], of: Callable[[Sequence[Measured]], float]
) -> tuple[float, float, float]:
    """The estimate with its bounds: the sample drawn again and again from itself (bootstrap)."""
    random_ = random.Random(20_26)  # noqa: S311  (the same sample, the same words)
    again = sorted(of(random_.choices(sample, k=len(sample))) for _ in range(RESAMPLES))
    likely = of(sample)
    low, high = again[RESAMPLES // 20], again[-RESAMPLES // 20]
    return min(low, likely * (1 - LEAST_SPREAD)), likely, max(high, likely * (1 + LEAST_SPREAD))
