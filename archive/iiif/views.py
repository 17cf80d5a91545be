"""The IIIF Image API over the pyramids, and thumbnails. Malformed requests are 400 and say why; never 500."""

import logging
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

import pyvips
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.http import http_date, parse_etags
from django.views.decorators.http import require_safe

from archive.catalogue.models import Item
from archive.iiif.access import Seen, cached, seen, seen_difference
from archive.iiif.epoch import epoch
from archive.iiif.label import in_webp
from archive.iiif.models import Rendition
from archive.iiif.parameters import FORMATS, MOST_PIXELS, PROFILE, BadRequest, parse
from archive.iiif.presentation import rights_of
from archive.iiif.pyramid import TILE, Pyramid, Pyramids
from archive.iiif.render import render
from archive.iiif.services import given_up, want_again, want_if_never_asked
from archive.iiif.tile_server import LIFETIME, Note, key_of, notes, stored_tile
from archive.store import CutOff, MissingObject, StoreError, get_renditions

log = logging.getLogger(__name__)
pyramids = Pyramids()

CONTEXT = "http://iiif.io/api/image/3/context.json"
JSON_LD = f'application/ld+json;profile="{CONTEXT}"'
RETRY_SECONDS = 2
K = Rendition.Kind


@require_safe
def base(request: HttpRequest, version_id: UUID, kind: str = K.PYRAMID) -> HttpResponseBase:
    """The base address leads to the description."""
    _seen(request, version_id, kind)
    response = HttpResponse(status=303)
    response["Location"] = request.build_absolute_uri(_address(kind, version_id) + "/info.json")
    return _open(response)


@require_safe
def info(request: HttpRequest, version_id: UUID, kind: str = K.PYRAMID) -> HttpResponseBase:
    """What can be asked for."""
    return described(request, _seen(request, version_id, kind), _address(kind, version_id), kind)


