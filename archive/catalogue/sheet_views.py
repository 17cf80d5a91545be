"""Pages of sheets: bring one, look at what it would do, take it in or take the problems home; write one out; undo."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue import queries, services
from archive.catalogue.description import PROPERTIES
from archive.catalogue.errors import CatalogueError
from archive.catalogue.models import Collection, Edit, ItemRevision, Sheet
from archive.catalogue.sheets import exporting, importing
from archive.catalogue.sheets.columns import KEYS, OTHER
from archive.catalogue.sheets.reading import MOST_BYTES, read

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@login_required
@require_http_methods(["GET", "POST"])
def sheets(request: HttpRequest, ref: str) -> HttpResponse:
    """GET: bring a sheet or take one away, and what sheets did here. POST: the sheet."""
    place, person = _place(request, ref), _person(request)
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None:
            problem = _("No file was chosen.")
        elif (file.size or 0) > MOST_BYTES:
            problem = _("Expected at most 64 MB. Divide it into several sheets.")
        else:
            try:
                sheet = importing.bring(file.read(), filename=file.name or "", collection=place, by=person)
                return redirect("catalogue:sheet", sheet.pk)
            except CatalogueError as error:
                problem = str(error)
    changed = ItemRevision.objects.filter(edit=OuterRef("pk")).order_by().values("edit")
    edits = (
        Edit.objects.filter(collection=place)
        .select_related("by", "undone_by", "undoes")
        .annotate(items=Subquery(changed.annotate(n=Count("pk")).values("n")))[:20]
    )
    context = {"collection": place, "edits": edits, "problem": problem}
    return render(request, "catalogue/sheets.html", context, status=400 if problem else 200)


@login_required
@require_http_methods(["GET", "POST"])
def sheet(request: HttpRequest, sheet_id: UUID) -> HttpResponse:
    """What the sheet would do. POST `columns` to say what they stand for, `take_in` to do it."""
    found = _sheet(request, sheet_id)
    problem, outcome = "", None
    try:
        headings = read(bytes(found.content), found.filename).headings
        if request.method == "POST" and found.edit_id is None:
            columns = [request.POST.get(f"column-{n}", "")[:80] for n in range(len(headings))]
            importing.remember(found, headings, columns, clears="clears" in request.POST)
            if "take_in" in request.POST:
                done = importing.take_in(found, by=_person(request))
                messages.success(request, _said(done))
                return redirect("catalogue:sheets", found.collection.ref)
        outcome = importing.look(found) if found.edit_id is None else None
    except CatalogueError as error:
        problem = str(error)
        headings = found.columns
    choices = [(one, str(PROPERTIES.get(one, one))) for one in (*KEYS, *OTHER, *PROPERTIES)]
    context = {
        "sheet": found,
        "columns": list(
            zip(range(len(headings)), headings, [*found.columns, *[""] * len(headings)], strict=False)
        ),
        "choices": choices,
        "outcome": outcome,
        "problem": problem,
    }
    return render(request, "catalogue/sheet.html", context, status=400 if problem else 200)


@login_required
@require_safe
def sheet_problems(request: HttpRequest, sheet_id: UUID) -> HttpResponse:
    """The problems as a sheet of their own."""
    found = _sheet(request, sheet_id)
    try:
        problems = importing.look(found).problems
    except CatalogueError as error:
        raise Http404 from error
    response = HttpResponse(exporting.problems_csv(problems), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="problems.csv"'
    return response


@login_required
@require_safe
def export(request: HttpRequest, ref: str, extension: str) -> HttpResponseBase:
    """Everything in the collection and below it, in the columns an import reads."""
    place = _place(request, ref)
    items = queries.items_for(request.user, within=place)
    response: HttpResponseBase
    if extension == "csv":
        response = StreamingHttpResponse(exporting.csv_of(items), content_type="text/csv; charset=utf-8")
    elif extension == "xlsx":
        response = HttpResponse(exporting.xlsx_of(items), content_type=XLSX)
    else:
        raise Http404
    response.headers["Content-Disposition"] = f'attachment; filename="{place.pk}.{extension}"'
    return response


@login_required
@require_POST
def undo_edit(request: HttpRequest, edit_id: UUID) -> HttpResponse:
    """Take back a change of many items."""
    edit = get_object_or_404(Edit.objects.select_related("collection"), pk=edit_id)
    if not permissions.may_describe(request.user, edit.collection):
        raise Http404
    try:
        undone = services.undo_edit(edit, by=_person(request))
        count = undone.revisions.count()
        messages.success(
            request, ngettext("%d item is as it was.", "%d items are as they were.", count) % count
        )
    except CatalogueError as error:
        messages.error(request, str(error))
    return redirect("catalogue:sheets", edit.collection.ref)


def _said(done: importing.Outcome) -> str:
    return _("Taken in: %(new)d new, %(changed)d changed, %(same)d as they were.") % {
        "new": done.new, "changed": done.changed, "same": done.same,
    }  # fmt: skip


def _place(request: HttpRequest, ref: str) -> Collection:
    found = get_object_or_404(Collection, ref=ref)
    if not permissions.may_describe(request.user, found):
        raise Http404
    return found


def _sheet(request: HttpRequest, sheet_id: UUID) -> Sheet:
    found = get_object_or_404(
        Sheet.objects.select_related("collection", "edit"), pk=sheet_id, by=request.user.pk
    )
    if not permissions.may_describe(request.user, found.collection):
        raise Http404
    return found


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user
