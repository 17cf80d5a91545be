"""What may be sent to whom: asked before any byte of a tile, a thumbnail or a file leaves the house."""

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

from archive.accounts.permissions import Person, visible_versions
from archive.catalogue.models import Item, StoredFile, Version
from archive.iiif.label import made_by_ai, names, stem
from stylizer.imageio.disclosure import xmp

YEAR = 31_536_000
SHARED = 10  # seconds
TITLE_HOLDS = 60  # seconds


@dataclass(frozen=True)
class Seen:
    """A version the person may see; `public` if anybody may."""

    id: UUID
    public: bool
    width: int
    height: int
    role: str
    number: int
    recipe: str | None  # the digest of what it was made by; None for a scan
    called: str = ""  # instead of what it is, while its name, or an address, must not tell what made it

    @property
    def xmp(self) -> bytes:
        """What its bytes say of themselves on every way out; nothing for a scan."""
        if self.recipe is None:
            return b""
        source, _title = _origin(self.id, int(time.monotonic() / TITLE_HOLDS))
        return xmp(recipe=self.recipe, source=source)

    def names(self, kind: str = "") -> dict[str, str]:
        """`Content-Disposition` by extension; none for a scan. `kind` is what it is if it is not the picture itself."""
        if self.called:
            return names(self.called)
        if self.recipe is None:
            return {}
        _source, title = _origin(self.id, int(time.monotonic() / TITLE_HOLDS))
        return names(stem(title, self.number, kind or made_by_ai(self.role)))


@lru_cache(maxsize=4096)
def _origin(version_id: UUID, _moment: int) -> tuple[str, str]:
    """The digest of the file a derivative was made from, and its item's title: only for derivatives, and not for each
    tile of one."""
    origin = Version.objects.values_list("derived_from__file", "scan__item__description")
    source, description = origin.get(pk=version_id)
    return source, Item(description=description).title


def seen(request: HttpRequest, version_id: UUID) -> Seen:
    """The version, if this person may see it and its bytes are sound.

    Raises:
        Http404: not there, not to be seen, or no longer served.
    """
    person: Person = request.user
    intact = Version.objects.filter(pk=version_id, file__condition=StoredFile.Condition.INTACT)
    fields = intact.values_list("width", "height", "role", "number", "recipe")
    if found := fields.filter(visible_versions(AnonymousUser())).first():
        return Seen(version_id, True, *found)
    if person.is_authenticated and (found := fields.filter(visible_versions(person)).first()):
        return Seen(version_id, False, *found)
    raise Http404


def seen_difference(request: HttpRequest, version_id: UUID) -> Seen:
    """As `seen`, of the map of what a derivative changed: it tells of its source, which must be to be seen as well.

    Raises:
        Http404: one of the two is not to be seen, or it is a scan.
    """
    what = seen(request, version_id)
    source = Version.objects.values_list("derived_from", flat=True).get(pk=version_id)
    if source is None:
        raise Http404
    return replace(what, public=what.public and seen(request, source).public)


def cached(response: HttpResponseBase, what: Seen, *, seconds: int = YEAR) -> HttpResponseBase:
    """Let the public be cached by anybody, the rest by the person's own browser, which asks again each time."""
    if what.public:
        # An hour in a reader's browser, seconds in between: access may be withdrawn, and caches cannot be told.
        patch_cache_control(response, public=True, max_age=min(seconds, 3600), s_maxage=SHARED)
    else:
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["Cookie", "Authorization"])
    return response
