"""How an item in hand ends: made, failed, given back or stopped. By the batch, each write guarded by the lease's token.

Order of locks, here and wherever several are taken: the job, its items, the scans. A job is held by key only, so that
many workers record for one job side by side, and whoever steers it (FOR UPDATE) waits for a moment.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from archive.catalogue import services as catalogue
from archive.catalogue.models import Version
from archive.catalogue.queries import live_derivatives
from archive.iiif.services import want
from archive.jobs.claims import Claim
from archive.jobs.models import JobItem
from archive.jobs.states import GOING_ON

S = JobItem.State
BACK_OFF = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(minutes=30)
LONGEST_LOG = 20_000  # characters of an attempt's log that are kept

END = """
UPDATE jobs_jobitem i
SET state = x.state, result_id = x.result, code = x.code, sentence = x.sentence, changed = now(),
    lease_token = NULL, lease_until = NULL, worker_id = NULL,
    ended = CASE WHEN x.state = 'queued' THEN NULL ELSE clock_timestamp() END,
    not_before = CASE WHEN x.wait IS NULL THEN NULL ELSE now() + x.wait END,
    tries = i.tries - CASE WHEN x.outcome IN ('returned', 'cancelled') AND i.begun IS NOT NULL THEN 1 ELSE 0 END,
    seconds = coalesce(x.seconds, i.seconds)
FROM {given} WHERE i.id = x.item
"""
END_ATTEMPT = """
UPDATE jobs_attempt a
SET ended = clock_timestamp(), outcome = x.outcome, code = x.code, sentence = x.sentence,
    seconds = x.seconds, log = x.log
FROM {given} WHERE a.item_id = x.item AND a.number = x.number
"""
GIVEN = """unnest(%(item)s::bigint[], %(number)s::int[], %(state)s::text[], %(result)s::uuid[], %(code)s::text[],
    %(sentence)s::text[], %(outcome)s::text[], %(wait)s::interval[], %(seconds)s::float[], %(log)s::text[])
    AS x(item, number, state, result, code, sentence, outcome, wait, seconds, log)"""


@dataclass(frozen=True)
class Made:
    """What a worker made of an item, files stored already: file first, row second."""

    held: Claim
    derivative: catalogue.NewDerivative
    agents: Mapping[str, str]
    seconds: float = 0.0
    log: str = ""


@dataclass(frozen=True)
class Ending:
    """An item's end as it is written down. `wait` sends it back to the queue for so long."""

    held: Claim
    state: str
    outcome: str
    result: UUID | None = None
    code: str = ""
    sentence: str = ""
    wait: timedelta | None = None
    seconds: float | None = None
    log: str = ""


@transaction.atomic
def finish(batch: Sequence[Made]) -> dict[UUID, UUID | None]:
    """Record derivatives and end their items, in one transaction.

    Returns, by token, the version an item ended with: the new one, or a live one that another job was quicker to make;
    None if its job was stopped meanwhile. A token that is not in it was lost: nothing was recorded for it.
    """
    now, later = _one_of_each(batch)
    going = _hold_jobs(made.held for made in now)
    tokens = _hold_items([made.held for made in now])
    ours = [made for made in now if made.held.token in tokens]
    catalogue.lock_scans(made.held.item.source.scan_id for made in ours)
    known, runs = _made_already(ours), _runs_taken(ours)
    endings: list[Ending] = []
    orders: list[Made] = []
    for made in ours:
        if made.held.item.job_id not in going:
            endings.append(Ending(made.held, S.CANCELLED, "cancelled", log=made.log))
        elif other := known.get(made.held.token):
            endings.append(Ending(made.held, S.REUSED, "done", result=other, seconds=made.seconds))
        else:
            orders.append(made)
    versions = catalogue.add_derivatives([_derived(made, runs) for made in orders])
    for made, version in zip(orders, versions, strict=True):
        endings.append(
            Ending(made.held, S.DONE, "done", result=version.pk, seconds=made.seconds, log=made.log)
        )
    _end(endings)
    if versions:
        want([version.pk for version in versions])
    return {ending.held.token: ending.result for ending in endings} | (finish(later) if later else {})


@transaction.atomic
def fail(
    held: Claim, *, code: str, sentence: str, transient: bool, seconds: float | None = None, log: str = ""
) -> str | None:
    """Record a failure; a transient one is queued again after a while, up to the limit of tries. Returns the item's
    state, or None where it was not ours any more, and nothing was recorded."""
    going = _hold_jobs([held])
    if held.token not in _hold_items([held]):
        return None
    again = transient and held.item.tries < settings.MAX_TRIES
    state = (S.QUEUED if again else S.FAILED) if held.item.job_id in going else S.CANCELLED
    wait = back_off(held.item.tries) if state == S.QUEUED else None
    _end([Ending(held, state, "failed", code=code, sentence=sentence, wait=wait, seconds=seconds, log=log)])
    return str(state)


