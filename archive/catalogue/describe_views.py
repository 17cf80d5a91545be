"""Describing: one item in a form, or many in a table that is saved as one change and undone as one."""

import dataclasses
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from archive.accounts import permissions
from archive.accounts.models import Role, User
from archive.catalogue import services
from archive.catalogue.description import DUBLIN_CORE, ISAD, LEVELS, PROPERTIES, Description
from archive.catalogue.errors import CatalogueError, DescriptionError
from archive.catalogue.models import Collection, Item, Term
from archive.catalogue.rights import RIGHTS, label_of
from archive.catalogue.search.finding import Finder, in_order
from archive.catalogue.search.indexing import TERMS
from archive.catalogue.search.wanted import from_mapping
from archive.catalogue.table import changed_cells, headings, keep, rows

LONG = {"description", "provenance", "bibliographicCitation", *ISAD} - {"level", "rules"}
ROWS = 50
SUGGESTED = 400  # terms a form offers of each kind


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a form: all of it as `(field, sentence)`, and the sentences that stand beside each field."""

    all: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    beside: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    parts: set[str] = dataclasses.field(default_factory=set)  # as faults name them: `creator`, `creator.lang`

    @classmethod
    def of(cls, error: DescriptionError) -> "Wrong":
        found, labels = cls(), PROPERTIES | {"sensitive": _("Sensitive")}
        for fault in error.faults:
            name, _dot, part = fault.field.partition(".")
            label = str(labels.get(name, name))
            sentence = fault.sentence(_("Language of %s") % label if part == "lang" else label)
            found.all.append((name, sentence))
            found.beside.setdefault(name, []).append(sentence)
            found.parts.add(fault.field)
        return found


@login_required
@require_http_methods(["GET", "POST"])
def describe(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """One item: every property with its values, each in a language; the date as written; why it is sensitive."""
    item = get_object_or_404(Item.objects.select_related("collection"), pk=item_id)
    if not permissions.may_describe(request.user, item.collection):
        raise Http404
    wrong, form = Wrong(), request.POST
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
        except DescriptionError as error:
            wrong = Wrong.of(error)
    shown: dict[str, Any] = _typed(form) if request.method == "POST" else item.description
    archival = [_field(name, shown, wrong) for name in ISAD if name != "level"]
    context = {
        "item": item,
        "fields": [_field(name, shown, wrong) for name in DUBLIN_CORE if name != "rights"],
        "archival": archival,
        "archival_used": any(shown.get(name) or name in wrong.beside for name in ISAD),
        "levels": _levels(_values(shown, "level")),
        "rights": [v["value"] for v in shown.get("rights", []) if label_of(v["value"]) == v["value"]],
        "statements": [(uri, label, uri in _uris(shown)) for uri, label in RIGHTS.items()],
        "date": form.get("date", "") if request.method == "POST" else item.date_verbatim,
        # A tick that is lost with a refused form would publish what was to be withheld.
        "sensitive": "sensitive" in form if request.method == "POST" else item.sensitive,
        "why": form.get("sensitive_reason", "") if request.method == "POST" else item.sensitive_reason,
        "note": form.get("note", ""),
        "terms": terms(),
        "revisions": item.revisions.select_related("by").order_by("-number")[:20],
        "wrong": wrong,
    }
    return render(request, "catalogue/describe.html", context, status=400 if wrong.all else 200)


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
            own = Collection.objects.filter(permissions.own_collections(request.user, Role.ARCHIVIST))
            below = Item.objects.filter(collection__in=own, collection__path__contains=[place.pk])
            count = keep(below, changed_cells(request.POST), by=_person(request), collection=place)
            messages.success(
                request, ngettext("%d item was changed.", "%d items were changed.", count) % count
            )
            return redirect(request.get_full_path())
        except CatalogueError as error:
            problem = str(error)
    found = Finder(request.user, from_mapping({"in": ref})).find(
        after=request.GET.get("after", "")[:80], size=ROWS, counted=False
    )
    items = in_order(Item.objects.filter(pk__in=found.ids), found.ids)
    context = {
        "collection": place,
        "columns": headings(),
        "rows": rows(items),
        "next": found.next,
        "terms": terms(),
        "problem": problem,
    }
    return render(request, "catalogue/table.html", context, status=400 if problem else 200)


def _described(form: QueryDict) -> Description:
    """What is to be kept: a language of nothing is left out."""
    values = {name: [one for one in typed if one["value"]] for name, typed in _typed(form).items()}
    return {name: kept for name, kept in values.items() if kept}


def _typed(form: QueryDict) -> Description:
    """What stood in the fields, to be shown once more."""
    found: Description = {}
    for name in PROPERTIES:
        values = [value.strip() for value in form.getlist(f"p-{name}")]
        languages = [*form.getlist(f"l-{name}"), *[""] * len(values)]
        pairs = [{"value": v, "lang": lang.strip()} for v, lang in zip(values, languages, strict=False)]
        if typed := [pair for pair in pairs if pair["value"] or pair["lang"]]:
            found[name] = typed
    return found


def _levels(chosen: set[str]) -> list[tuple[str, str | Promise, bool]]:
    """The levels to choose from; one that is none stays chosen until it is mended."""
    known = [(level, label, level in chosen) for level, label in LEVELS.items()]
    return known + [(level, level, True) for level in sorted(chosen - LEVELS.keys())]


def _field(name: str, shown: Description, wrong: Wrong) -> dict[str, Any]:
    values = [*shown.get(name, []), {"value": "", "lang": ""}]
    return {
        "name": name, "label": PROPERTIES[name], "values": values, "kind": TERMS.get(name, ""), "long": name in LONG,
        "used": len(values) > 1 or name in {"title", "creator", "subject", "description", "spatial", "type"},
        "wrong": wrong.beside.get(name, []), "wrong_value": name in wrong.parts,
        "wrong_lang": f"{name}.lang" in wrong.parts,
    }  # fmt: skip


def _values(shown: Description, name: str) -> set[str]:
    return {value["value"] for value in shown.get(name, [])}


def _uris(shown: Description) -> set[str]:
    labels = {label_of(value["value"]) for value in shown.get("rights", [])}
    return {uri for uri, label in RIGHTS.items() if str(label) in labels}


def terms() -> list[tuple[str, list[str]]]:
    """What the fields of a form suggest, by kind."""
    return [
        (kind, list(Term.objects.filter(kind=kind).values_list("label", flat=True)[:SUGGESTED]))
        for kind in Term.Kind.values
    ]


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user
