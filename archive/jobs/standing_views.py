"""The page of standing orders: give, pause, resume and end them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Collection
from archive.jobs import standing as services
from archive.jobs.models import JobItem, StandingOrder
from archive.jobs.orders import NotAllowed
from archive.jobs.recipes import offered
from archive.jobs.saved import listed
from archive.jobs.states import NotNow
from archive.jobs.terms_form import hours_of, whole

ENDED_SHOWN = 20


@login_required
@require_http_methods(["GET", "POST"])
def standing(request: HttpRequest) -> HttpResponse:
    """All standing orders, and the form for another."""
    by = _admin(request)
    problem = ""
    if request.method == "POST":
        try:
            made = _make(request, by=by)
            messages.success(request, _("From now on: %s.") % made)
            return redirect("jobs:standing")
        except NotAllowed as error:
            problem = str(error)
    context = {
        "orders": _rows(ended=None),
        "over": _rows(ended__isnull=False).order_by("-ended")[:ENDED_SHOWN],
        "collections": Collection.objects.order_by("title", "pk"),
        "recipes": [*offered(), *(row.name for row in listed(by))],
        "problem": problem,
        "form": request.POST,
        "chosen": request.POST.get("collection") or request.GET.get("collection", ""),
        "hours": range(24),
    }
    return render(request, "jobs/standing.html", context, status=400 if problem else 200)


@login_required
@require_POST
def act(request: HttpRequest, order_id: int, action: str) -> HttpResponse:
    """Pause, resume or end one, or let it look now."""
    by = _admin(request)
    found = get_object_or_404(StandingOrder.objects.select_related("collection", "ordered_by"), pk=order_id)
    try:
        if action == "look":
            job = services.look_now(found, by=by)
            if job is not None:
                return redirect("jobs:job", job.pk)
            messages.success(request, _("It looked, and there is nothing new."))
        elif action in services.CHANGES:
            services.CHANGES[action](found, by=by)
        else:
            raise Http404
    except (NotNow, NotAllowed) as problem:
        messages.error(request, str(problem))
    return redirect("jobs:standing")


def _make(request: HttpRequest, *, by: User) -> StandingOrder:
    place = Collection.objects.filter(ref=request.POST.get("collection", "")).first()
    if place is None:
        raise NotAllowed(_("Choose a collection."))
    return services.make(
        place,
        request.POST.get("recipe", ""),
        by=by,
        hour=whole(request.POST.get("hour"), _("The hour"), 22),
        hours=hours_of(request.POST),
        backlog="all" if request.POST.get("backlog") == "yes" else "new-only",
    )


def _rows(**which: Any) -> Any:
    made = Count("jobs__items", filter=Q(jobs__items__state=JobItem.State.DONE))
    rows = StandingOrder.objects.filter(**which).select_related("collection", "ordered_by")
    newest = Max("jobs__created")
    return rows.annotate(orders=Count("jobs", distinct=True), made=made, newest=newest)


def _admin(request: HttpRequest) -> User:
    if not permissions.may_keep_standing_orders(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user
