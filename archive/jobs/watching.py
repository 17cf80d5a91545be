"""The pages on which jobs are watched and steered. Each is a fixed, small number of queries, however large the job."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import etag, require_POST, require_safe

from archive import paging
from archive.accounts import permissions
from archive.accounts.models import User
from archive.jobs import progress, services, watch
from archive.jobs.models import Job, JobItem
from archive.jobs.states import JOB

SHOWN_ITEMS = 60
ACTIONS = ("start", "pause", "resume", "cancel", "retry", "undo")


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """One's own jobs; an admin sees everybody's."""
    _works_here(request)
    rows = Job.objects.filter(permissions.visible_jobs(request.user)).select_related("ordered_by", "state_by")
    page = paging.newest_first(rows.order_by("-pk"), request, size=30)
    context = {"page": page, "rows": watch.overview(page.rows), "workers": watch.workers(by=request.user)}
    return render(request, "jobs/_list.html" if request.htmx else "jobs/list.html", context)  # type: ignore[attr-defined]


def _tag(request: HttpRequest, job_id: UUID) -> str:
    return watch.tag(_job(request, job_id))


@login_required
@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job: progress, what it made, items by state, buttons."""
    found = _job(request, job_id)
    seen = watch.progress_of(found, by=request.user)
    steering = _steering(request, found, seen["progress"].counts)
    context = seen | _items(request, found, steering) | {"steering": steering}
    return render(request, "jobs/job.html", context)


