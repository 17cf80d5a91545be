"""The sweeper: finds rows nobody is working on, and puts them right. It may run anywhere, at any time."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from archive.iiif.models import Rendition
from archive.jobs import dispatch
from archive.jobs.models import Attempt, Job, JobItem, Worker
from archive.jobs.services import close_if_ended
from archive.jobs.states import OPEN_ITEMS

LOST_RENDITION = timedelta(seconds=30)  # a message that has not been heeded for so long is taken for lost
SILENT_WORKER = timedelta(seconds=30)
RENDITION_BATCH = 500
LOST = "worker-lost"
NO_TOKEN = UUID(int=0)


@dataclass(frozen=True)
class Swept:
    """What was put right."""

    leases: int
    jobs: int
    renditions: int
    workers: int
    nudged: bool


def sweep() -> Swept:
    """Free what dead workers held, close jobs that are done, and nudge for everything that waits."""
    leases = _free_expired_leases()
    closed = _close_ended_jobs()
    workers = Worker.objects.filter(stopped=None, last_seen__lt=Now() - SILENT_WORKER).update(stopped=Now())
    waiting = JobItem.objects.filter(
        Q(not_before=None) | Q(not_before__lte=Now()),
        state=JobItem.State.QUEUED,
        job__state=Job.State.RUNNING,
    ).exists()
    if waiting:
        dispatch.work()
    return Swept(leases, closed, _nudge_renditions(), workers, waiting)


def _free_expired_leases() -> int:
    """Items whose worker went silent go back to the queue, or fail for good after the last try."""
    with transaction.atomic():
        expired = list(
            JobItem.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("job")
            .filter(state=JobItem.State.RUNNING, lease_until__lt=Now())
        )
        sentence = _("The worker went silent while it was at this picture, %d times.")
        for item in expired:
            Attempt.objects.filter(item=item, token=item.lease_token or NO_TOKEN).update(
                ended=Now(), outcome="lost", code=LOST
            )
            if item.job.state not in {Job.State.RUNNING, Job.State.PAUSED}:
                item.state = JobItem.State.CANCELLED
            elif item.tries >= settings.MAX_TRIES:
                item.state, item.code, item.sentence = JobItem.State.FAILED, LOST, sentence % item.tries
            else:
                item.state = JobItem.State.QUEUED
            item.lease_token = item.lease_until = item.worker = None
            item.save()
    return len(expired)


def _close_ended_jobs() -> int:
    open_items = JobItem.objects.filter(state__in=list(OPEN_ITEMS)).values("job")
    ended = (
        Job.objects.filter(state=Job.State.RUNNING).exclude(pk__in=open_items).values_list("pk", flat=True)
    )
    return sum(close_if_ended(job) for job in ended)


def _nudge_renditions() -> int:
    lost = list(
        Rendition.objects.filter(
            state=Rendition.State.WANTED, kind=Rendition.Kind.PYRAMID, changed__lt=Now() - LOST_RENDITION
        ).values_list("version_id", flat=True)[:RENDITION_BATCH]
    )
    Rendition.objects.filter(version__in=lost, state=Rendition.State.WANTED).update(changed=Now())
    dispatch.render(lost)
    return len(lost)
