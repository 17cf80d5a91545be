"""What may be sent to whom: asked before any byte of a tile, a thumbnail or a file leaves the house."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

from archive.accounts.permissions import Person, visible_versions
from archive.catalogue.models import StoredFile, Version

YEAR = 31_536_000
SHARED = 10  # seconds


@dataclass(frozen=True)
class Seen:
    """A version the person may see; `public` if anybody may."""

    id: UUID
    width: int
    height: int
    role: str
    public: bool


def seen(request: HttpRequest, version_id: UUID) -> Seen:
    """The version, if this person may see it and its bytes are sound.

    Raises:
        Http404: not there, not to be seen, or no longer served.
    """
    person: Person = request.user
    intact = Version.objects.filter(pk=version_id, file__condition=StoredFile.Condition.INTACT)
    fields = intact.values_list("width", "height", "role")
    if found := fields.filter(visible_versions(AnonymousUser())).first():
        return Seen(version_id, *found, public=True)
    if person.is_authenticated and (found := fields.filter(visible_versions(person)).first()):
        return Seen(version_id, *found, public=False)
    raise Http404


def cached(response: HttpResponseBase, what: Seen, *, seconds: int = YEAR) -> HttpResponseBase:
    """Let the public be cached by anybody, the rest by the person's own browser, which asks again each time."""
    if what.public:
        # An hour in a reader's browser, seconds in between: access may be withdrawn, and caches cannot be told.
        patch_cache_control(response, public=True, max_age=min(seconds, 3600), s_maxage=SHARED)
    else:
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["Cookie", "Authorization"])
    return response
