"""Claiming work: one conditional update, a lease with a token, and every later write guarded by that token.

Times come from the database's clock, so that workers whose clocks differ still agree on when a lease ends.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from archive.catalogue import services as catalogue
from archive.catalogue.models import Scan, Version
from archive.catalogue.queries import live_derivatives
from archive.jobs.models import Attempt, Job, JobItem, Worker

# Fair between jobs: each running job offers its first items, and the one fewest workers are at goes first; among equals
# the one that has waited longest, so that a large job does not keep a later, small one waiting.
CLAIM = """
WITH offered AS (
    SELECT i.id,
           row_number() OVER (PARTITION BY i.job_id ORDER BY i.position) AS turn,
           (SELECT count(*) FROM jobs_jobitem r WHERE r.job_id = i.job_id AND r.state = 'running') AS busy,
           j.served
    FROM jobs_job j
    CROSS JOIN LATERAL (
        SELECT id, job_id, position FROM jobs_jobitem
        WHERE job_id = j.id AND state = 'queued' AND (not_before IS NULL OR not_before <= now())
        ORDER BY position LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ) i
    WHERE j.state = 'running'
),
chosen AS (SELECT id FROM offered ORDER BY turn + busy, served NULLS FIRST, id LIMIT %(limit)s)
UPDATE jobs_jobitem AS item
SET state = 'running', lease_token = gen_random_uuid(), lease_until = now() + %(lease)s::interval,
    worker_id = %(worker)s, tries = tries + 1, tiles_done = 0, tiles_total = 0, changed = now()
