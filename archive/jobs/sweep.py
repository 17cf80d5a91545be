"""The sweeper: finds rows nobody is working on, and puts them right. It may run anywhere, at any time."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from archive.iiif.models import Rendition
from archive.jobs import announcing, dispatch, standing
from archive.jobs.models import Job, JobItem, Worker
from archive.jobs.orders import NotAllowed
from archive.jobs.services import close_if_ended, resume
from archive.jobs.states import SERVED, NotNow

LOST_RENDITION = timedelta(seconds=30)  # a message that has not been heeded for so long is taken for lost
SILENT_WORKER = timedelta(seconds=30)
RENDITION_BATCH = 500
LOST = "worker-lost"

# One statement each: what a dead worker held goes back as it was if it was not begun, and counts as a try if it was.
FREE = """
WITH gone AS (
    SELECT i.id, i.begun, j.state IN ('sampling', 'running', 'paused') AS goes_on, i.lease_token, i.tries
    FROM jobs_jobitem i JOIN jobs_job j ON j.id = i.job_id
    WHERE i.state = 'running' AND i.lease_until < now() FOR UPDATE OF i SKIP LOCKED
),
told AS (
    UPDATE jobs_attempt a SET ended = now(), outcome = 'lost', code = %(lost)s FROM gone
    WHERE a.item_id = gone.id AND a.token = gone.lease_token AND a.ended IS NULL
)
UPDATE jobs_jobitem i SET lease_token = NULL, lease_until = NULL, worker_id = NULL, changed = now(),
    state = CASE WHEN NOT goes_on THEN 'cancelled'
                 WHEN gone.begun IS NOT NULL AND gone.tries >= %(most)s THEN 'failed' ELSE 'queued' END,
    ended = CASE WHEN goes_on AND (gone.begun IS NULL OR gone.tries < %(most)s) THEN NULL ELSE now() END,
    code = CASE WHEN goes_on AND gone.begun IS NOT NULL AND gone.tries >= %(most)s THEN %(lost)s ELSE '' END,
    sentence = CASE WHEN goes_on AND gone.begun IS NOT NULL AND gone.tries >= %(most)s
                    THEN format(%(sentence)s, gone.tries) ELSE '' END
FROM gone WHERE i.id = gone.id
"""
# Queued items of jobs that were stopped: given back by somebody in the moment of the stop.
STRANDED = """
UPDATE jobs_jobitem i SET state = 'cancelled', ended = now(), changed = now() FROM jobs_job j
WHERE j.id = i.job_id AND i.state = 'queued' AND j.state IN ('cancelled', 'undoing', 'undone')
"""
FOLD = """
WITH gone AS (DELETE FROM jobs_tally WHERE job_id = %s RETURNING state, delta)
INSERT INTO jobs_tally (job_id, state, delta)
SELECT %s, state, sum(delta) FROM gone GROUP BY state HAVING sum(delta) <> 0
"""
FOLDED_AT = 200  # rows of one job's tally


@dataclass(frozen=True)
class Swept:
    """What was put right."""

    leases: int
    jobs: int
    renditions: int
    workers: int
    nudged: bool


def sweep() -> Swept:
    """Free what dead workers held, bring jobs on, and nudge for everything that waits."""
    leases = _free_expired_leases()
    closed = sum(close_if_ended(job) for job in _jobs(*SERVED))
    workers = Worker.objects.filter(stopped=None, last_seen__lt=Now() - SILENT_WORKER).update(
        stopped=Now(), current_item=None
    )
    _go_on()
    waiting = JobItem.objects.filter(
        Q(not_before=None) | Q(not_before__lte=Now()),
        Q(job__state=Job.State.RUNNING) | Q(job__state=Job.State.SAMPLING, sample=True),
        state=JobItem.State.QUEUED,
    ).exists()
    if waiting:
        dispatch.work()
    fold_tallies()
    return Swept(leases, closed, _nudge_renditions(), workers, waiting)


def _go_on() -> None:
    """Orders and undos whose message was lost, pauses that are over, standing orders whose hour has come, news that
    did not arrive."""
    standing.look_all()
    for job in _jobs(Job.State.FREEZING):
        dispatch.fan_out(job)
    for job in _jobs(Job.State.UNDOING):
        dispatch.withdraw(job)
    for paused in Job.objects.filter(state=Job.State.PAUSED, paused_until__lte=Now()):
        try:
            resume(paused, by=None, note=_("The pause was over."))
        except NotNow:
            continue
        except NotAllowed as problem:  # it waits for somebody who may, and says so
            Job.objects.filter(pk=paused.pk, state=Job.State.PAUSED).update(
                paused_until=None, state_note=str(problem)[:300]
            )
    for job in announcing.untold():
        announcing.tell_later(job)


def _jobs(*states: str) -> list[UUID]:
    return list(Job.objects.filter(state__in=states).values_list("pk", flat=True))


def _free_expired_leases() -> int:
    """Items whose worker went silent go back to the queue, or fail for good after the last try."""
    sentence = _("The worker went silent while it was at this picture, %s times.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FREE, {"lost": LOST, "most": settings.MAX_TRIES, "sentence": sentence})
        freed = cursor.rowcount
        cursor.execute(STRANDED)
        return int(freed)


def fold_tallies() -> None:
    """Many rows of a job's tally become a few with the same sums."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT job_id FROM jobs_tally GROUP BY 1 HAVING count(*) > %s", [FOLDED_AT])
        for (job,) in cursor.fetchall():
            with transaction.atomic():
                cursor.execute(FOLD, [job, job])


def _nudge_renditions() -> int:
    lost = list(
        Rendition.objects.filter(
            state=Rendition.State.WANTED, kind=Rendition.Kind.PYRAMID, changed__lt=Now() - LOST_RENDITION
        ).values_list("version_id", flat=True)[:RENDITION_BATCH]
    )
    Rendition.objects.filter(version__in=lost, state=Rendition.State.WANTED).update(changed=Now())
    dispatch.render(lost)
    return len(lost)
