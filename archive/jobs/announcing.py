"""Telling people how a job ended, while they sleep: by mail to whoever ordered it, and to a webhook, if set up.

Each channel has a row (`Telling`). A try is written down before anything is sent, by a conditional update: of two who
tell at once one sends, and what cannot be delivered is tried less and less often and not for ever.
"""

import json
import logging
import urllib.request
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from archive.jobs import dispatch
from archive.jobs.models import Job, JobItem, Telling
from archive.jobs.progress import counts_of

log = logging.getLogger(__name__)

NEWS = (Job.State.WAITING, Job.State.PAUSED, Job.State.FINISHED)
PATIENCE = 10.0  # seconds for a webhook
AT_ONCE = timedelta(minutes=1)  # so long the message sent with the commit has, before the sweeper asks
STALE = timedelta(days=1)  # older news is nobody's news
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
MOST_TRIES = 10  # with those waits the last is eight hours after the first

Channel = Telling.Channel


def tell_later(job_id: UUID) -> None:
    """After the commit, by the io worker; nothing where neither mail nor webhook is set up."""
    if settings.WEBHOOK or settings.EMAIL_HOST:
        dispatch.tell(job_id)


def tell(job_id: UUID) -> bool:
    """Tell of the state a job came to, once on each channel; True once it has arrived on all of them.

    What cannot be delivered is tried again when the sweeper says so.
    """
    job = (
        Job.objects.select_related("ordered_by", "recipe")
        .filter(pk=job_id, state__in=NEWS, told=None)
        .first()
    )
    if job is None:
        return False
    channels, news = _channels(job), job.since or job.created
    Telling.objects.bulk_create(
        [Telling(job=job, channel=channel, news=news) for channel in channels], ignore_conflicts=True
    )
    said = summary(job)
    for channel in channels:
        _tell_by(channel, job, said, news)
    if Telling.objects.filter(job=job, news=news, channel__in=channels, told=None).exists():
        return False
    Job.objects.filter(pk=job_id, state=job.state, since=job.since).update(told=Now())
    return True


def untold() -> list[UUID]:
    """Jobs whose message was lost, or whose news did not arrive on a channel where it is time to try again."""
    begun = Telling.objects.filter(job=OuterRef("pk"), news=OuterRef("since"))
    recent = Job.objects.filter(state__in=NEWS, told=None, since__gt=Now() - STALE, since__lt=Now() - AT_ONCE)
    return list(recent.filter(~Exists(begun) | Exists(_due(begun))).values_list("pk", flat=True))


def wait_after(tries: int) -> timedelta:
    """How long after this try the next may be made."""
    return min(FIRST_WAIT * (1 << (tries - 1)), LONGEST_WAIT)


def _channels(job: Job) -> list[str]:
    """By which this job's news goes: those that are set up, and mail only to whom has an address."""
    known = {Channel.WEBHOOK: settings.WEBHOOK, Channel.MAIL: settings.EMAIL_HOST and job.ordered_by.email}
    return [channel.value for channel, set_up in known.items() if set_up]


def _due(tellings: QuerySet[Telling]) -> QuerySet[Telling]:
    known = {Channel.WEBHOOK: settings.WEBHOOK, Channel.MAIL: settings.EMAIL_HOST}
    return tellings.filter(
        Q(not_before=None) | Q(not_before__lte=Now()),
        channel__in=[channel for channel, set_up in known.items() if set_up],
        told=None,
        tries__lt=MOST_TRIES,
    )


def _tell_by(channel: str, job: Job, said: dict[str, Any], news: datetime) -> None:
    """One try, if it is time for one and nobody else makes it."""
    row = _due(Telling.objects.filter(job=job, news=news, channel=channel)).first()
    if row is None:
        return
    row.tries += 1
    mine = Telling.objects.filter(pk=row.pk, tries=row.tries - 1, told=None)
    if not mine.update(tries=row.tries, not_before=Now() + wait_after(row.tries)):
        return
    try:
        if channel == Channel.WEBHOOK:
            _post(settings.WEBHOOK, said)
        else:
            send_mail(said["title"], letter(said), settings.DEFAULT_FROM_EMAIL, [job.ordered_by.email])
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a header that no letter may have
        Telling.objects.filter(pk=row.pk).update(problem=str(error)[:300])
        goes_on = "it is tried again" if row.tries < MOST_TRIES else "it is given up"
        log.warning("The end of job %s could not be told by %s (%s); %s.", job.pk, channel, error, goes_on)
    else:
        Telling.objects.filter(pk=row.pk).update(told=Now(), problem="")


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
