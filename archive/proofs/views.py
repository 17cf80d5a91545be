"""Choosing a recipe by what it makes of this very scan."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue import queries as catalogue
from archive.catalogue.models import Version
from archive.exhibits.queries import find
from archive.ids import as_uuid
from archive.jobs.recipes import takes_styles
from archive.proofs import services
from archive.proofs.models import Proof
from archive.store import MissingObject, StoreError, get_renditions


@login_required
@require_http_methods(["GET", "POST"])
def proofs(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """GET: the page, with the proofs that are there. POST: ask for those that are not."""
    version, by = _version(request, version_id)
    reference = _reference(request, by)
    found = services.candidates(version, by=by, reference=reference)
    if request.method == "POST":
        services.want(version, found)
        if not request.htmx:  # type: ignore[attr-defined]
            query = f"?reference={reference.pk}" if reference else ""
            return redirect(reverse("proofs:proofs", args=[version.pk]) + query)
        return render(request, "proofs/_cards.html", _context(version, by, reference))
    return render(
        request, "proofs/proofs.html", _context(version, by, reference, found) | {"item": version.scan.item}
    )


@login_required
@require_safe
def cards(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """The proofs as they stand, while some of them are being made."""
    version, by = _version(request, version_id)
    context = _context(version, by, _reference(request, by))
    services.nudge_if_idle(context["candidates"])
    return render(request, "proofs/_cards.html", context)


@login_required
@require_safe
def styles(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Pictures of the archive whose style might be taken, as the search box finds them."""
    version, by = _version(request, version_id)
    text = request.GET.get("q", "")
    return render(request, "proofs/_styles.html", {"version": version, "q": text, "found": find(by, text)})


@login_required
@require_safe
def picture(request: HttpRequest, version_id: UUID, proof_id: int) -> HttpResponse:
    """A proof's picture, for those who might have asked for it."""
    version, _by = _version(request, version_id)
    proof = Proof.objects.filter(pk=proof_id, version=version, state=Proof.State.READY).first()
    if proof is None:
        raise Http404
    try:
        with get_renditions().local_path(proof.key) as path:
            body = path.read_bytes()
    except StoreError as error:
        if isinstance(error, MissingObject):
            services.lost(proof)
        raise Http404 from error
    response = HttpResponse(body, content_type="image/webp")
    response["Content-Disposition"] = 'inline; filename="proof.AI.webp"'
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _context(
    version: Version, by: User, reference: Version | None, found: list[services.Candidate] | None = None
) -> dict[str, Any]:
    if found is None:
        found = services.candidates(version, by=by, reference=reference)
    asked = [one for one in found if one.recipe]
    return {
        "version": version, "reference": reference, "candidates": found, "title": version.scan.item.title,
        "total": len(asked), "ready": sum(not one.is_waiting for one in asked),
        "waiting": any(one.proof and one.is_waiting for one in asked),
        "missing": any(one.proof is None for one in asked),
        "takes_styles": takes_styles(),
    }  # fmt: skip


def _version(request: HttpRequest, version_id: UUID) -> tuple[Version, User]:
    version = catalogue.version_for(request.user, version_id)
    if version is None or not isinstance(request.user, User):
        raise Http404
    if not permissions.may_order(request.user, [version.scan.item.collection], 1, limit=1):
        raise Http404
    return version, request.user


def _reference(request: HttpRequest, by: User) -> Version | None:
    wanted = as_uuid(request.GET.get("reference") or request.POST.get("reference"))
    if wanted is None:
        return None
    found = catalogue.version_for(by, wanted)
    if found is None:
        raise Http404
    return found
