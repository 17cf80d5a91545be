"""The pages for finding: home and search, a collection, saved searches. The address is the whole state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.faces import with_faces
from archive.catalogue.looks import BY_PICTURE
from archive.catalogue.models import Collection, Item, SavedSearch, Version
from archive.catalogue.rights import label_of
from archive.catalogue.search.asking import odd_dates
from archive.catalogue.search.finding import Finder, Found, in_order
from archive.catalogue.search.styles import pictures_named, styled
from archive.catalogue.search.wanted import FACETS, NONE, SORTS, VIEWS, Wanted
from archive.catalogue.templatetags.archive_tags import recipe_title
from archive.jobs.recipes import offered
from archive.review.models import Review

TITLES = {
    "types": gettext_lazy("Type"),
    "places": gettext_lazy("Place"),
    "rights": gettext_lazy("Rights"),
    "made": gettext_lazy("AI derivatives"),
    "styles": gettext_lazy("Style"),
    "reviews": gettext_lazy("Review of derivatives"),
    "models": gettext_lazy("Model"),
}
SHOWN = 8  # values of a facet before "more"


@dataclass(frozen=True)
class Choice:
    """One value of a facet, and where it leads."""

    label: str
    count: int
    on: bool
    query: str


@dataclass(frozen=True)
class Facet:
    title: str
    first: list[Choice]
    more: list[Choice]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Without anything asked, the face of the archive; else what was found."""
    wanted = Wanted.parse(request.GET)
    asked = any(
        name in request.GET for name in ("q", "in", "from", "to", "sort", "view", "after", *FACETS.values())
    )
    try:
        finder = Finder(request.user, wanted)
    except Collection.DoesNotExist as error:
        raise Http404 from error
    if asked:
        context = results(request, finder) | {"saving": request.user.is_authenticated}
        return render(request, "catalogue/results.html", context)
    found = finder.find(size=12)
    context = {
        "items": _rows(request, found),
        "found": found,
        "wanted": wanted,
        "collections": [
            _with_count(c, n) for c, n in found.collections if c.parent_id not in finder.collections
        ],
    }
    return render(request, "catalogue/home.html", context)


@require_safe
def collection(request: HttpRequest, ref: str) -> HttpResponse:
    """One collection: what is below it and what is in it, with the same facets as everywhere."""
    wanted = replace(Wanted.parse(request.GET), within=ref)
    try:
        finder = Finder(request.user, wanted)
    except Collection.DoesNotExist as error:
        raise Http404 from error
    found = finder.within
    assert found is not None  # noqa: S101  (the Finder raises where it is not there)
    context = results(request, finder)
    counts = {c.pk: n for c, n in context["found"].collections}
    context |= {
        "collection": found,
        "above": [finder.collections[pk] for pk in found.path[:-1] if pk in finder.collections],
        "below": [
            _with_count(c, counts.get(c.pk, 0))
            for c in finder.collections.values()
            if c.parent_id == found.pk
        ],
        "may_order": permissions.holds(request.user, "archivist", found),
        "may_upload": permissions.may_upload(request.user, found),
        "recipes": offered(),
    }
    return render(request, "catalogue/collection.html", context)


@login_required
@require_safe
def searches(request: HttpRequest) -> HttpResponse:
    """One's own saved searches, and those others share."""
    rows = SavedSearch.objects.filter(_kept_for(request)).select_related("by")
    return render(request, "catalogue/searches.html", {"searches": rows})


@login_required
@require_safe
def search(request: HttpRequest, search_id: UUID) -> HttpResponse:
    """A saved search's lasting address leads to what it finds today."""
    found = get_object_or_404(SavedSearch, _kept_for(request), pk=search_id)
    return redirect(f"{reverse('catalogue:home')}?{found.query}")


@login_required
@require_POST
def save_search(request: HttpRequest) -> HttpResponse:
    """Keep a search under a name."""
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    wanted = Wanted.parse(QueryDict(request.POST.get("query", "")[:2000]))
    title = (
        request.POST.get("title", "").replace("\x00", "").strip()[:120] or wanted.text[:120] or _("A search")
    )
    SavedSearch.objects.create(
        by=request.user, title=title, query=(wanted.query() or "q=")[:2000], shared="shared" in request.POST
    )
    return redirect("catalogue:searches")


@login_required
@require_POST
def forget_search(request: HttpRequest, search_id: UUID) -> HttpResponse:
    get_object_or_404(SavedSearch, pk=search_id, by=request.user.pk).delete()
    return redirect("catalogue:searches")


