"""What is seen of jobs and workers: read from rows, in a fixed number of queries."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.accounts import permissions
from archive.accounts.permissions import Person
from archive.catalogue.models import Version
from archive.jobs import judging, progress
from archive.jobs.models import Job, JobItem, Worker
from archive.jobs.progress import Progress
from archive.jobs.states import ENDED_JOBS, within_hours
from archive.store import StoreError, get_store

S, J = JobItem.State, Job.State
BAR = 1000  # units of a progress bar's length
NAGGING = timedelta(hours=12)  # a pause longer than that is asked after
ON_SHEET = 12
AT_WORK = 6


@dataclass(frozen=True)
class Piece:
    """A stretch of a progress bar: a state, where it begins and how long it is, of `BAR`."""

    state: str
    x: float
    width: float


@dataclass(frozen=True)
class Row:
    """A job in a list."""

    job: Job
    progress: Progress
    bar: list[Piece]
    hint: str


def overview(jobs: Sequence[Job]) -> list[Row]:
    """Jobs with their counts, in one query for all of them."""
    counts = progress.counts_of_many(job.pk for job in jobs)
    found = []
    for job in jobs:
        known = counts.get(job.pk, {})
        state = Progress(sum(known.values()), known)
        found.append(Row(job, state, bar(state, job), hint(job)))
    return found


def bar(state: Progress, job: Job) -> list[Piece]:
    """What is settled from the left, then what failed, then what workers are at; the rest is empty."""
    total = max(state.total, job.expected if job.state == J.FREEZING else 0, 1)
    pieces, x = [], 0.0
    for name in (S.DONE, S.REUSED, S.EXCLUDED, S.CANCELLED, S.FAILED, S.RUNNING):
        if n := state.counts.get(name, 0):
            width = max(n / total * BAR, 3.0 if name == S.FAILED else 0.5)
            pieces.append(Piece(name, round(min(x, BAR - width), 2), round(width, 2)))
            x += width
    return pieces


def hint(job: Job) -> str:
    """Why nothing happens, where a person would wonder."""
    now = timezone.now()
    if job.state == J.RUNNING and not within_hours(_clock(now), job.hours_from, job.hours_to):
        return _("Outside its hours; it goes on at %s.") % f"{job.hours_from:%H:%M}"
    if job.state == J.PAUSED and job.paused_until:
        return _("Goes on by itself at %s.") % f"{timezone.localtime(job.paused_until):%H:%M}"
    if job.state == J.PAUSED and job.since and now - job.since > NAGGING:
        return _("Paused for a long time. Resume it or cancel it.")
    return ""


def items_of(job: Job, *, by: Person) -> QuerySet[JobItem]:
    """The items whose source the person may see: a role may have gone, or a collection become private, since."""
    if permissions.is_admin(by):
        return job.items.all()
    return job.items.filter(source__in=Version.objects.filter(permissions.visible_versions(by)))


def progress_of(job: Job, *, by: Person) -> dict[str, Any]:
    """All that is shown of how a job goes; titles and pictures of what the person may see."""
    items = items_of(job, by=by)
    state = progress.of(job, counts=getattr(job, "_counted", None))
    pool = _pool() if (known := getattr(job, "_pool", None)) is None else known
    over = job.state in ENDED_JOBS
    tried = job.sample_size and job.state in {J.SAMPLING, J.WAITING}
    return {
        "job": job,
        "progress": state,
        "bar": bar(state, job),
        "counts": [(s.value, s.label, state.counts[s]) for s in S if state.counts.get(s)],
        "at_work": at_work(items) if state.counts.get(S.RUNNING) and not over else [],
        "sheet": contact_sheet(items, size=max(ON_SHEET, min(job.sample_size, 48) if tried else 0))[0],
        "is_over": over,
        "is_open": job.state in {J.FREEZING, J.SAMPLING, J.RUNNING, J.UNDOING},
        "elapsed": progress.elapsed(job),
        "hint": hint(job) or ("" if over or job.state in {J.PAUSED, J.WAITING} else trouble(pool, job)),
        "estimate": told(job),
        "left_out": judging.left_out(job) if state.counts.get(S.EXCLUDED) else [],
    }


def at_work(items: QuerySet[JobItem]) -> list[JobItem]:
    """Those of the items that engines are at."""
    rows = items.filter(state=S.RUNNING, begun__isnull=False).select_related("source__scan__item", "worker")
    return list(rows.order_by("begun")[:AT_WORK])


def contact_sheet(
    items: QuerySet[JobItem], *, before: str = "", size: int = ON_SHEET
) -> tuple[list[JobItem], str]:
    """Those of the items made last, with source and result, and where the next page begins."""
    rows = items.filter(state=S.DONE, ended__isnull=False)
    try:
        at = datetime.fromisoformat(before) if before else None
    except ValueError:
        at = None
    if at is not None and timezone.is_aware(at):
        rows = rows.filter(ended__lt=at)
    keys = list(rows.order_by("-ended").values_list("pk", flat=True)[: size + 1])
    joined = JobItem.objects.select_related("source__scan__item", "result")
    found = list(joined.filter(pk__in=keys).order_by("-ended")) if keys else []
    more = found[size - 1].ended if len(found) > size else None
    return found[:size], more.isoformat() if more else ""


def tag(job: Job) -> str:
    """Changes whenever what is seen of the job would."""
    known = progress.counts_of(job.pk)
    job._counted = known  # type: ignore[attr-defined]  # for the answer this tag belongs to
    counts = sorted(known.items())
    tiles = list(
        job.items.filter(state=S.RUNNING, begun__isnull=False).order_by("pk").values_list("pk", "tiles_done")
    )
    job._pool = _pool()  # type: ignore[attr-defined]  # … and this
    rests = [(worker.pk, worker.resting_why) for worker in job._pool]  # type: ignore[attr-defined]
    minute = int(timezone.now().timestamp() // 20) if job.state not in ENDED_JOBS else 0  # times are shown
    seen = repr((job.state, job.state_note, job.told, counts, tiles, rests, minute))
    return f'"{hashlib.sha256(seen.encode()).hexdigest()[:24]}"'


def _pool() -> list[Worker]:
    """Those that did not say goodbye, without what they are at: asked for every other second."""
    return list(Worker.objects.filter(stopped=None).order_by("kind", "name"))


def workers(by: Person | None = None) -> list[Worker]:
    """Those that did not say goodbye. With `by`, `named` says of each whether this person may read what it is at."""
    found = list(
        Worker.objects.filter(stopped=None)
        .select_related("current_item__job", "current_item__source__scan__item")
        .order_by("kind", "name")
    )
    if by is not None:
        items = [worker.current_item for worker in found if worker.current_item]
        seen = Version.objects.filter(
            permissions.visible_versions(by), pk__in=[item.source_id for item in items]
        )
        visible = set(seen.values_list("pk", flat=True)) if items else set()
        for worker in found:
            item = worker.current_item
            steered = item is not None and permissions.may_steer_job(by, item.job.ordered_by_id)
            worker.named = steered and item is not None and item.source_id in visible
    return found


def trouble(pool: Sequence[Worker], job: Job) -> str:
    """Why a job that should go on does not."""
    if job.state in {J.FREEZING, J.UNDOING}:
        return "" if any(w.kind == "io" for w in pool) else _("No io worker is running; it waits for one.")
    stylizers = [worker for worker in pool if worker.kind == "gpu"]
    if not stylizers:
        return _("No stylizer worker is running; the job waits for one.")
    now = timezone.now()
    resting = [w for w in stylizers if w.resting_until and w.resting_until > now]
    if len(resting) == len(stylizers):
        return _("No worker is at it. %s") % resting[0].resting_why
    if not job.allow_cpu and all(w.device.startswith("cpu") or not w.device for w in stylizers):
        return _("Ordered for a GPU only, and no worker has one.")
    return ""


def told(job: Job) -> dict[str, Any] | None:
    """The estimate in durations, with a warning if the disk may not hold it, and at the end how far off it was."""
    if not job.estimate:
        return None
    low, likely, high = job.estimate["seconds"]
    small, size, large = job.estimate["bytes"]
    free = free_bytes()
    estimate: dict[str, Any] = job.estimate
    return estimate | {
        "low": timedelta(seconds=round(low)), "likely": timedelta(seconds=round(likely)),
        "high": timedelta(seconds=round(high)), "size": int(size), "small": int(small), "large": int(large),
        "free": free, "tight": free is not None and large > free - settings.LEAST_FREE
        and job.state in {J.SAMPLING, J.WAITING, J.RUNNING, J.PAUSED},
    }  # fmt: skip


def free_bytes() -> int | None:
    try:
        return get_store().free_bytes()
    except (StoreError, OSError):
        return None


def pause_end(hours: str) -> datetime | None:
    """From a form: when a pause of so many hours is over."""
    if hours.isascii() and hours.isdigit() and 0 < int(hours) <= 24 * 14:
        return timezone.now() + timedelta(hours=int(hours))
    return None


def queue_depth() -> list[tuple[Job, int]]:
    """Open items of jobs that are not over, the longest first."""
    jobs = list(Job.objects.exclude(state__in=list(ENDED_JOBS)).select_related("ordered_by")[:50])
    counts = progress.counts_of_many(job.pk for job in jobs)
    depth = [
        (j, counts.get(j.pk, {}).get(S.QUEUED, 0) + counts.get(j.pk, {}).get(S.RUNNING, 0)) for j in jobs
    ]
    return sorted(depth, key=lambda pair: -pair[1])


def _clock(now: datetime) -> Any:
    return timezone.localtime(now).time()
