"""The pages of the catalogue: home and search, collections, items, versions."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from archive import paging
from archive.accounts import permissions
from archive.catalogue import queries
from archive.catalogue.description import labelled
from archive.catalogue.models import Collection, Scan, Version
from archive.iiif.files import file_name, send
from archive.jobs.recipes import offered
from archive.review.services import possible
from stylizer.recipe import Recipe

COUNTED = 10_000  # beyond, a page says "more than": an exact count of everything is nobody's question


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Search, what is new, and the collections."""
    text = request.GET.get("q", "").strip()[:200]
    items = queries.with_faces(queries.items_for(request.user, text=text), request.user)
    searched = bool(text)
    page = paging.by_offset(items, request) if searched else paging.newest_first(items, request, size=12)
    context: dict[str, Any] = {"page": page, "q": text, "searched": searched}
    if searched:
        context["found"] = queries.items_for(request.user, text=text).order_by()[: COUNTED + 1].count()
    else:
        context["collections"] = queries.collections_for(request.user).filter(parent=None)[:24]
    return render(request, "catalogue/home.html", context)


@require_safe
def collections(request: HttpRequest) -> HttpResponse:
    """Every collection the person may see, as a tree."""
    found = list(queries.collections_for(request.user))
    return render(request, "catalogue/collections.html", {"tree": _tree(found)})


@require_safe
def collection(request: HttpRequest, ref: str) -> HttpResponse:
    """One collection: what is below it and what is in it."""
    seen = queries.collections_for(request.user)
    found = get_object_or_404(seen, ref=ref)
    items = queries.items_for(request.user, within=found)
    context = {
        "collection": found,
        "above": seen.filter(pk__in=found.path).exclude(pk=found.pk),
        "below": seen.filter(parent=found),
        "page": paging.newest_first(queries.with_faces(items, request.user), request),
        "total": items.order_by()[: COUNTED + 1].count(),
        "may_order": permissions.holds(request.user, "archivist", found),
        "may_upload": permissions.may_upload(request.user, found),
        "recipes": offered(),
    }
    return render(request, "catalogue/collection.html", context)


@require_safe
def item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """One item: the original first, its derivatives beside it, and all known of both; `?scan=` turns the page."""
    found = queries.item_page(request.user, item_id)
    if found is None:
        raise Http404
    works_here = permissions.holds(request.user, "archivist", found.collection)
    scans = list(found.scans.all())
    at = _asked_scan(request, scans)
    context = {
        "item": found,
        "description": labelled(found.description),
        "scans": scans,
        "scan": scans[at] if scans else None,
        "before": scans[at - 1] if at > 0 else None,
        "after": scans[at + 1] if at + 1 < len(scans) else None,
        "history": queries.history(found) if works_here else None,
        "may_order": works_here,
        "recipes": offered() if works_here else [],
    }
    return render(request, "catalogue/item.html", context)


def _asked_scan(request: HttpRequest, scans: list[Scan]) -> int:
    """The place in the list of the scan whose position was asked for; the first where it was not, or is not there."""
    asked = request.GET.get("scan", "")
    return next((place for place, scan in enumerate(scans) if str(scan.position) == asked), 0)


@require_safe
def version(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """One version: what made it, from what, with what settings, and what it changed."""
    found = _version(request, version_id)
    reviewer = permissions.may_review(request.user, found.scan.item.collection)
    context = {
        "version": found,
        "item": found.scan.item,
        "lineage": queries.lineage(found),
        "recipe": Recipe.from_json(found.recipe.canonical) if found.recipe else None,
        "sidecars": {sidecar.kind: sidecar for sidecar in found.sidecars.all()},
        "decisions": possible(found.review.state) if reviewer and not found.is_master else [],
        "is_current": found.scan.current_master_id == found.pk,
    }
    return render(request, "catalogue/version.html", context)


@require_safe
def version_file(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """The stored file, under a name that says what it is."""
    found = _version(request, version_id)
    return send(request, found.file, name=file_name(found))


@require_safe
def sidecar(request: HttpRequest, version_id: UUID, kind: str) -> HttpResponseBase:
    """A change map or a damage mask, for the viewer."""
    found = _version(request, version_id)
    wanted = next((s for s in found.sidecars.all() if s.kind == kind), None)
    if wanted is None:
        raise Http404
    return send(request, wanted.file, name=f"{found.pk}.{kind}.png", inline=True)


def _version(request: HttpRequest, version_id: UUID) -> Version:
    found = queries.version_for(request.user, version_id)
    if found is None:
        raise Http404
    return found


def _tree(found: list[Collection]) -> list[tuple[int, Collection]]:
    """Collections with their depth, children after their parents; one whose parent is hidden stands at the top."""
    known = {c.pk for c in found}
    below: dict[UUID | None, list[Collection]] = {}
    for one in found:
        below.setdefault(one.parent_id if one.parent_id in known else None, []).append(one)

    def walk(parent: UUID | None, depth: int) -> list[tuple[int, Collection]]:
        return [line for c in below.get(parent, []) for line in [(depth, c), *walk(c.pk, depth + 1)]]

    return walk(None, 0)
