"""Describing: one item in a form, or many in a table that is saved as one change and undone as one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue import services
from archive.catalogue.description import PROPERTIES, Description
from archive.catalogue.errors import CatalogueError
from archive.catalogue.models import Collection, Item, Term
from archive.catalogue.rights import RIGHTS, label_of
from archive.catalogue.search.finding import Finder, in_order
from archive.catalogue.search.indexing import TERMS
from archive.catalogue.search.wanted import from_mapping
from archive.catalogue.sheets.cells import Line, divided, joined
from archive.catalogue.sheets.importing import merged

LONG = {"description", "provenance", "bibliographicCitation"}
COLUMNS = ("title", "creator", "date", "spatial", "subject", "type", "description")
ROWS = 50
SUGGESTED = 400  # terms a form offers of each kind


@login_required
@require_http_methods(["GET", "POST"])
def describe(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """One item: every property with its values, each in a language; the date as written; why it is sensitive."""
    item = get_object_or_404(Item.objects.select_related("collection"), pk=item_id)
    if not permissions.may_describe(request.user, item.collection):
        raise Http404
    problem, form = "", request.POST
    if request.method == "POST":
        try:
            services.describe(
                item,
                by=_person(request),
                description=_described(form),
                date=form.get("date", ""),
                sensitive="sensitive" in form,
                sensitive_reason=form.get("sensitive_reason", ""),
                note=form.get("note", ""),
            )
            messages.success(request, _("The description is kept."))
            return redirect("catalogue:item", item.pk)
        except CatalogueError as error:
            problem = str(error)
    shown: dict[str, Any] = _described(form) if request.method == "POST" else item.description
    context = {
        "item": item,
        "fields": [_field(name, shown) for name in PROPERTIES if name != "rights"],
        "rights": [v["value"] for v in shown.get("rights", []) if label_of(v["value"]) == v["value"]],
        "statements": [(uri, label, uri in _uris(shown)) for uri, label in RIGHTS.items()],
        "date": form.get("date", "") if request.method == "POST" else item.date_verbatim,
        "terms": _terms(),
        "revisions": item.revisions.select_related("by").order_by("-number")[:20],
        "problem": problem,
    }
    return render(request, "catalogue/describe.html", context, status=400 if problem else 200)


@login_required
@require_http_methods(["GET", "POST"])
def table(request: HttpRequest, ref: str) -> HttpResponse:
    """Many items of a collection as a table. POST: the cells that were changed, as one change of all of them."""
    place = get_object_or_404(Collection, ref=ref)
    if not permissions.may_describe(request.user, place):
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            count = _save(request.POST, place, _person(request))
            messages.success(
                request, ngettext("%d item was changed.", "%d items were changed.", count) % count
            )
            return redirect(request.get_full_path())
        except CatalogueError as error:
            problem = str(error)
    found = Finder(request.user, from_mapping({"in": ref})).find(
        after=request.GET.get("after", "")[:80], size=ROWS, counted=False
    )
    items = in_order(Item.objects.all(), found.ids)
    context = {
        "collection": place,
        "columns": [(name, _("Date") if name == "date" else PROPERTIES[name]) for name in COLUMNS],
        "rows": [
            (item, [(name, _cell(item, name), TERMS.get(name, "")) for name in COLUMNS]) for item in items
        ],
        "next": found.next,
        "terms": _terms(),
        "problem": problem,
    }
    return render(request, "catalogue/table.html", context, status=400 if problem else 200)


def _save(form: QueryDict, place: Collection, by: User) -> int:
    """Apply the cells whose text is not what the table showed; others may have changed meanwhile and are left alone."""
    lines: dict[UUID, Line] = {}
    for key in form:
        kind, _at, rest = key.partition(":")
        pk, _at, name = rest.partition(":")
        text, shown = form.get(key, ""), form.get(f"was:{rest}", "")
        if kind != "cell" or name not in COLUMNS or text.strip() == shown.strip():
            continue
        try:
            line = lines.setdefault(UUID(pk), Line(row=0))
        except ValueError:
            continue
        if name == "date":
            line.date = text.strip()
        else:
            line.values[(name, "")] = divided(text)
    items = Item.objects.filter(pk__in=lines, collection__path__contains=[place.pk])
    changes = [
        services.Change(item.pk, merged(item.description, lines[item.pk], clears=True), lines[item.pk].date)
        for item in items
    ]
    return services.change_table(changes, collection=place, by=by)


def _described(form: QueryDict) -> Description:
    found: Description = {}
    for name in PROPERTIES:
        values = [value.strip() for value in form.getlist(f"p-{name}")]
        languages = [*form.getlist(f"l-{name}"), *[""] * len(values)]
        kept = [{"value": v, "lang": lang.strip()} for v, lang in zip(values, languages, strict=False) if v]
        if kept:
            found[name] = kept
    return found


def _field(name: str, shown: Description) -> dict[str, Any]:
    values = [*shown.get(name, []), {"value": "", "lang": ""}]
    return {
        "name": name, "label": PROPERTIES[name], "values": values, "kind": TERMS.get(name, ""), "long": name in LONG,
        "used": len(values) > 1 or name in {"title", "creator", "subject", "description", "spatial", "type"},
    }  # fmt: skip


def _uris(shown: Description) -> set[str]:
    labels = {label_of(value["value"]) for value in shown.get("rights", [])}
    return {uri for uri, label in RIGHTS.items() if str(label) in labels}


def _cell(item: Item, name: str) -> str:
    if name == "date":
        return item.date_verbatim
    return joined([value["value"] for value in item.description.get(name, []) if not value["lang"]])


def _terms() -> list[tuple[str, list[str]]]:
    return [
        (kind, list(Term.objects.filter(kind=kind).values_list("label", flat=True)[:SUGGESTED]))
        for kind in Term.Kind.values
    ]


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user