@login_required
@require_safe
@etag(_tag)
def live(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """The part of a job's page that is asked for again every two seconds, while nothing changed with a 304.

    With `?rows=` the table of items comes with it: asked for by itself it told of another moment than the counts.
    """
    found = _job(request, job_id)
    context = watch.progress_of(found, by=request.user)
    if "rows" in request.GET:
        context |= _items(request, found, _steering(request, found, context["progress"].counts))
    return render(request, "jobs/_live.html", context)


def _buttons_tag(request: HttpRequest, job_id: UUID) -> str:
    found = _job(request, job_id)
    return f'"{found.pk}-{"-".join(_steering(request, found, progress.counts_of(found.pk)))}"'


@login_required
@require_safe
@etag(_buttons_tag)
def buttons(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """What can be done to a job now: it changes when somebody else steers it, and not with every picture."""
    found = _job(request, job_id)
    steering = _steering(request, found, progress.counts_of(found.pk))
    return render(request, "jobs/_steering.html", {"job": found, "steering": steering})


@login_required
@require_safe
def item(request: HttpRequest, job_id: UUID, item_id: int) -> HttpResponse:
    """All tries of one item, with what was written while it was tried."""
    found = _job(request, job_id)
    rows = watch.items_of(found, by=request.user).select_related(
        "source__scan__item", "result__review", "worker"
    )
    one = get_object_or_404(rows.prefetch_related("attempts"), pk=item_id)
    return render(request, "jobs/item.html", {"job": found, "item": one})


@login_required
@require_safe
def listed(request: HttpRequest, job_id: UUID) -> StreamingHttpResponse:
    """All items as CSV, or those in one state; written as it is read, so that fifty thousand are no burden."""
    found, state = _job(request, job_id), request.GET.get("state", "")
    rows = watch.items_of(found, by=request.user)
    rows = rows.filter(state=state) if state in JobItem.State.values else rows
    answer = StreamingHttpResponse(_csv(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="job-{found.pk}{"-" + state if state else ""}.csv"'
    return answer


@login_required
@require_safe
def sheet(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The contact sheet: everything the job made, before and after, newest first."""
    found = _job(request, job_id)
    items = watch.items_of(found, by=request.user)
    rows, more = watch.contact_sheet(items, before=request.GET.get("before", ""), size=48)
    return render(request, "jobs/sheet.html", {"job": found, "sheet": rows, "more": more})


@login_required
@require_safe
def undoing(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What an undo would withdraw and what it would leave alone, before anybody says yes."""
    found = _job(request, job_id)
    if "undo" not in _steering(request, found, {}):
        raise Http404
    return render(request, "jobs/undo.html", {"job": found, "touched": services.will_touch(found)})


@login_required
@require_POST
def steer(request: HttpRequest, job_id: UUID, action: str) -> HttpResponse:
    """Start, pause, resume, cancel, retry, undo."""
    found = _job(request, job_id)
    if action not in ACTIONS or not permissions.may_steer_job(request.user, found.ordered_by_id):
        raise Http404
    if action == "undo" and not permissions.is_admin(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    try:
        _act(request, found, action, by=request.user)
    except (services.NotNow, services.NotAllowed) as problem:
        # Somebody was quicker, or a right was taken back.
        messages.error(request, str(problem))
    return redirect("jobs:job", found.pk)


def _act(request: HttpRequest, found: Job, action: str, *, by: User) -> None:
    note = request.POST.get("note", "").strip()
    if action == "start":
        services.start(found, by=by)
    elif action == "pause":
        services.pause(found, by=by, note=note, until=watch.pause_end(request.POST.get("hours", "")))
    elif action == "resume":
        services.resume(found, by=by)
    elif action == "cancel":
        services.cancel(found, by=by, note=note)
    elif action == "retry":
        chosen = [int(pk) for pk in request.POST.getlist("item") if pk.isascii() and pk.isdigit()]
        count = services.retry(found, by=by, items=chosen or None)
        messages.success(
            request, ngettext("%d item is tried again.", "%d items are tried again.", count) % count
        )
    else:
        _tell_undone(request, services.undo(found, by=by))


def _tell_undone(request: HttpRequest, undone: services.Undone) -> None:
    """How many it were, where that is known: of many it is not before the last of them."""
    if undone.goes_on:
        messages.success(
            request, _("Its derivatives are being withdrawn; this page says when all of them are.")
        )
        return
    said = ngettext("%d derivative was withdrawn.", "%d derivatives were withdrawn.", undone.withdrawn)
    messages.success(request, said % undone.withdrawn)
    if undone.published:
        left = ngettext(
            "%d published one was left alone.", "%d published ones were left alone.", undone.published
        )
        messages.warning(request, left % undone.published)


def _works_here(request: HttpRequest) -> None:
    if not permissions.may_order_at_all(request.user):
        raise Http404


def _job(request: HttpRequest, job_id: UUID) -> Job:
    """Looked up once a request: the tag that may answer it with a 304 asks for it too. Nothing for who works here no
    longer, though the job was theirs."""
    _works_here(request)
    found = getattr(request, "_job", None)
    if found is None:
        rows = Job.objects.filter(permissions.visible_jobs(request.user)).select_related(
            "recipe", "ordered_by", "state_by"
        )
        found = get_object_or_404(rows, pk=job_id)
        request._job = found  # type: ignore[attr-defined]
    return found


def _steering(request: HttpRequest, found: Job, counts: Mapping[str, int]) -> list[str]:
    """What this person can do to the job in its present state."""
    if not permissions.may_steer_job(request.user, found.ordered_by_id):
        return []
    possible = {event for state, event in JOB if state == found.state}
    allowed = [action for action in ACTIONS if action in possible]
    if "start" in allowed and found.state != Job.State.WAITING:
        allowed.remove("start")
    if "retry" in allowed and not counts.get("failed", 0) + counts.get("cancelled", 0):
        allowed.remove("retry")
    if "undo" in allowed and not permissions.is_admin(request.user):
        allowed.remove("undo")
    return allowed


def _items(request: HttpRequest, found: Job, steering: Sequence[str]) -> dict[str, Any]:
    """A page of items by key, in one state or in all."""
    state, after = request.GET.get("state", ""), request.GET.get("after", "")
    rows = watch.items_of(found, by=request.user)
    rows = rows.filter(state=state) if state in JobItem.State.values else rows
    position = int(after) if after.isascii() and after.isdigit() and len(after) < 9 else 0
    # The keys first: joined at once, the planner reads and sorts all fifty thousand for the sake of sixty.
    keys = list(
        rows.filter(position__gt=position)
        .order_by("position")
        .values_list("pk", flat=True)[: SHOWN_ITEMS + 1]
    )
    choosable = state in {"failed", "cancelled"} and "retry" in steering
    joined = JobItem.objects.select_related("source__scan__item", "result__review", "worker")
    page = list(joined.filter(pk__in=keys).order_by("position"))
    return {
        "items": page[:SHOWN_ITEMS],
        "next": page[SHOWN_ITEMS - 1].position if len(page) > SHOWN_ITEMS else None,
        "state": state,
        "choosable": choosable,
        "followed": not position and not choosable,  # or ticks would be lost
        "tabs": [("", _("all"))] + [(s.value, s.label) for s in JobItem.State],
    }


class _Echo:
    def write(self, line: str) -> str:
        return line


def _csv(rows: Any) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(
        ["position", "title", "source", "state", "code", "sentence", "tries", "seconds", "result", "ended"]
    )
    wanted = rows.select_related("source__scan__item").order_by("position")
    for one in wanted.iterator(chunk_size=2_000):
        yield writer.writerow(
            [
                one.position, _plain(one.source.scan.item.title), one.source_id, one.state, one.code,
                _plain(one.sentence), one.tries, one.seconds if one.seconds is not None else "",
                one.result_id or "", one.ended.isoformat() if one.ended else "",
            ]
        )  # fmt: skip


def _plain(text: str) -> str:
    """A spreadsheet must not take a title for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
