"""How the archive stands, for the page an admin looks at: in a fixed number of queries."""

from typing import Any

import redis
from django.conf import settings

from archive.catalogue.models import Event
from archive.iiif.models import Rendition
from archive.jobs import watch
from archive.jobs.models import Job, StandingOrder
from archive.jobs.states import ENDED_JOBS
from archive.system import readiness

QUEUES = ("io", "gpu")


def look() -> dict[str, Any]:
    free, needed = watch.free_bytes(), _needed()
    return {
        "parts": readiness.parts(),
        "free": free,
        "kept": settings.LEAST_FREE,
        "needed": needed,
        "tight": free is not None and free < settings.LEAST_FREE + needed,
        "depth": watch.queue_depth(),
        "renditions": Rendition.objects.filter(state=Rendition.State.WANTED).count(),
        "given_up": Rendition.objects.filter(state=Rendition.State.FAILED).count(),
        "given_up_last": Rendition.objects.filter(state=Rendition.State.FAILED).order_by("-changed").first(),
        "messages_waiting": _messages(),
        "workers": watch.workers(),
        "standing": StandingOrder.objects.filter(ended=None).select_related("collection"),
        "fixity": Event.objects.filter(type=Event.Type.FIXITY_CHECK, detail__has_key="checked").last(),
    }


def _needed() -> int:
    """Bytes that open jobs are estimated to need."""
    rows = Job.objects.exclude(state__in=list(ENDED_JOBS)).exclude(estimate=None)
    return sum(int(estimate["bytes"][1]) for estimate in rows.values_list("estimate", flat=True) if estimate)


def _messages() -> list[tuple[str, int]]:
    """Nudges in the queues; the work itself is in the rows."""
    line = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        return [(name, int(line.llen(name))) for name in QUEUES]
    except redis.RedisError:
        return []
    finally:
        line.close()