@transaction.atomic
def give_back(held: Claim, *, code: str = "", sentence: str = "", wait: timedelta | None = None) -> bool:
    """Not the picture's fault: stopped between tiles, or the worker's surroundings failed. It is queued again and no
    try is counted; cancelled, if its job was stopped. False where it was not ours any more."""
    going = _hold_jobs([held])
    if held.token not in _hold_items([held]):
        return False
    state = S.QUEUED if held.item.job_id in going else S.CANCELLED
    outcome = "returned" if code else "cancelled"
    wait = wait if state == S.QUEUED else None
    _end([Ending(held, state, outcome, code=code, sentence=sentence, wait=wait)])
    return True


def back_off(tries: int) -> timedelta:
    """Exponential, with jitter, so that many items that failed together do not come back together."""
    wait = min(BACK_OFF * 2 ** max(tries - 1, 0), LONGEST_BACK_OFF)
    return timedelta(seconds=wait.total_seconds() * random.uniform(0.5, 1.5))  # noqa: S311  (no secret)


def _one_of_each(batch: Sequence[Made]) -> tuple[list[Made], list[Made]]:
    """Of two jobs' items for one picture and recipe, the second waits until the first is written, and then uses it."""
    first: dict[tuple[UUID, str], Made] = {}
    for made in batch:
        first.setdefault((made.held.item.source_id, made.held.item.job.recipe_id), made)
    now = list(first.values())
    return now, [made for made in batch if made not in now]


def _hold_jobs(held: Iterable[Claim]) -> set[UUID]:
    """Hold the jobs against whoever steers them, and say which of them go on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, state FROM jobs_job WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [list({one.item.job_id for one in held})],
        )
        return {job for job, state in cursor.fetchall() if state in GOING_ON}


def _hold_items(held: Sequence[Claim]) -> set[UUID]:
    """Hold the items that are still ours, and return their tokens."""
    tokens = {one.item.pk: one.token for one in held}
    rows = (
        JobItem.objects.select_for_update(no_key=True)
        .filter(pk__in=tokens, state=S.RUNNING)
        .order_by("pk")
        .values_list("pk", "lease_token")
    )
    return {token for pk, token in rows if tokens[pk] == token}


def _made_already(ours: Sequence[Made]) -> dict[UUID, UUID]:
    """By token, the live derivative that another job has made meanwhile."""
    groups: dict[tuple[str, int], list[Made]] = {}
    for made in ours:
        job = made.held.item.job
        groups.setdefault((job.recipe_id, job.run), []).append(made)
    found: dict[UUID, UUID] = {}
    for (recipe, run), group in groups.items():
        live = live_derivatives([made.held.item.source_id for made in group], recipe, run)
        found |= {m.held.token: live[m.held.item.source_id] for m in group if m.held.item.source_id in live}
    return found


def _runs_taken(ours: Sequence[Made]) -> set[tuple[UUID | None, str | None, int]]:
    """Runs that rejected and withdrawn versions have taken for good."""
    rows = Version.objects.filter(
        derived_from__in=[made.held.item.source_id for made in ours],
        recipe__in={made.held.item.job.recipe_id for made in ours},
    )
    return set(rows.values_list("derived_from", "recipe", "run"))


def _derived(made: Made, runs: set[tuple[UUID | None, str | None, int]]) -> catalogue.Derived:
    """As it is recorded: in the job's own run, or the next free one."""
    item, job = made.held.item, made.held.item.job
    taken = {run for source, recipe, run in runs if (source, recipe) == (item.source_id, job.recipe_id)}
    run = job.run if job.run not in taken else max(taken) + 1
    return catalogue.Derived(
        item.source, replace(made.derivative, run=run), job.recipe, job.ordered_by, made.agents, job.reference
    )


def _end(endings: Sequence[Ending]) -> None:
    """Items and their attempts, in two statements."""
    if not endings:
        return
    given: dict[str, list[Any]] = {
        "item": [e.held.item.pk for e in endings],
        "number": [e.held.attempt for e in endings],
        "state": [str(e.state) for e in endings],
        "result": [e.result for e in endings],
        "code": [e.code for e in endings],
        "sentence": [e.sentence for e in endings],
        "outcome": [e.outcome for e in endings],
        "wait": [str(e.wait) if e.wait else None for e in endings],
        "seconds": [e.seconds for e in endings],
        "log": [e.log[-LONGEST_LOG:].replace("\0", "") for e in endings],
    }
    with connection.cursor() as cursor:
        cursor.execute(END.replace("{given}", GIVEN), given)
        cursor.execute(END_ATTEMPT.replace("{given}", GIVEN), given)
