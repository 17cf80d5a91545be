"""What a load balancer, a monitor and Prometheus ask for, and the page an admin looks at."""

import hmac
from dataclasses import asdict

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from archive.accounts import permissions
from archive.system import metrics, readiness, standing

LOOPBACK = {"127.0.0.1", "::1"}


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """The process answers. Nothing else is asked, so that a slow database does not get the web restarted."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """503 if the database, the queue or the storage is down. Workers are listed, and never a reason for 503.

    Details name paths and hosts, so they are for people who look after the machine.
    """
    parts = readiness.parts()
    trusted = may_see_figures(request)
    answer: dict[str, object] = {
        "status": "ready" if all(part.ready for part in parts) else "not ready",
        **{
            part.name: {"state": "ready" if part.ready else "down"}
            | ({"detail": part.detail} if trusted else {})
            for part in parts
        },
        "workers": [
            asdict(worker) if trusted else {"kind": worker.kind, "alive": worker.alive}
            for worker in readiness.workers()
        ],
    }
    return JsonResponse(answer, status=200 if answer["status"] == "ready" else 503)


@login_required
@require_safe
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """How the archive does, for admins: its parts, its disk, its queue, its workers."""
    if not permissions.is_admin(request.user):
        raise Http404
    found = standing.look()
    return render(request, "system/_status.html" if request.htmx else "system/status.html", found)  # type: ignore[attr-defined]


@require_safe
@never_cache
def figures(request: HttpRequest) -> HttpResponse:
    if not may_see_figures(request):
        raise Http404
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def may_see_figures(request: HttpRequest) -> bool:
    """This machine itself (not through a proxy), the bearer of the token, or an admin."""
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and hmac.compare_digest(sent.encode(), settings.METRICS_TOKEN.encode()):
        return True
    proxied = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"))
    if request.META.get("REMOTE_ADDR") in LOOPBACK and not proxied:
        return True
    return readiness.database().ready and permissions.is_admin(request.user)
