"""The compare page: any two versions of a scan beside each other, both as tiles, at full resolution."""

import json
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive.accounts.permissions import may_review
from archive.catalogue import queries
from archive.catalogue.models import Version
from archive.review.pairs import overlay
from archive.review.queries import neighbours
from archive.review.services import possible
from stylizer.recipe import Recipe


@dataclass(frozen=True)
class Node:
    """A version in the graph of its scan, `depth` steps from a master."""

    version: Version
    depth: int


@require_safe
def compare(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """A derivative against its source, or against another version of the same scan (`?with=`). Where the source is not
    to be seen, it is against what that was made from in turn, at last the scan.

    `?right=` asks for another derivative on the right, and leads to its own address.
    """
    derivative = queries.version_for(request.user, version_id)
    if derivative is None or derivative.derived_from is None:
        raise Http404
    versions = list(queries.versions_of(request.user, derivative.scan))
    wanted, right = request.GET.get("with"), request.GET.get("right")
    if right and right != str(derivative.pk) and any(str(v.pk) == right for v in versions):
        return redirect(f"{reverse('iiif:compare', args=[right])}?with={wanted or ''}")
    others = [version for version in versions if version.pk != derivative.pk]
    other = next((v for v in others if str(v.pk) == wanted), None) or _source(request, derivative, others)
    if other is None:
        raise Http404
    shown = any(version.pk == derivative.derived_from_id for version in others)
    decisions = _decisions(request, derivative)
    before, after = neighbours(request.user, derivative) if decisions else (None, None)
    context = {
        "derivative": derivative,
        "other": other,
        "others": others,
        "derivatives": [version for version in versions if not version.is_master],
        "item": derivative.scan.item,
        "against_source": other.pk == derivative.derived_from_id,
        "source_shown": shown,
        # What was changed is told against the source; where that is withheld it would tell of it.
        "maps": json.dumps([overlay(sidecar) for sidecar in derivative.sidecars.all()] if shown else []),
        "recipe": Recipe.from_json(derivative.recipe.canonical) if derivative.recipe else None,
        "graph": graph(versions),
        "decisions": decisions,
        "before": before,
        "after": after,
    }
    return render(request, "iiif/compare.html", context)


def _source(request: HttpRequest, derivative: Version, others: list[Version]) -> Version | None:
    shown = {version.pk: version for version in others}
    if derivative.derived_from_id in shown:
        return shown[derivative.derived_from_id]
    steps = queries.lineage(request.user, derivative)[::-1]
    return next((shown[step.pk] for step in steps if step.pk in shown), None)


def graph(versions: list[Version]) -> list[Node]:
    """The versions of a scan as a tree in reading order: each master, below it what was derived from it, and so on."""
    below: dict[UUID | None, list[Version]] = {}
    seen = {version.pk for version in versions}
    for version in versions:
        source = version.derived_from_id if version.derived_from_id in seen else None
        below.setdefault(source, []).append(version)
    found: list[Node] = []
    stack = [Node(version, 0) for version in reversed(below.get(None, []))]
    while stack:
        node = stack.pop()
        found.append(node)
        stack += [Node(version, node.depth + 1) for version in reversed(below.get(node.version.pk, []))]
    return found


def _decisions(request: HttpRequest, version: Version) -> list[str]:
    if not may_review(request.user, version.scan.item.collection):
        return []
    return possible(version.review.state)