def results(request: HttpRequest, finder: Finder) -> dict[str, Any]:
    """What a page of results shows."""
    wanted, after = finder.wanted, request.GET.get("after", "")[:400]
    found = finder.find(after=after)
    values = {*wanted.styles, *(value for value, _n in found.counts.get("styles", ()))}
    pictures = pictures_named(request.user, values)
    return {
        "wanted": wanted,
        "found": found,
        "odd_dates": odd_dates(wanted.text),
        "items": _dressed(request, finder, _rows(request, found), pictures),
        "facets": _facets(wanted, found, pictures),
        "chips": _chips(wanted, pictures),
        "shelves": _shelves(wanted, found),
        "sorts": [(name, label) for name, label in SORTS.items() if name != "best" or wanted.text],
        "views": [(name, label, wanted.with_(view=name)) for name, label in VIEWS.items()],
        "next": wanted.query(after=found.next) if found.next else "",
        "first_page": wanted.query() if after else "",
        "query": wanted.query(),
        "without_dates": wanted.with_(year_from=None, year_to=None),
        "undated_fields": _fields(wanted.with_(year_from=None, year_to=None)),
        "unsorted_fields": _fields(wanted.with_(sort="")),
    }


def _fields(query: str) -> list[tuple[str, str]]:
    """The parts of a query string, for the hidden fields of a form that changes one of them."""
    return [(name, value) for name, values in QueryDict(query).lists() for value in values]


def _rows(request: HttpRequest, found: Found) -> list[Item]:
    items = Item.objects.filter(pk__in=found.ids).select_related("collection")
    return in_order(with_faces(items, request.user), found.ids)


def _dressed(
    request: HttpRequest, finder: Finder, items: list[Item], pictures: Mapping[str, str]
) -> list[Item]:
    """Where a style is chosen, items with the picture that has it (`styled`), and the style in words."""
    chosen = [style for style in finder.wanted.styles if style != NONE]
    if chosen and items:
        made = styled(request.user, [item.pk for item in items], styles=chosen, saved=finder.saved)
        for item in items:
            if picture := made.get(item.pk):
                picture.style_words = ", ".join(words("styles", one, pictures) for one in picture.styles)  # type: ignore[attr-defined]
                item.styled = picture  # type: ignore[attr-defined]
    return items


def _with_count(collection: Collection, count: int) -> Collection:
    collection.items_count = count  # type: ignore[attr-defined]
    return collection


def _facets(wanted: Wanted, found: Found, pictures: Mapping[str, str]) -> list[Facet]:
    made = []
    for name, title in TITLES.items():
        chosen = getattr(wanted, name)
        counts = dict(found.counts.get(name, []))
        values = [*(value for value in chosen if value not in counts), *counts]
        if not chosen and not any(value != NONE for value in values):
            continue  # nothing to tell apart by
        choices = [
            Choice(
                words(name, value, pictures),
                counts.get(value, 0),
                value in chosen,
                wanted.toggled(name, value),
            )
            for value in values
        ]
        choices.sort(key=lambda choice: not choice.on)
        made.append(Facet(str(title), choices[:SHOWN], choices[SHOWN : 5 * SHOWN]))
    return made


def _shelves(wanted: Wanted, found: Found) -> list[Choice]:
    """The collections of what was found: those below the one looked in, or the top ones."""
    at = found.within
    seen = {c.pk for c, _n in found.collections}
    if at is None:
        shown = [(c, n) for c, n in found.collections if c.parent_id not in seen]
    else:
        shown = [(c, n) for c, n in found.collections if c.parent_id == at.pk]
    return [Choice(c.title, n, c == at, wanted.with_(within=c.ref)) for c, n in shown]


def _chips(wanted: Wanted, pictures: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is chosen, each with the address without it."""
    chips = [
        (f"{TITLES[name]}: {words(name, value, pictures)}", wanted.toggled(name, value))
        for name in TITLES
        for value in getattr(wanted, name)
    ]
    if wanted.dated:
        span = f"{wanted.year_from or '…'}–{wanted.year_to or '…'}"
        chips.insert(0, (span, wanted.with_(year_from=None, year_to=None)))
    return chips


def words(facet: str, value: str, pictures: Mapping[str, str]) -> str:
    """A facet's value as people read it; `pictures` are the titles of style pictures."""
    if value == NONE:
        return _("none") if facet in {"made", "styles", "models", "reviews"} else _("not said")
    if facet == "styles":
        if value.startswith(BY_PICTURE):
            return _("after “%s”") % pictures[value] if value in pictures else _("after a picture")
        return recipe_title(value)
    if facet == "made" and value in Version.Role.values:
        return str(Version.Role(value).label)
    if facet == "reviews" and value in Review.State.values:
        return str(Review.State(value).label)
    return label_of(value) if facet == "rights" else value


def _kept_for(request: HttpRequest) -> Q:
    return Q(by=request.user.pk) | (
        Q(shared=True) if permissions.is_staff_anywhere(request.user) else Q(pk__in=[])
    )
