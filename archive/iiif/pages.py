"""The compare page: a derivative beside what it was made from, both as tiles, at full resolution."""

import json
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive.accounts.permissions import may_review
from archive.catalogue import queries
from archive.catalogue.models import Sidecar, Version
from archive.review.services import possible


@require_safe
def compare(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """A derivative against its source, or against another version of the same scan (`?with=`)."""
    derivative = queries.version_for(request.user, version_id)
    if derivative is None or derivative.derived_from is None:
        raise Http404
    others = list(queries.versions_of(request.user, derivative.scan).exclude(pk=derivative.pk))
    asked = request.GET.get("with")
    other = next((v for v in others if str(v.pk) == asked), None) or next(
        (v for v in others if v.pk == derivative.derived_from_id), None
    )
    if other is None:
        raise Http404
    context = {
        "derivative": derivative,
        "other": other,
        "others": others,
        "item": derivative.scan.item,
        "against_source": other.pk == derivative.derived_from_id,
        "maps": json.dumps([_map(sidecar) for sidecar in derivative.sidecars.all()]),
        "decisions": _decisions(request, derivative),
    }
    return render(request, "iiif/compare.html", context)


def _decisions(request: HttpRequest, version: Version) -> list[str]:
    if not may_review(request.user, version.scan.item.collection):
        return []
    return possible(version.review.state)


def _map(sidecar: Sidecar) -> dict[str, str]:
    """What the viewer lays over the picture."""
    url = reverse("catalogue:sidecar", args=[sidecar.version_id, sidecar.kind])
    return {"url": url, "label": str(sidecar.get_kind_display()).capitalize()}