def described(request: HttpRequest, what: Seen, address: str, kind: str = K.PYRAMID) -> HttpResponseBase:
    """What can be asked for of a picture that may be seen, at this address."""
    rendition = _ready(what.id, kind)
    levels = _levels(rendition) if rendition else [[what.width, what.height]]
    width, height = levels[0]
    description = {
        "@context": CONTEXT,
        "id": request.build_absolute_uri(address),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
        "maxArea": MOST_PIXELS,
        "sizes": [{"width": w, "height": h} for w, h in reversed(levels) if w * h <= MOST_PIXELS],
        "tiles": [{"width": TILE, "scaleFactors": [2**i for i in range(len(levels))]}],
        "extraFormats": ["webp"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["mirroring", "sizeUpscaling"],
    }
    if rights := rights_of(_described(what.id)):
        description["rights"] = rights
    if what.recipe and not what.called:
        description["seeAlso"] = [_provenance(request, what.id)]
    wants_ld = "application/ld+json" in request.headers.get("Accept", "")
    response = JsonResponse(description, content_type=JSON_LD if wants_ld else "application/json")
    return _open(cached(response, what, seconds=300))


@require_safe
def image(
    request: HttpRequest,
    version_id: UUID,
    region: str,
    size: str,
    rotation: str,
    quality: str,
    extension: str,
    kind: str = K.PYRAMID,
) -> HttpResponseBase:
    """A region, scaled, turned, encoded."""
    at = epoch().now()
    what = _seen(request, version_id, kind)
    wanted = (region, size, rotation, quality, extension)
    return cut(request, what, _address(kind, version_id), wanted, kind=kind, at=at)


def cut(
    request: HttpRequest,
    what: Seen,
    address: str,
    wanted: tuple[str, str, str, str, str],
    *,
    kind: str = K.PYRAMID,
    at: int | None = None,
) -> HttpResponseBase:
    """A part of a picture that may be seen, at this address. `at` is the epoch in which that was found out; without it
    no note is left for the next tiles."""
    rendition = _ready(what.id, kind)
    full = _pair(_levels(rendition)[0]) if rendition else (what.width, what.height)
    try:
        asked = parse(*wanted, full=full, most=MOST_PIXELS)
    except BadRequest as problem:
        return _open(HttpResponse(str(problem), status=400, content_type="text/plain; charset=utf-8"))
    if rendition is None:
        return _not_yet(what.id)
    tag = _tag(rendition, what)
    prefix = request.build_absolute_uri(address)
    headers = {
        "ETag": tag,
        "Link": f'<{PROFILE}>;rel="profile", <{prefix}/{asked.canonical(full)}>;rel="canonical"',
    }
    if not what.called:
        headers["Last-Modified"] = http_date(rendition.changed.timestamp())
    if _known(request, tag):
        return _open(cached(HttpResponse(status=304, headers=headers), what))
    try:
        pyramid = _pyramid(rendition, what)
        place = stored_tile(pyramid, asked)
        body = pyramid.tile(*place) if place else None
        if body is None:
            body = render(pyramid, asked)
    except (StoreError, pyvips.Error) as problem:
        return _unread(rendition, problem)
    response = _open(cached(HttpResponse(body, content_type=FORMATS[asked.format], headers=headers), what))
    if kind == K.PYRAMID:
        called = what.names()
        _leave_note(request, what, at, pyramid, response, prefix, called)
    else:
        called = what.names(kind)
    return _named(response, called, asked.format)


def _named(response: HttpResponseBase, called: Mapping[str, str], extension: str) -> HttpResponseBase:
    """What an AI made says so in its name, should somebody keep it."""
    if called:
        response["Content-Disposition"] = called[extension]
    return response


def _leave_note(
    request: HttpRequest,
    what: Seen,
    at: int | None,
    pyramid: Pyramid,
    response: HttpResponseBase,
    prefix: str,
    called: Mapping[str, str],
) -> None:
    """What was decided about this tile holds for the next ones, for a few seconds and within one epoch."""
    key = key_of(request.META, what.id)
    if at is None or key is None:
        return
    kept = ("Cache-Control", "Vary", "Access-Control-Allow-Origin", "Last-Modified")
    headers = tuple((name, response[name]) for name in kept if name in response)
    headers = (
        *headers,
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
    )
    until = time.monotonic() + LIFETIME
    notes.leave(key, Note(at, until, pyramid, response["ETag"], headers, prefix, called))


@require_safe
def thumbnail(request: HttpRequest, version_id: UUID, width: int, extension: str) -> HttpResponseBase:
    """The thumbnail that fits a square of this width; 404 for other widths, 503 until it is made.

    WebP is stored; JPEG, for programs that know no WebP, is made from the pyramid when it is asked for.
    """
    return small(request, seen(request, version_id), width, extension)


def small(request: HttpRequest, what: Seen, width: int, extension: str) -> HttpResponseBase:
    """The thumbnail of a picture that may be seen."""
    if width not in settings.THUMBNAIL_WIDTHS or extension not in {"webp", "jpg"}:
        raise Http404
    rendition = Rendition.objects.filter(
        version=what.id, kind=K.THUMBNAIL, width=width, state=Rendition.State.READY
    ).first()
    if rendition is None:
        want_again(what.id)  # where the others are ready, thumbnails of this width came into use later
        return _not_yet(what.id)
    tag = _tag(rendition, what, extension)
    if _known(request, tag):
        return cached(HttpResponse(status=304, headers={"ETag": tag}), what)
    try:
        if extension == "webp":
            stored = get_renditions().read_range(rendition.key, 0, rendition.size)
            if len(stored) != rendition.size:
                raise CutOff(f"Expected {rendition.size} bytes, got {len(stored)}. It is made again.")
            size = {side: rendition.detail[side] for side in ("width", "height")}
            body: bytes | None = in_webp(stored, what.xmp, **size)
        else:
            body = _jpeg(what, rendition)
    except (StoreError, pyvips.Error) as problem:
        return _unread(rendition, problem)
    if body is None:
        return _not_yet(what.id)
    response = HttpResponse(body, content_type=FORMATS[extension], headers={"ETag": tag})
    return cached(_named(response, what.names(), extension), what)


def _jpeg(what: Seen, thumbnail: Rendition) -> bytes | None:
    """The thumbnail as JPEG; None where its pyramid, noted a moment after the thumbnails, is not there yet."""
    rendition = _ready(what.id, K.PYRAMID)
    if rendition is None:
        return None
    pyramid = _pyramid(rendition, what)
    full = _pair(_levels(rendition)[0])
    size = f"{thumbnail.detail['width']},{thumbnail.detail['height']}"
    return render(pyramid, parse("full", size, "0", "default", "jpg", full=full, most=MOST_PIXELS))


def _seen(request: HttpRequest, version_id: UUID, kind: str) -> Seen:
    return seen_difference(request, version_id) if kind == K.DIFFERENCE else seen(request, version_id)


def _address(kind: str, version_id: UUID) -> str:
    name = "iiif:difference" if kind == K.DIFFERENCE else "iiif:image"
    return reverse(name, args=[version_id]).rstrip("/")


def _ready(version_id: UUID, kind: str) -> Rendition | None:
    return Rendition.objects.filter(
        version=version_id, kind=kind, width=0, state=Rendition.State.READY
    ).first()


def _described(version_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = Item.objects.values_list("description", flat=True).get(scans__versions=version_id)
    return found


def _pyramid(rendition: Rendition, what: Seen) -> Pyramid:
    return pyramids.get(
        get_renditions(),
        rendition.key,
        size=rendition.size,
        sizes=_levels(rendition),
        mark=_tag(rendition, what),
        xmp=what.xmp
        if rendition.kind == K.PYRAMID
        else b"",  # a map of differences is measured, not made by an AI
    )


def _tag(rendition: Rendition, what: Seen, extension: str = "") -> str:
    tag = f"{rendition.pk}-{extension}{int(rendition.changed.timestamp() * 1000)}{_ai(what)}"
    # Where nothing may tell the two of a trial apart, neither does when they were made.
    return f'"{sha256(f"{what.called} {tag}".encode()).hexdigest()[:24] if what.called else tag}"'


def _ai(what: Seen) -> str:
    """Caches that hold a derivative from before its bytes said what it is ask for it again."""
    return "-ai" if what.recipe else ""


def _provenance(request: HttpRequest, version_id: UUID) -> dict[str, Any]:
    address = request.build_absolute_uri(reverse("api:version-provenance", args=[version_id]))
    label = {"en": ["This picture was made by an AI from a scan: what made it, and from what"]}
    return {"id": address, "type": "Dataset", "label": label, "format": "application/json"}


def _levels(rendition: Rendition) -> Sequence[Sequence[int]]:
    levels: Sequence[Sequence[int]] = rendition.detail["levels"]
    return levels


def _pair(level: Sequence[int]) -> tuple[int, int]:
    return level[0], level[1]


def _known(request: HttpRequest, tag: str) -> bool:
    return tag in parse_etags(request.headers.get("If-None-Match", ""))


def _unread(rendition: Rendition, problem: Exception) -> HttpResponseBase:
    """It was made, and is gone or cut off: it is made again. Or the place where it lies does not answer just now."""
    log.warning("Rendition %s cannot be read: %s", rendition.key, problem)
    if isinstance(problem, MissingObject):
        want_again(rendition.version_id)
    return _not_yet(rendition.version_id)


def _not_yet(version_id: UUID) -> HttpResponseBase:
    if given_up(
        version_id
    ):  # 404: whoever asks again asks in vain, until an administrator has had it tried again
        response = HttpResponse(
            "This view could not be made. The picture itself is kept; an administrator sees why under System.",
            status=404, content_type="text/plain; charset=utf-8",
        )  # fmt: skip
        response["Cache-Control"] = "no-store"
        return _open(response)
    want_if_never_asked(version_id)
    response = HttpResponse(
        "This view is still being made.", status=503, content_type="text/plain; charset=utf-8"
    )
    response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return _open(response)


def _open(response: HttpResponseBase) -> HttpResponseBase:
    """Any viewer may ask; whoever may not see it gets 404 all the same."""
    response["Access-Control-Allow-Origin"] = "*"
    return response
