"""The pictures of a trial under addresses and names that say nothing: who saves one learns not what made it.

The bytes still say that an AI made them, where one did. The addresses hold while the trial is open, and for the person
who judges: what stands left is drawn for each.
"""

from dataclasses import replace
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive.accounts.models import User
from archive.iiif import views
from archive.iiif.access import Seen, seen
from archive.review.trials import queries


@login_required
@require_safe
def info(request: HttpRequest, trial_id: UUID, pair_id: int, side: str) -> HttpResponseBase:
    """What can be asked for of the picture on this side."""
    what = _shown(request, trial_id, pair_id, side)
    return views.described(request, what, _address(trial_id, pair_id, side))


@login_required
@require_safe
def image(
    request: HttpRequest,
    trial_id: UUID,
    pair_id: int,
    side: str,
    region: str,
    size: str,
    rotation: str,
    quality: str,
    extension: str,
) -> HttpResponseBase:
    """A part of it."""
    what = _shown(request, trial_id, pair_id, side)
    wanted = (region, size, rotation, quality, extension)
    return views.cut(request, what, _address(trial_id, pair_id, side), wanted)


@login_required
@require_safe
def thumbnail(
    request: HttpRequest, trial_id: UUID, pair_id: int, side: str, width: int, extension: str
) -> HttpResponseBase:
    """It, small."""
    return views.small(request, _shown(request, trial_id, pair_id, side), width, extension)


def _shown(request: HttpRequest, trial_id: UUID, pair_id: int, side: str) -> Seen:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    version = queries.picture(request.user, trial_id, pair_id, side)
    if version is None:
        raise Http404
    # Not for caches that others share: before them something else stands there.
    return replace(seen(request, version), public=False, called=f"trial-{pair_id}-{side}")


def _address(trial_id: UUID, pair_id: int, side: str) -> str:
    return reverse("review:trial-info", args=[trial_id, pair_id, side]).removesuffix("/info.json")
