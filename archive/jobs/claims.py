"""Claiming work: one conditional update, a lease with a token, and every later write guarded by that token.

Times come from the database's clock, so that workers whose clocks differ still agree on when a lease ends. How an item
ends is in `endings`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from archive.jobs import judging
from archive.jobs.models import Attempt, JobItem, Worker

# Fair between jobs: each job offers its first items, and the one fewest workers are at goes first; among equals the one
# that has waited longest, so that a large job does not keep a later, small one waiting.
CLAIM = """
WITH offered AS (
    SELECT i.id, row_number() OVER (PARTITION BY j.id ORDER BY i.position) AS turn, b.busy, j.served
    FROM jobs_job j
    CROSS JOIN LATERAL (SELECT count(*) AS busy FROM jobs_jobitem WHERE job_id = j.id AND state = 'running') b
    CROSS JOIN LATERAL (
        SELECT id, position FROM jobs_jobitem
        WHERE job_id = j.id AND state = 'queued' AND (not_before IS NULL OR not_before <= now())
          AND (j.state = 'running' OR sample)
        ORDER BY position LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ) i
    WHERE (j.state = 'sampling' OR (j.state = 'running' AND (
            j.hours_from IS NULL OR j.hours_from = j.hours_to
            OR (j.hours_from < j.hours_to AND {clock} >= j.hours_from AND {clock} < j.hours_to)
            OR (j.hours_from > j.hours_to AND ({clock} >= j.hours_from OR {clock} < j.hours_to)))))
      AND (j.allow_cpu OR %(on_gpu)s) AND j.recipe_id <> ALL(%(avoid)s::text[])
),
chosen AS (SELECT id FROM offered ORDER BY turn + busy, served NULLS FIRST, id LIMIT %(limit)s)
UPDATE jobs_jobitem AS item
SET state = 'running', lease_token = gen_random_uuid(), lease_until = now() + %(lease)s::interval,
    worker_id = %(worker)s, begun = NULL, tiles_done = 0, tiles_total = 0, changed = now()
FROM chosen WHERE item.id = chosen.id
RETURNING item.id
""".replace("{clock}", "(now() AT TIME ZONE %(zone)s)::time")

# No key is changed, so that this neither waits for workers that record at this moment nor makes them wait.
SERVED = """
UPDATE jobs_job SET served = clock_timestamp() WHERE id IN (
    SELECT id FROM jobs_job WHERE id = ANY(%s) FOR NO KEY UPDATE SKIP LOCKED
)
"""

# In one statement, since it stands between any two pictures: the item is begun if it is still ours and may be, and if
# nobody has forbidden it since it was ordered.
BEGIN = """
WITH asked AS (
    SELECT s.title, CASE {forbidden}
        WHEN s.style IN ('rejected', 'withdrawn') THEN 'style-withdrawn'
    END AS code
    FROM (
        SELECT c.title, c.effective_ai_policy AS policy, t.sensitive, t.description AS said, r.state AS standing,
            style.state AS style
        FROM catalogue_item t JOIN catalogue_collection c ON c.id = t.collection_id
        LEFT JOIN review_review r ON r.version_id = %(source)s
        LEFT JOIN review_review style ON style.version_id = %(reference)s
        WHERE t.id = %(described)s
    ) s
),
mine AS (
    UPDATE jobs_jobitem i SET begun = clock_timestamp(), tries = i.tries + 1, changed = now()
    FROM jobs_job j, asked
    WHERE i.id = %(item)s AND i.state = 'running' AND i.lease_token = %(token)s
      AND j.id = i.job_id AND j.state IN ('running', 'sampling') AND asked.code IS NULL
    RETURNING i.id, i.tries
),
said AS (UPDATE jobs_worker SET current_item_id = mine.id FROM mine WHERE jobs_worker.id = %(worker)s)
SELECT mine.tries, asked.code, asked.title FROM asked LEFT JOIN mine ON true
""".replace("{forbidden}", judging.FORBIDDEN)

# Not a try, and so no attempt is kept: the item says why.
LEAVE_OUT = """
WITH held AS (SELECT id FROM jobs_job WHERE id = %(job)s AND state IN ('running', 'sampling') FOR KEY SHARE),
gone AS (
    UPDATE jobs_jobitem i SET state = 'excluded', code = %(code)s, sentence = %(sentence)s, changed = now(),
        ended = clock_timestamp(), lease_token = NULL, lease_until = NULL, worker_id = NULL
    FROM held WHERE i.id = %(item)s AND i.job_id = held.id AND i.state = 'running' AND i.lease_token = %(token)s
    RETURNING i.id
)
DELETE FROM jobs_attempt a USING gone WHERE a.item_id = gone.id AND a.token = %(token)s AND a.ended IS NULL
"""

# The job is looked at anew for a row that somebody else had locked meanwhile: with `IN (SELECT …)` PostgreSQL would
# check only what it knew before, and a finished item would get a lease again.
RENEW = """
UPDATE jobs_jobitem i
SET lease_until = now() + %(lease)s::interval, tiles_done = x.done, tiles_total = x.total
FROM unnest(%(items)s::bigint[], %(tokens)s::uuid[], %(done)s::int[], %(total)s::int[]) AS x(item, token, done, total)
WHERE i.id = x.item AND i.state = 'running' AND i.lease_token = x.token
  AND EXISTS (SELECT 1 FROM jobs_job j WHERE j.id = i.job_id AND j.state IN ('sampling', 'running', 'paused'))
