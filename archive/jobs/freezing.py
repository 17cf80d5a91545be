"""Freezing: the scope of an order written down as a list, chunk by chunk, in the database; then the sample is chosen.

An order of fifty thousand never passes through this process: each chunk is one INSERT … SELECT. A freezing that was cut
off goes on behind its last row, and two that run at once take turns at the job's row.
"""

import json
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from archive.catalogue.models import Version
from archive.jobs import announcing, dispatch, judging
from archive.jobs.models import Job, JobItem
from archive.jobs.progress import counts_of
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.states import next_job

CHUNK = 20_000  # each reads what is left of the scope once: few are quick, many show progress sooner

WRITE = """
INSERT INTO jobs_jobitem (job_id, source_id, position, state, result_id, code, sentence,
                          tries, tiles_done, tiles_total, sample, changed)
SELECT %(job)s, x.src, %(base)s + row_number() OVER (ORDER BY x.itm, x.place, x.src),
    CASE WHEN x.code IS NOT NULL THEN 'excluded' WHEN x.made IS NOT NULL THEN 'reused' ELSE 'queued' END,
    CASE WHEN x.code IS NULL THEN x.made END,
    coalesce(x.code, ''), coalesce(replace(%(sentences)s::jsonb ->> x.code, '{collection}', c.title), ''),
    0, 0, 0, false, now()
FROM ({judged}) x
JOIN catalogue_item i ON i.id = x.itm JOIN catalogue_collection c ON c.id = i.collection_id
"""

# Systematic: the queued items ordered by what makes them differ, then every k-th of them. Each collection, size and
# depth so gets its share of the sample, without anybody having to name the strata.
CHOOSE = """
UPDATE jobs_jobitem SET sample = true FROM (
    SELECT id, row_number() OVER (
        ORDER BY collection_id, floor(ln(width::float * height) * 2), bits, bands, position) - 1 AS place
    FROM (
        SELECT q.id, q.position, i.collection_id, v.width, v.height, v.bits, v.bands
        FROM jobs_jobitem q JOIN catalogue_version v ON v.id = q.source_id
        JOIN catalogue_scan s ON s.id = v.scan_id JOIN catalogue_item i ON i.id = s.item_id
        WHERE q.job_id = %(job)s AND q.state = 'queued') known
) ranked
WHERE jobs_jobitem.id = ranked.id
  AND floor((place + 1) * %(share)s + 0.5) > floor(place * %(share)s + 0.5)
"""


def freeze(job_id: UUID) -> None:
    """Write down the whole list and start the job, its sample, or, with nothing to do, finish it."""
    while _next_chunk(job_id):
        pass


@transaction.atomic
def _next_chunk(job_id: UUID) -> bool:
    """One chunk more; False once the job is no longer freezing."""
    job = (
        Job.objects.select_for_update(of=("self",))
        .select_related("recipe", "ordered_by")
        .filter(pk=job_id, state=Job.State.FREEZING)
        .first()
    )
    if job is None:
        return False
    try:
        sources = Scope.parse(job.scope).sources(job.ordered_by)
    except (
        ScopeError
    ) as problem:  # the collection was renamed, or the person lost it, since the order was given
        _move(job, "cancel", note=str(problem))
        return False
    if _write(job, sources, after=_last(job)) == CHUNK:
        return True
    _begin(job)
    return False


def _write(job: Job, sources: QuerySet[Version], *, after: JobItem | None) -> int:
    """Insert the next chunk behind `after`; how many sources it looked at."""
    if after is not None:
        scan = after.source.scan
        sources = sources.filter(
            Q(scan__item__gt=scan.item_id)
            | Q(scan__item=scan.item_id, scan__position__gt=scan.position)
            | Q(scan__item=scan.item_id, scan__position=scan.position, pk__gt=after.source_id)
        )
    sql, values = judging.select(
        sources if job.mode in {Job.Mode.MISSING, Job.Mode.FAILED} else sources[:CHUNK],
        recipe=job.recipe_id, operations=job.recipe.operations, run=job.run, mode=job.mode,
        with_sensitive=job.with_sensitive, job=job.pk,
    )  # fmt: skip
    if job.mode in {Job.Mode.MISSING, Job.Mode.FAILED}:
        sql += (
            f" ORDER BY s.itm, s.place, s.src LIMIT {CHUNK}"  # the filter thins the chunk, so it is cut here
        )
    more: dict[str, Any] = {
        "base": after.position if after else 0,
        "sentences": json.dumps(judging.sentences()),
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE.replace("{judged}", sql), values | more)
        return int(cursor.rowcount)


def _last(job: Job) -> JobItem | None:
    return job.items.select_related("source__scan").order_by("-position").first()


def _begin(job: Job) -> None:
    """The list is whole: start what is to be started."""
    counts = counts_of(job.pk)
    queued = counts.get(JobItem.State.QUEUED, 0)
    job.expected = sum(counts.values())
    if not queued:
        event = "all-ended"
    elif 0 < job.sample_size < queued:
        event = "sample"
        with connection.cursor() as cursor:
            cursor.execute(CHOOSE, {"job": job.pk, "share": job.sample_size / queued})
    else:
        event = "frozen"
    _move(job, event)
    if queued:
        dispatch.work()
    else:
        announcing.tell_later(job.pk)


def _move(job: Job, event: str, *, note: str = "") -> None:
    job.state = next_job(job.state, event)
    job.state_note = note[:300]
    job.save(update_fields=["state", "state_note", "expected"])
    over = job.state in {Job.State.FINISHED, Job.State.CANCELLED}
    Job.objects.filter(pk=job.pk).update(started=Now(), since=Now(), **({"ended": Now()} if over else {}))
    job.refresh_from_db(fields=["started", "since", "ended"])
