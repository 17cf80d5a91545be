"""Deciding about one derivative from its page or from the compare page."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive.accounts import permissions
from archive.accounts.models import Role, User
from archive.catalogue import queries
from archive.catalogue.models import Collection, Version
from archive.review import services


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for the person's decision, oldest first."""
    if not Collection.objects.filter(permissions.own_collections(request.user, Role.CURATOR)).exists():
        raise Http404
    drafts = services.drafts_for(request.user)
    shown = queries.tinted(drafts).select_related("scan__item", "review", "recipe", "created_by")[:100]
    return render(request, "review/queue.html", {"drafts": shown, "total": drafts.order_by().count()})


@login_required
@require_POST
def decide(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Approve, reject, publish, unpublish, reopen, withdraw."""
    version = queries.version_for(request.user, version_id)
    if version is None or not permissions.may_review(request.user, version.scan.item.collection):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    try:
        review = services.decide(
            version, request.POST.get("decision", ""), by=request.user, note=request.POST.get("note", "")
        )
    except services.DecisionRefused as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("The derivative is now %s.") % review.get_state_display())
    return redirect(_back(request, version))


def _back(request: HttpRequest, version: Version) -> str:
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        return target
    return f"/versions/{version.pk}/"
