"""The pages of jobs: the list, a new order, one job with live progress, and the buttons that steer it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import etag, require_http_methods, require_POST, require_safe

from archive import paging
from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Version
from archive.jobs import masks, progress, services
from archive.jobs.masks import Mask
from archive.jobs.models import Job, JobItem, Worker
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.states import ENDED_JOBS, JOB, OPEN_ITEMS
from archive.jobs.tuning import Tuning, choices
from archive.previews import board
from archive.previews import services as previews
from archive.store import StoreError
from stylizer.errors import RecipeError, StylizerError

SHOWN_ITEMS = 60


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """One's own jobs; an admin sees everybody's."""
    if not permissions.may_order_at_all(request.user):
        raise Http404
    ended = Q(items__state__in=list(progress.ENDED))
    found = (
        Job.objects.filter(permissions.visible_jobs(request.user))
        .select_related("recipe", "ordered_by")
        .annotate(total=Count("items"), ended_count=Count("items", filter=ended))
        .annotate(failed_count=Count("items", filter=Q(items__state=JobItem.State.FAILED)))
        .order_by("-pk")
    )
    context = {"page": paging.newest_first(found, request, size=30), "workers": _workers()}
    return render(request, "jobs/list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Order a recipe for a collection, for items, or for versions."""
    if not permissions.may_order_at_all(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    data = request.POST if request.method == "POST" else request.GET
    asked = {
        "collection": data.get("collection"),
        "items": data.getlist("item"),
        "versions": data.getlist("version"),
    }
    problem = ""
    scope: Scope | None
    try:
        scope = Scope.parse({name: value for name, value in asked.items() if value})
        if request.method == "POST" and data.get("recipe"):
            job = services.order(
                scope,
                Tuning.parse(data).spec(),
                by=request.user,
                again=data.get("again") == "yes",
                mask=_mask(request),
            )
            messages.success(request, _("Ordered. You can leave this page; the work goes on."))
            return redirect("jobs:job", job.pk)
        count = scope.sources(request.user).count()
    except (ScopeError, services.NotAllowed, StylizerError, StoreError) as error:
        problem = str(error)
        scope, count = _scope_again(asked, request.user)
    context = {"asked": asked, "count": count, "scope": scope, "problem": problem} | choices(
        scope, data, by=request.user
    )
    return render(
        request, "jobs/new.html", context, status=400 if problem and request.method == "POST" else 200
    )


@login_required
@require_POST
def preview(request: HttpRequest) -> JsonResponse:
    """Ask for a look at a region with the form as it stands; the page then follows it through the API."""
    if not permissions.may_order_at_all(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    rows = Version.objects.filter(permissions.visible_versions(request.user))
    version = get_object_or_404(
        rows.select_related("scan__item__collection"), pk=_id(request.POST.get("shown"))
    )
    try:
        mask = _mask(request)
        asked = previews.ask(
            version,
            Tuning.parse(request.POST).spec(),
            previews.Region.parse({name: _number(request.POST.get(name)) for name in ("x", "y")}),
            by=request.user,
            where=mask.where if mask else masks.Where.EVERYWHERE,
            areas=mask.areas if mask else (),
        )
    except (StylizerError, services.NotAllowed) as problem:
        return JsonResponse({"problem": str(problem)}, status=400)
    except board.PreviewUnavailable as problem:
        return JsonResponse({"problem": str(problem)}, status=503)
    return JsonResponse({"url": reverse("api:preview", args=[asked])}, status=202)


def _id(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError as error:
        raise Http404 from error


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None


def _mask(request: HttpRequest) -> Mask | None:
    """Where the recipe may act: everywhere, by marked areas, or by a file of the person's own."""
    if isinstance(file := request.FILES.get("mask"), TemporaryUploadedFile):
        return Mask(file=Path(file.temporary_file_path()))
    try:
        areas = json.loads(request.POST.get("areas") or "[]")
    except ValueError as error:
        raise RecipeError("areas", "a list of marked areas", request.POST.get("areas")) from error
    where, marked = masks.parse(request.POST.get("where"), areas)
    return Mask(where, marked) if marked else None


def _scope_again(asked: Mapping[str, Any], by: User) -> tuple[Scope | None, int]:
    """The scope of an order that was refused for another reason, so that nobody has to choose it again."""
    try:
        scope = Scope.parse({name: value for name, value in asked.items() if value})
        return scope, scope.sources(by).count()
    except ScopeError:
        return None, 0


@login_required
@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job: progress, items by state, buttons."""
    found = _job(request, job_id)
    state = request.GET.get("state", "")
    items = found.items.select_related("source__scan__item", "result__review", "worker")
    if state in JobItem.State.values:
        items = items.filter(state=state)
    after = request.GET.get("after", "")
    position = int(after) if after.isascii() and after.isdigit() else 0
    rows = list(items.filter(position__gt=position).order_by("position")[: SHOWN_ITEMS + 1])
    context = _progress(found) | {
        "items": rows[:SHOWN_ITEMS],
        "next": rows[SHOWN_ITEMS - 1].position if len(rows) > SHOWN_ITEMS else None,
        "state": state,
        "steering": _steering(request, found),
    }
    return render(request, "jobs/job.html", context)


def _tag(request: HttpRequest, job_id: UUID) -> str:
    """Changes whenever the fragment would: with counts, with tiles, with the job's state."""
    found = _job(request, job_id)
    rows = found.items.aggregate(n=Count("pk", filter=Q(state__in=list(OPEN_ITEMS))))
    tiles = list(found.items.filter(state=JobItem.State.RUNNING).values_list("pk", "tiles_done"))
    return f'"{found.state}-{rows["n"]}-{hash(tuple(tiles))}"'


@login_required
@require_safe
@etag(_tag)
def live(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """The part of a job's page that is asked for again every two seconds; 286 tells htmx to stop asking."""
    found = _job(request, job_id)
    status = 286 if found.state in ENDED_JOBS else 200
    return render(request, "jobs/_progress.html", _progress(found), status=status)


@login_required
@require_POST
def steer(request: HttpRequest, job_id: UUID, action: str) -> HttpResponse:
    """Pause, resume, cancel, retry, undo."""
    found = _job(request, job_id)
    if action not in _steering(request, found):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    by, note = request.user, request.POST.get("note", "")
    try:
        if action == "pause":
            services.pause(found, by=by, note=note)
        elif action == "resume":
            services.resume(found, by=by)
        elif action == "cancel":
            services.cancel(found, by=by, note=note)
        elif action == "retry":
            count = services.retry(found, by=by)
            messages.success(
                request, ngettext("%d item is tried again.", "%d items are tried again.", count) % count
            )
        else:
            touched = services.undo(found, by=by)
            sentence = ngettext(
                "%d derivative is withdrawn.", "%d derivatives are withdrawn.", touched.withdrawn
            )
            messages.success(request, sentence % touched.withdrawn)
            if touched.published:
                left = ngettext(
                    "%d published one was left alone.",
                    "%d published ones were left alone.",
                    touched.published,
                )
                messages.warning(request, left % touched.published)
    except services.NotNow as problem:
        messages.error(request, str(problem))
    return redirect("jobs:job", found.pk)


def _job(request: HttpRequest, job_id: UUID) -> Job:
    rows = Job.objects.filter(permissions.visible_jobs(request.user)).select_related(
        "recipe", "ordered_by", "state_by"
    )
    return get_object_or_404(rows, pk=job_id)


def _progress(found: Job) -> dict[str, object]:
    state = progress.of(found)
    running = found.items.filter(state=JobItem.State.RUNNING).select_related("source__scan__item")
    return {
        "job": found,
        "progress": state,
        "counts": [(s, s.label, state.counts.get(s, 0)) for s in JobItem.State if state.counts.get(s, 0)],
        "running": running[:8],
        "is_over": found.state in ENDED_JOBS,
        "elapsed": progress.elapsed(found),
    }


def _steering(request: HttpRequest, found: Job) -> list[str]:
    """What this person can do to the job in its present state."""
    if not permissions.may_steer_job(request.user, found.ordered_by_id):
        return []
    possible = [event for state, event in JOB if state == found.state]
    allowed: list[str] = [
        action for action in ("pause", "resume", "cancel", "retry", "undo") if action in possible
    ]
    if "retry" in allowed and not found.items.filter(state__in=["failed", "cancelled"]).exists():
        allowed.remove("retry")
    if "undo" in allowed and not permissions.is_admin(request.user):
        allowed.remove("undo")
    return allowed


def _workers() -> list[Worker]:
    return list(Worker.objects.filter(stopped=None).select_related("current_item").order_by("kind", "name"))
