"""The order form: what is made, of what and on which terms, with a look at it beforehand."""

import json
from pathlib import Path

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from archive.accounts import permissions
from archive.accounts.models import Role, User
from archive.catalogue import queries
from archive.catalogue.models import Collection, Version
from archive.ids import as_uuid
from archive.jobs import judging, masks, services
from archive.jobs.masks import Mask
from archive.jobs.models import Job
from archive.jobs.orders import gpu_known
from archive.jobs.recipes import resolve_asked, takes_styles
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.terms_form import asked_of, scope_of, style_picture, terms_of
from archive.jobs.tuning import Tuning, choices
from archive.previews import board
from archive.previews import services as previews
from archive.store import StoreError
from stylizer.errors import RecipeError, StylizerError

ASKED = ("collection", "search", "items", "versions")  # each is a scope to order for
BULK = 50  # more than so many scans: a sample first is offered


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Order a recipe for a collection, for what a search finds, for items, or for versions."""
    if not permissions.may_order_at_all(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    data = request.POST if request.method == "POST" else request.GET
    if request.method == "GET" and not any(asked_of(data)[kind] for kind in ASKED):
        return render(request, "jobs/new.html", {"places": _places(request.user)})
    problem = ""
    scope: Scope | None
    reference = style_picture(data, request.user)
    try:
        scope, asked = scope_of(data)
        if request.method == "POST" and data.get("recipe"):
            job = services.order(
                scope, Tuning.parse(data).spec(), by=request.user, mask=_mask(request), terms=terms_of(data),
                reference=reference,
            )  # fmt: skip
            messages.success(request, _("Ordered. You can leave this page; the work goes on."))
            return redirect("jobs:job", job.pk)
        count = scope.sources(request.user).order_by().count()
    except (ScopeError, services.NotAllowed, StylizerError, StoreError) as error:
        problem, asked = str(error), asked_of(data)
        scope, count = _scope_again(data, request.user)
    context = {
        "asked": asked, "count": count, "scope": scope, "problem": problem, "modes": Job.Mode,
        "bulk": count > BULK, "cpu_only": not gpu_known(),
    } | choices(scope, data, by=request.user, reference=reference if takes_styles() else None)  # fmt: skip
    return render(
        request, "jobs/new.html", context, status=400 if problem and request.method == "POST" else 200
    )


@login_required
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """What would become of the order as the form stands: so many made, found made, left out and why."""
    if not permissions.may_order_at_all(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    try:
        scope, _asked = scope_of(request.POST)
        spec = Tuning.parse(request.POST).spec()
        recipe = resolve_asked(spec, reference=style_picture(request.POST, request.user))
        sources, terms = scope.sources(request.user), terms_of(request.POST)
        found = judging.judge(sources, recipe=recipe.digest, operations=recipe.operations, terms=terms)
        named = judging.examples(sources, recipe=recipe.digest, operations=recipe.operations, terms=terms)
        context = {"judged": found, "examples": named, "terms": terms}
    except (ScopeError, services.NotAllowed, StylizerError) as error:
        context = {"problem": str(error)}
    return render(request, "jobs/_check.html", context)


@login_required
@require_POST
def preview(request: HttpRequest) -> JsonResponse:
    """Ask for a look at a region with the form as it stands; the page then follows it through the API."""
    if not permissions.may_order_at_all(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    rows = Version.objects.filter(permissions.visible_versions(request.user))
    version = get_object_or_404(
        rows.select_related("scan__item__collection"), pk=as_uuid(request.POST.get("shown"))
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
            reference=style_picture(request.POST, request.user),
        )
    except (StylizerError, services.NotAllowed) as problem:
        return JsonResponse({"problem": str(problem)}, status=400)
    except board.PreviewUnavailable as problem:
        return JsonResponse({"problem": str(problem)}, status=503)
    return JsonResponse({"url": reverse("api:preview", args=[asked])}, status=202)


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


def _places(by: User) -> QuerySet[Collection]:
    """Where an order can begin: the collections one works in, with how much is in each and below it."""
    own = permissions.own_collections(by, Role.ARCHIVIST)
    return queries.collections_for(by).filter(own).order_by("title")


def _scope_again(data: QueryDict, by: User) -> tuple[Scope | None, int]:
    """The scope of an order that was refused for another reason, so that nobody has to choose it again."""
    try:
        scope, _asked = scope_of(data)
        return scope, scope.sources(by).order_by().count()
    except ScopeError:
        return None, 0
