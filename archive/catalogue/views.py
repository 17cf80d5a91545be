"""The pages of the catalogue: the tree of collections, items, versions. Finding is in `find_views`."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.accounts import permissions
from archive.catalogue import queries
from archive.catalogue.description import labelled
from archive.catalogue.models import Collection, Scan, Version
from archive.iiif.files import file_name, send
from archive.jobs import saved
from archive.jobs.recipes import offered
from archive.review.services import possible
from stylizer.recipe import Recipe


@require_safe
def collections(request: HttpRequest) -> HttpResponse:
    """Every collection the person may see, as a tree."""
    found = list(queries.collections_for(request.user))
    return render(request, "catalogue/collections.html", {"tree": _tree(found)})


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
        "saved": [row.name for row in saved.listed(request.user)] if works_here else [],
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
    steps = queries.lineage(request.user, found)
    shown = any(step.pk == found.derived_from_id for step in steps)
    reviewer = permissions.may_review(request.user, found.scan.item.collection)
    context = {
        "version": found,
        "item": found.scan.item,
        "lineage": steps,
        "source": steps[-2] if len(steps) > 1 else None,  # the nearest that is to be seen
        "recipe": Recipe.from_json(found.recipe.canonical) if found.recipe else None,
        "sidecars": {sidecar.kind: sidecar for sidecar in found.sidecars.all()} if shown else {},
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
    """A change map or a damage mask, for the viewer, to whoever may see what was changed."""
    found = _version(request, version_id)
    wanted = next((s for s in found.sidecars.all() if s.kind == kind), None)
    if wanted is None or not queries.source_shown(request.user, found):
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
