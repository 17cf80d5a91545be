"""What the upload page's script asks: which files are here already, how far each is, what became of it."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from archive.accounts import permissions
from archive.accounts.models import Role, User
from archive.catalogue.models import Collection, StoredFile, Version
from archive.ids import as_uuid
from archive.iiif.models import Rendition
from archive.ingest import incoming, resumable, services
from archive.ingest.models import Upload

MOST = 1000  # files a question
DIGEST = re.compile(r"[0-9a-f]{64}")
UNSETTLED = (Upload.State.UPLOADING, Upload.State.CHECKING, Upload.State.DUPLICATE)


@dataclass(frozen=True)
class Announced:
    """A file the page is about to send."""

    sha256: str
    size: int


@dataclass(frozen=True)
class View:
    """What is to be looked at of an upload: how far its item's views are (a state of renditions), and its own."""

    state: str
    version: UUID | None = None


@login_required
@require_POST
def check(request: HttpRequest) -> JsonResponse:
    """For each announced file the item that has it already, or an earlier upload of it that stopped; and the room."""
    person = _person(request)
    try:
        said = json.loads(request.body)
        files = [Announced(str(one["sha256"]), int(one["size"])) for one in said["files"]][:MOST]
        ref = str(said["collection"])
    except (ValueError, TypeError, KeyError):
        return problem("upload-check", _("Expected a collection and files, each with sha256 and size."), 400)
    collection = collection_for(person, ref)
    digests = [one.sha256 for one in files if DIGEST.fullmatch(one.sha256)]
    twins = _twins(person, digests)
    begun = {
        row.sha256: row
        for row in Upload.objects.filter(
            by=person, collection=collection, state=Upload.State.UPLOADING, sha256__in=digests
        ).order_by("pk")
    }
    room = resumable.room_left()
    return JsonResponse(
        {
            "files": [_known(one, twins, begun) for one in files],
            "room": room,
        }
    )


@login_required
@require_POST
def use(request: HttpRequest) -> JsonResponse:
    """Use the existing item for a file instead of sending it again."""
    person = _person(request)
    collection = collection_for(person, request.POST.get("collection", ""))
    twin = _twins(person, [request.POST.get("sha256", "")])
    if not twin:
        raise Http404
    row = services.use_existing(
        next(iter(twin.values())),
        filename=request.POST.get("filename", ""),
        collection=collection,
        by=person,
        batch=as_uuid(request.POST.get("batch")),
    )
    return JsonResponse(receipt(row, person), status=201)


@login_required
@require_GET
def states(request: HttpRequest) -> JsonResponse:
    """The receipts of a batch (`?batch=`), or without one of everything of mine that is not settled."""
    person = _person(request)
    rows = Upload.objects.filter(by=person).select_related("item__collection", "collection").order_by("pk")
    batch = request.GET.get("batch")
    if batch is None:
        rows = rows.filter(state__in=UNSETTLED, expires__isnull=False) | rows.filter(
            state=Upload.State.DUPLICATE
        )
    else:
        rows = rows.filter(batch=as_uuid(batch))
    found = list(rows[:MOST])
    views = _views(found)
    return JsonResponse({"uploads": [receipt(row, person, view=views.get(row.pk)) for row in found]})


