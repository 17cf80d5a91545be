"""Manifests and collections for other people's viewers. Who may see what is asked as for pages and tiles."""

import hashlib
import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from archive.accounts.permissions import may_see_item
from archive.catalogue import queries
from archive.catalogue.faces import with_faces
from archive.catalogue.models import Collection, Item, Scan, Version
from archive.iiif import presentation
from archive.iiif.presentation import Json, Link, Painting, Surface

PAGE = 500  # items a collection lists; larger ones are divided into parts of as many
SHOWN = {"published", "approved"}
NOTICE = "This picture was made by an AI from a scan. It is an interpretation, not the original."


@require_safe
def manifest(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """An item: a canvas per scan; the original first, then what is published (and, for its staff, approved)."""
    item = queries.item_page(request.user, item_id)
    if item is None:
        raise Http404
    scans = [scan for scan in item.scans.all() if scan.current_master is not None]
    chosen = {scan.pk: _chosen(scan) for scan in scans}
    face = scans[0].current_master if scans else None
    unpublished = any(v.review.state != "published" for derived in chosen.values() for v in derived)
    private = unpublished or not may_see_item(AnonymousUser(), item)
    described = presentation.manifest(
        request.build_absolute_uri(reverse("iiif:manifest", args=[item.pk])),
        description=item.description,
        title=item.title,
        surfaces=[_surface(request, scan, chosen[scan.pk]) for scan in scans],
        dated=item.date_verbatim,
        earliest=item.date_earliest,
        homepage=_page(request, "catalogue:item", item.pk, item.title),
        see_also=_records(request, item, scans),
        part_of=_collection_link(request, item.collection),
        thumbnail=_thumbnail(request, face.pk, face.width, face.height) if face else None,
        private=private,
    )
    return _sent(request, described, private=private)


@require_safe
def collection(request: HttpRequest, ref: str) -> HttpResponseBase:
    """A collection: those below it, then its items; a part of them with `?after=`."""
    seen = queries.collections_for(request.user)
    found = seen.filter(ref=ref).first()
    if found is None:
        raise Http404
    below = [_collection_link(request, child).json() for child in seen.filter(parent=found)]
    starts = list(queries.part_starts(request.user, found, size=PAGE))
    address = request.build_absolute_uri(reverse("iiif:collection", args=[found.ref]))
    asked = request.GET.get("from")
    homepage = _page(request, "catalogue:collection", found.ref, found.title)
    above = seen.filter(children=found).first()  # a public series may lie in a fonds that is shut
    part_of = _collection_link(request, above) if above else None
    if asked is not None:
        if asked not in {str(start) for start in starts}:
            raise Http404
        number = [str(start) for start in starts].index(asked) + 1
        title = _("%(title)s, part %(number)d") % {"title": found.title, "number": number}
        items = _manifests(request, found, UUID(asked))
        address, part_of = f"{address}?from={asked}", _collection_link(request, found)
    else:
        title = found.title
        if len(starts) > 1:
            items = below + [_part(address, found, start, n) for n, start in enumerate(starts, 1)]
        else:
            items = below + (_manifests(request, found, starts[0]) if starts else [])
    described = presentation.collection(
        address, title=title, description=found.description, items=items, homepage=homepage, part_of=part_of
    )
    public = queries.collections_for(AnonymousUser()).filter(pk=found.pk).exists()
    return _sent(request, described, private=request.user.is_authenticated or not public)


@require_safe
def root(request: HttpRequest) -> HttpResponseBase:
    """The collections at the top that the person may see."""
    top = queries.collections_for(request.user).filter(parent=None)
    described = presentation.collection(
        request.build_absolute_uri(reverse("iiif:collections")),
        title=_("Collections"),
        description={},
        items=[_collection_link(request, found).json() for found in top],
        homepage=Link(
            request.build_absolute_uri(reverse("catalogue:collections")),
            "Text",
            _("Collections"),
            "text/html",
        ),
        part_of=None,
    )
    return _sent(request, described, private=request.user.is_authenticated)


def _chosen(scan: Scan) -> list[Version]:
    """Derivatives of the current master, near or far, that stand; none of a scan since superseded."""
    shown: list[Version] = scan.shown  # type: ignore[attr-defined]  # loaded by `item_page`, by number
    from_here = {scan.current_master_id}
    found = []
    for version in shown:
        if version.derived_from_id in from_here:
            from_here.add(version.pk)
            if version.review.state in SHOWN:
                found.append(version)
    return found


def _surface(request: HttpRequest, scan: Scan, derived: list[Version]) -> Surface:
    label = scan.label or _("Scan %(number)d") % {"number": scan.position}
    master = scan.current_master
    if master is None:
        raise ValueError("a scan without a master has no surface")
    return Surface(str(scan.pk), label, tuple(_painting(request, v) for v in (master, *derived)))


def _painting(request: HttpRequest, version: Version) -> Painting:
    role = str(version.get_role_display())
    if version.is_master:
        return Painting(_service(request, version.pk), version.width, version.height, role)
    words = {"role": role, "number": version.number}
    label = _("✳ %(role)s (version %(number)d, not the original)") % words
    return Painting(_service(request, version.pk), version.width, version.height, label, notice=_(NOTICE))


def _service(request: HttpRequest, version_id: UUID) -> str:
    return request.build_absolute_uri(reverse("iiif:image", args=[version_id]).rstrip("/"))


def _thumbnail(request: HttpRequest, version_id: UUID, width: int, height: int) -> Json:
    side = settings.THUMBNAIL_WIDTHS[0]
    scale = min(1, side / max(width, height))
    return presentation.thumbnail(
        request.build_absolute_uri(reverse("iiif:thumbnail", args=[version_id, side, "jpg"])),
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        of=_service(request, version_id),
    )


def _records(request: HttpRequest, item: Item, scans: list[Scan]) -> list[Link]:
    api = request.build_absolute_uri(reverse("api:item", args=[item.pk]))
    links = [Link(api, "Dataset", _("Catalogue record"), "application/json")]
    for scan in scans:
        address = reverse("api:version-provenance", args=[scan.current_master_id])
        words = _("Provenance of scan %(number)d") % {"number": scan.position}
        links.append(Link(request.build_absolute_uri(address), "Dataset", words, "application/json"))
    return links


def _page(request: HttpRequest, name: str, key: Any, title: str) -> Link:
    return Link(request.build_absolute_uri(reverse(name, args=[key])), "Text", title, "text/html")


def _collection_link(request: HttpRequest, found: Collection) -> Link:
    address = request.build_absolute_uri(reverse("iiif:collection", args=[found.ref]))
    return Link(address, "Collection", found.title)


def _part(address: str, found: Collection, start: UUID, number: int) -> Json:
    label = _("%(title)s, part %(number)d") % {"title": found.title, "number": number}
    return Link(f"{address}?from={start}", "Collection", label).json()


def _manifests(request: HttpRequest, found: Collection, start: UUID) -> list[Json]:
    items = queries.items_directly_in(request.user, found).filter(pk__gte=start).order_by("pk")
    return [_reference(request, item) for item in with_faces(items[:PAGE], request.user)]


def _reference(request: HttpRequest, item: Any) -> Json:
    """An item with its face (`catalogue.faces`) as a line of a collection."""
    entry: Json = {
        "id": request.build_absolute_uri(reverse("iiif:manifest", args=[item.pk])),
        "type": "Manifest",
        "label": presentation.values(item.description.get("title", ())) or presentation.here(item.title),
    }
    if item.face_id:
        entry["thumbnail"] = [_thumbnail(request, item.face_id, item.face_width, item.face_height)]
    return entry


def _sent(request: HttpRequest, described: Json, *, private: bool) -> HttpResponseBase:
    body = json.dumps(described, ensure_ascii=False).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if tag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    else:
        plain = "application/ld+json" not in request.headers.get("Accept", "")
        response = HttpResponse(body, content_type="application/json" if plain else presentation.JSON_LD)
    response["ETag"] = tag
    response["Access-Control-Allow-Origin"] = "*"
    if private:
        patch_cache_control(response, private=True, no_cache=True)
    else:
        patch_cache_control(response, public=True, max_age=60)
    patch_vary_headers(response, ["Accept", "Cookie"])
    return response
