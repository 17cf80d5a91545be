"""The pages of exhibits: to look at, and to compose."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive.accounts.models import User
from archive.accounts.permissions import may_compose
from archive.exhibits import queries, services
from archive.exhibits.models import Entry, Exhibit
from archive.ids import as_uuid


@require_safe
def exhibits(request: HttpRequest) -> HttpResponse:
    """All that may be visited; to curators also what is being composed."""
    rows = list(queries.exhibits_for(request.user))
    faces = queries.faces_of(request.user, rows)
    context = {
        "exhibits": [(row, faces.get(row.pk)) for row in rows],
        "may_compose": may_compose(request.user),
    }
    return render(request, "exhibits/list.html", context)


@require_safe
def exhibit(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(queries.exhibits_for(request.user), slug=slug)
    shown = queries.entries_for(request.user, found)
    context = {
        "exhibit": found,
        "shown": shown,
        "made_by_ai": sum(one.original is not None for one in shown),
        "may_compose": may_compose(request.user),
        "withheld": found.entries.count() - len(shown) if may_compose(request.user) else 0,
    }
    return render(request, "exhibits/exhibit.html", context)


@login_required
@require_POST
def new(request: HttpRequest) -> HttpResponse:
    _composer(request)
    try:
        made = services.begin(request.POST.get("title", ""), by=_person(request))
    except services.ExhibitProblem as problem:
        messages.error(request, str(problem))
        return redirect("exhibits:list")
    return redirect("exhibits:edit", slug=made.slug)


@login_required
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """GET: the composing page. POST: its texts and order, then what was pressed."""
    _composer(request)
    found = get_object_or_404(Exhibit, slug=slug)
    if request.method == "POST":
        return _change(request, found)
    text, kind = request.GET.get("q", "").strip()[:200], request.GET.get("kind", "ai")
    context = {
        "exhibit": found,
        "shown": queries.entries_for(request.user, found),
        "hidden": queries.not_public(found),
        "layouts": Entry.Layout.choices,
        "found": queries.find(request.user, text, kind=kind),
        "q": text,
        "kind": kind,
    }
    return render(request, "exhibits/edit.html", context)


@login_required
@require_safe
def find(request: HttpRequest, slug: str) -> HttpResponse:
    """Pictures to choose from, as a part of the composing page."""
    _composer(request)
    found = get_object_or_404(Exhibit, slug=slug)
    text, kind = request.GET.get("q", "").strip()[:200], request.GET.get("kind", "ai")
    context = {
        "exhibit": found,
        "found": queries.find(request.user, text, kind=kind),
        "q": text,
        "kind": kind,
    }
    return render(request, "exhibits/_found.html", context)


def _change(request: HttpRequest, found: Exhibit) -> HttpResponse:
    form = request.POST
    try:
        _write(found, form)
        added = _pressed(request, found)
    except services.ExhibitProblem as problem:
        if not request.accepts("text/html"):
            return JsonResponse({"problem": {"code": problem.code, "sentence": str(problem)}}, status=409)
        messages.error(request, str(problem))
        added = None
    if not request.accepts("text/html"):
        if added is None:
            return JsonResponse({"saved": True})
        shown = [one for one in queries.entries_for(request.user, found) if one.entry.pk == added.pk]
        context = {"shown": shown, "layouts": Entry.Layout.choices}
        return render(request, "exhibits/_entries.html", context)
    if not Exhibit.objects.filter(pk=found.pk).exists():
        return redirect("exhibits:list")
    return redirect("exhibits:edit", slug=found.slug)


def _write(found: Exhibit, form: QueryDict) -> None:
    order = [int(one) for one in form.getlist("entry") if one.isdecimal() and len(one) < 19]
    said = {
        key: services.Said(
            form.get(f"heading-{key}", ""), form.get(f"caption-{key}", ""), form.get(f"layout-{key}", "")
        )
        for key in order
    }
    services.write(
        found,
        title=form.get("title", ""),
        subtitle=form.get("subtitle", ""),
        introduction=form.get("introduction", ""),
        order=order,
        said=said,
    )


def _pressed(request: HttpRequest, found: Exhibit) -> Entry | None:
    """Carry out the button that sent the form; returns the picture it hung, if it did."""
    form = request.POST
    if wanted := as_uuid(form.get("add")):
        return services.hang(found, wanted, by=_person(request))
    for name, act in (("up", -1), ("down", 1), ("remove", 0)):
        number = form.get(name, "")
        entry = found.entries.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None
        if entry is not None and act:
            services.move(entry, by=act)
        elif entry is not None:
            services.take_down(entry)
    action = form.get("action")
    if action == "publish":
        services.publish(found)
        messages.success(request, _("The exhibit is open to everybody."))
    elif action == "close":
        services.close(found)
        messages.success(request, _("The exhibit is closed to the public."))
    elif action == "delete":
        found.delete()
        messages.success(request, _("The exhibit was deleted; its pictures stay in the archive."))
    return None


def _composer(request: HttpRequest) -> None:
    if not may_compose(request.user):
        raise Http404


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user
