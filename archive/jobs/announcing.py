"""Telling people how a job ended, while they sleep: by mail to whoever ordered it, and to a webhook, if set up."""

import json
import logging
import urllib.error
import urllib.request
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from archive.jobs import dispatch
from archive.jobs.models import Job, JobItem
from archive.jobs.progress import counts_of

log = logging.getLogger(__name__)

NEWS = (Job.State.WAITING, Job.State.PAUSED, Job.State.FINISHED)
PATIENCE = 10.0  # seconds for a webhook


def tell_later(job_id: UUID) -> None:
    """After the commit, by the io worker; nothing where neither mail nor webhook is set up."""
    if settings.WEBHOOK or settings.EMAIL_HOST:
        dispatch.tell(job_id)


def tell(job_id: UUID) -> bool:
    """Tell of the state a job came to, once. What cannot be delivered is tried again by the sweeper."""
    job = (
        Job.objects.select_related("ordered_by", "recipe")
        .filter(pk=job_id, state__in=NEWS, told=None)
        .first()
    )
    if job is None:
        return False
    news = summary(job)
    try:
        if settings.WEBHOOK:
            _post(settings.WEBHOOK, news)
        if settings.EMAIL_HOST and job.ordered_by.email:
            send_mail(news["title"], letter(news), settings.DEFAULT_FROM_EMAIL, [job.ordered_by.email])
    except (OSError, urllib.error.URLError) as error:
        log.warning("The end of job %s could not be told (%s); it is tried again.", job_id, error)
        return False
    Job.objects.filter(pk=job_id, state=job.state).update(told=Now())
    return True


def summary(job: Job) -> dict[str, Any]:
    """What there is to tell, as JSON."""
    return {
        "job": str(job.pk), "title": job.title, "state": job.state, "note": job.state_note,
        "counts": counts_of(job.pk), "ordered_by": str(job.ordered_by), "recipe": job.recipe_id,
        "started": job.started.isoformat() if job.started else None,
        "ended": job.ended.isoformat() if job.ended else None, "page": f"{settings.SITE_URL}/jobs/{job.pk}/",
    }  # fmt: skip


def letter(news: dict[str, Any]) -> str:
    """The same in words."""
    state = Job.State(news["state"]).label
    counts = [f"{n} {JobItem.State(name).label}" for name, n in news["counts"].items()]
    lines = [f"{news['title']}: {state}.", ", ".join(counts) + ".", news["note"], news["page"]]
    return "\n\n".join(str(line) for line in lines if line) + "\n\n" + _("— the archive")


def _post(url: str, news: dict[str, Any]) -> None:
    request = urllib.request.Request(  # noqa: S310  (its scheme is checked when settings are read)
        url, data=json.dumps(news).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310
        pass