@login_required
@require_GET
def status(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    person = _person(request)
    row = get_object_or_404(
        Upload.objects.select_related("item__collection", "collection"), pk=upload_id, by=person
    )
    return JsonResponse(receipt(row, person, view=_views([row]).get(row.pk)))


def receipt(found: Upload, person: User, *, view: View | None = None) -> dict[str, Any]:
    """An upload as JSON. An existing item the person may not see is not named."""
    told = {"code": found.code, "sentence": found.sentence} if found.code else None
    ready = view is not None and view.state == Rendition.State.READY
    if view is not None and view.state == Rendition.State.FAILED and told is None:
        sentence = _(
            "The picture is kept, but its view could not be made. An administrator sees why under System."
        )
        told = {"code": "view-failed", "sentence": sentence}
    item = None
    if found.item and permissions.may_see_item(person, found.item):
        item = {
            "id": str(found.item.pk),
            "title": found.item.title,
            "url": reverse("catalogue:item", args=[found.item.pk]),
            "thumbnail": _thumbnail(view) if ready else None,
        }
    arrived = found.size
    if found.state == Upload.State.UPLOADING:
        arrived = incoming.offset(found.pk) or 0
    return {
        "id": str(found.pk),
        "filename": found.filename,
        "collection": found.collection.ref,
        "state": found.state,
        "state_label": str(Upload.State(found.state).label),
        "ready": ready,
        "size": found.size,
        "arrived": arrived,
        "sha256": found.sha256 or found.file_id or "",
        "problem": told,
        "item": item,
    }


def collection_for(person: User, ref: str) -> Collection:
    """The collection, if the person may upload into it; 404 otherwise."""
    own = Collection.objects.filter(permissions.own_collections(person, Role.ARCHIVIST))
    return get_object_or_404(own, ref=ref)


def problem(code: str, sentence: str, status: int) -> JsonResponse:
    return JsonResponse({"problem": {"code": code, "sentence": sentence}}, status=status)


def _twins(person: User, digests: list[str]) -> dict[str, Version]:
    """The oldest master of each file that the person may see; of others nothing is told before it is sent."""
    found: dict[str, Version] = {}
    rows = (
        Version.objects.filter(
            permissions.visible_versions(person),
            role=Version.Role.MASTER,
            file__in=digests,
            file__condition=StoredFile.Condition.INTACT,  # what is damaged is sent once more, and mended
        )
        .select_related("scan__item__collection", "file")
        .order_by("-pk")
    )
    for row in rows:
        found[row.file_id] = row
    return found


def _known(file: Announced, twins: dict[str, Version], begun: dict[str, Upload]) -> dict[str, Any]:
    twin, open_ = twins.get(file.sha256), begun.get(file.sha256)
    answer: dict[str, Any] = {"sha256": file.sha256, "twin": None, "begun": None}
    if twin is not None:
        answer["twin"] = {
            "title": twin.scan.item.title,
            "collection": twin.scan.item.collection.title,
            "url": reverse("catalogue:item", args=[twin.scan.item_id]),
            "thumbnail": reverse("iiif:thumbnail", args=[twin.pk, 480, "jpg"]),
        }
    if open_ is not None and open_.size == file.size:
        answer["begun"] = {"id": str(open_.pk), "url": reverse("api:tus-upload", args=[open_.pk])}
    return answer


def _thumbnail(view: View | None) -> str | None:
    if view is None or view.version is None:
        return None
    return reverse("iiif:thumbnail", args=[view.version, settings.THUMBNAIL_WIDTHS[0], "webp"])


def _views(rows: Iterable[Upload]) -> dict[UUID, View]:
    """How far the views of these uploads' items are: wanted while one is to be made, failed where one was given up."""
    State = Rendition.State
    rows = [row for row in rows if row.state == Upload.State.CATALOGUED]
    items = {row.item_id for row in rows}
    behind = Rendition.objects.filter(
        Q(version__scan__item__in=items), kind=Rendition.Kind.PYRAMID, state__in=[State.WANTED, State.FAILED]
    )
    # In order of states “wanted” comes after “failed”, and stands.
    states = dict.fromkeys(items, str(State.READY)) | dict(
        behind.values_list("version__scan__item", "state").order_by("state")
    )
    masters = Version.objects.filter(
        scan__item__in=items, file__in={row.file_id for row in rows}, role=Version.Role.MASTER
    ).order_by("-pk")
    own: dict[tuple[UUID | None, str | None], UUID] = {
        (item, file): pk for item, file, pk in masters.values_list("scan__item", "file", "pk")
    }
    return {row.pk: View(states[row.item_id], own.get((row.item_id, row.file_id))) for row in rows}


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user