FROM chosen WHERE item.id = chosen.id
RETURNING item.id
"""

# A job somebody holds at this moment is passed over: fairness is not worth waiting for.
SERVED = """
UPDATE jobs_job SET served = clock_timestamp() WHERE id IN (
    SELECT id FROM jobs_job WHERE id IN (SELECT job_id FROM jobs_jobitem WHERE id = ANY(%s)) FOR UPDATE SKIP LOCKED
)
"""

BACK_OFF = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(minutes=30)
GOING_ON = (Job.State.RUNNING, Job.State.PAUSED)  # a paused job finishes what it is at


@dataclass(frozen=True)
class Claim:
    """An item a worker holds. Everything it writes about the item names the token."""

    item: JobItem
    token: UUID
    attempt: int


class LeaseLost(Exception):
    """The item belongs to somebody else by now, or its job was stopped: write nothing."""


def claim(worker: Worker, *, limit: int) -> list[Claim]:
    """Take up to `limit` queued items of running jobs, each with a lease, and open an attempt for each."""
    with transaction.atomic(), connection.cursor() as cursor:
        lease = timedelta(seconds=settings.LEASE_SECONDS)
        cursor.execute(CLAIM, {"limit": limit, "lease": str(lease), "worker": worker.pk})
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(SERVED, [ids])
        items = list(
            JobItem.objects.filter(pk__in=ids)
            .select_related("job__recipe", "job__ordered_by", "source__file", "source__scan")
            .order_by("position")
        )
        claims = [Claim(item, _token(item), item.attempts.count() + 1) for item in items]
        Attempt.objects.bulk_create(
            [
                Attempt(
                    item=c.item,
                    number=c.attempt,
                    token=c.token,
                    worker_name=worker.name,
                    device=worker.device,
                )
                for c in claims
            ]
        )
    return claims


def renew(held: Claim, *, done: int, total: int) -> bool:
    """Prolong the lease and report tiles; False if the item is no longer ours or its job was cancelled."""
    # `Exists`, not `job__state__in`: Django would turn the join into `id IN (SELECT …)`, and PostgreSQL checks only
    # that again for a row that `finish` had locked meanwhile, so that a finished item would get a lease.
    goes_on = Exists(Job.objects.filter(pk=OuterRef("job_id"), state__in=GOING_ON))
    until = Now() + timedelta(seconds=settings.LEASE_SECONDS)
    updated = _ours(held).filter(goes_on).update(lease_until=until, tiles_done=done, tiles_total=total)
    return bool(updated == 1)


@transaction.atomic
def finish(held: Claim, made: catalogue.NewDerivative, *, agents: dict[str, str]) -> Version | None:
    """Record the derivative and end the item, in one transaction guarded by the token.

    Returns what the item ended with: the new version, or the live one another job was quicker to make; None if the
    job was stopped meanwhile, and nothing was recorded.

    Raises:
        LeaseLost: the item is somebody else's by now; nothing was recorded.
    """
    item = _locked(held)
    job = Job.objects.select_for_update().get(pk=item.job_id)  # against an undo at this very moment
    if job.state not in GOING_ON:
        _end(held, state=JobItem.State.CANCELLED, outcome="cancelled")
        return None
    Scan.objects.select_for_update().get(pk=item.source.scan_id)  # from here on nobody else adds to it
    if known := live_derivatives([item.source_id], job.recipe_id, job.run).get(item.source_id):
        version = Version.objects.get(pk=known)
        _end(held, state=JobItem.State.REUSED, result=version)
        return version
    version = catalogue.add_derivative(
        item.source,
        replace(made, run=_free_run(item)),
        recipe=item.job.recipe,
        by=item.job.ordered_by,
        agents=agents,
        reference=item.job.reference,
    )
    _end(held, state=JobItem.State.DONE, result=version)
    return version


@transaction.atomic
def fail(held: Claim, *, code: str, sentence: str, transient: bool) -> str:
    """Record a failure; a transient one is queued again after a while, up to the limit of tries. Returns the state.

    Raises:
        LeaseLost: the item is somebody else's by now; nothing was recorded.
    """
    item = _locked(held)
    if item.job.state not in GOING_ON:
        _end(held, state=JobItem.State.CANCELLED, code=code, sentence=sentence, outcome="failed")
        return JobItem.State.CANCELLED
    again = transient and item.tries < settings.MAX_TRIES
    state = JobItem.State.QUEUED if again else JobItem.State.FAILED
    _end(held, state=state, code=code, sentence=sentence, wait=back_off(item.tries) if again else None)
    return state


@transaction.atomic
def cancelled(held: Claim) -> None:
    """Stopped between tiles because its job was: the item is cancelled, or queued again if the job goes on."""
    item = _locked(held)
    goes_on = item.job.state in GOING_ON
    _end(held, state=JobItem.State.QUEUED if goes_on else JobItem.State.CANCELLED, outcome="cancelled")


def release(held: Sequence[Claim]) -> None:
    """Give back items that were claimed but not begun (the worker is going home)."""
    for one in held:
        with transaction.atomic():
            if _ours(one).update(state=JobItem.State.QUEUED, tries=F("tries") - 1, **_NO_LEASE):
                Attempt.objects.filter(item=one.item, number=one.attempt).delete()


def back_off(tries: int) -> timedelta:
    """Exponential, with jitter, so that many items that failed together do not come back together."""
    wait = min(BACK_OFF * 2 ** max(tries - 1, 0), LONGEST_BACK_OFF)
    return timedelta(seconds=wait.total_seconds() * random.uniform(0.5, 1.5))  # noqa: S311  (no secret)


_NO_LEASE = {"lease_token": None, "lease_until": None, "worker": None}


def _ours(held: Claim):  # type: ignore[no-untyped-def]  # a queryset
    return JobItem.objects.filter(pk=held.item.pk, state=JobItem.State.RUNNING, lease_token=held.token)


def _locked(held: Claim) -> JobItem:
    item = (
        _ours(held)
        .select_for_update(of=("self",))
        .select_related("job__recipe", "job__ordered_by", "job__reference", "source")
        .first()
    )
    if item is None:
        raise LeaseLost(_("Item %s is no longer held by this worker.") % held.item.pk)
    return item  # type: ignore[no-any-return]


def _free_run(item: JobItem) -> int:
    """The job's own run, or the next free one where a rejected or withdrawn version has taken that for good."""
    taken = set(
        Version.objects.filter(
            derived_from=item.source_id, recipe=item.job.recipe_id, run__gte=item.job.run
        ).values_list("run", flat=True)
    )
    return item.job.run if item.job.run not in taken else max(taken) + 1


def _end(
    held: Claim,
    *,
    state: str,
    result: Version | None = None,
    code: str = "",
    sentence: str = "",
    wait: timedelta | None = None,
    outcome: str = "",
) -> None:
    JobItem.objects.filter(pk=held.item.pk).update(
        state=state,
        result=result,
        code=code,
        sentence=sentence,
        not_before=Now() + wait if wait else None,
        changed=Now(),
        **_NO_LEASE,
    )
    Attempt.objects.filter(item=held.item, number=held.attempt).update(
        ended=Now(), outcome=outcome or ("done" if result else "failed"), code=code, sentence=sentence
    )


def _token(item: JobItem) -> uuid.UUID:
    assert item.lease_token is not None  # noqa: S101  (the database's own rule: running means leased)
    return item.lease_token