RETURNING i.id
"""


@dataclass(frozen=True)
class Claim:
    """An item a worker holds. Everything it writes about the item names the token."""

    item: JobItem
    token: UUID
    attempt: int


def claim(worker: Worker, *, limit: int, avoid: Sequence[str] = ()) -> list[Claim]:
    """Take up to `limit` queued items, each with a lease, and open an attempt for each. Five queries however many.

    Served are running jobs within their hours, and the samples of others; not recipes to `avoid`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "limit": limit, "lease": _lease(), "worker": worker.pk, "zone": settings.TIME_ZONE,
                "avoid": list(avoid),
                "on_gpu": bool(worker.device) and not worker.device.startswith("cpu"),
            },
        )  # fmt: skip
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return []
        items = list(
            JobItem.objects.filter(pk__in=ids)
            .select_related("job__recipe", "job__ordered_by", "source__file", "source__scan")
            .order_by("position")
        )
        cursor.execute(SERVED, [list({item.job_id for item in items})])
        before = dict(
            Attempt.objects.filter(item__in=ids).order_by().values_list("item").annotate(n=Max("number"))
        )
        claims = [Claim(item, _token(item), before.get(item.pk, 0) + 1) for item in items]
        Attempt.objects.bulk_create(
            [
                Attempt(item=c.item, number=c.attempt, token=c.token, worker_name=worker.name, device=worker.device)
                for c in claims
            ]
        )  # fmt: skip
    return claims


def begin(held: Claim, *, worker: Worker) -> bool:
    """The picture is taken in hand: from here on this counts as a try. False if it may not be begun (any more); if
    that was forbidden since it was ordered, the item is left out with the reason."""
    item, job = held.item, held.item.job
    asked = judging.terms_asked(job.recipe.operations, with_sensitive=job.with_sensitive)
    asked |= {
        "item": item.pk, "token": held.token, "worker": worker.pk, "source": item.source_id,
        "described": item.source.scan.item_id, "reference": job.reference_id,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, asked)
        tries, code, place = cursor.fetchone() or (None, None, "")
        if code is not None:
            sentence = judging.sentences()[code].replace("{collection}", place)
            cursor.execute(LEAVE_OUT, asked | {"job": job.pk, "code": code, "sentence": sentence})
    if tries is not None:
        item.tries = tries
    return tries is not None


def renew(held: Mapping[Claim, tuple[int, int]] | Iterable[tuple[Claim, tuple[int, int]]]) -> set[UUID]:
    """Prolong leases and report tiles (done, of how many); the tokens of those that are still ours."""
    pairs = list(held.items() if isinstance(held, Mapping) else held)
    if not pairs:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            RENEW,
            {
                "lease": _lease(), "items": [c.item.pk for c, _ in pairs], "tokens": [c.token for c, _ in pairs],
                "done": [done for _, (done, _total) in pairs], "total": [total for _, (_done, total) in pairs],
            },
        )  # fmt: skip
        kept = {row[0] for row in cursor.fetchall()}
    return {c.token for c, _ in pairs if c.item.pk in kept}


RELEASE = """
WITH held AS (SELECT id, state FROM jobs_job WHERE id = ANY(%(jobs)s) ORDER BY id FOR KEY SHARE),
given AS (
    UPDATE jobs_jobitem i SET lease_token = NULL, lease_until = NULL, worker_id = NULL, changed = now(),
        state = CASE WHEN j.state IN ('sampling', 'running', 'paused') THEN 'queued' ELSE 'cancelled' END
    FROM held j, unnest(%(items)s::bigint[], %(tokens)s::uuid[]) AS x(item, token)
    WHERE i.id = x.item AND i.job_id = j.id AND i.state = 'running' AND i.lease_token = x.token
    RETURNING i.id
)
DELETE FROM jobs_attempt a USING given
WHERE a.item_id = given.id AND a.token = ANY(%(tokens)s::uuid[]) AND a.ended IS NULL
"""


def release(held: Sequence[Claim]) -> None:
    """Give back items that were claimed and not begun; as if they had never been claimed."""
    if not held:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            RELEASE,
            {
                "jobs": list({one.item.job_id for one in held}), "items": [one.item.pk for one in held],
                "tokens": [one.token for one in held],
            },
        )  # fmt: skip


def _lease() -> str:
    return str(timedelta(seconds=settings.LEASE_SECONDS))


def _token(item: JobItem) -> UUID:
    assert item.lease_token is not None  # noqa: S101  (the database's own rule: running means leased)
    return item.lease_token
