"""The upload page and what its script asks: one file a request, one receipt a file."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from archive.accounts import permissions
from archive.accounts.models import Role, User
from archive.catalogue.models import Collection
from archive.ids import new_id
from archive.ingest import services
from archive.ingest.batch_views import last_boxes
from archive.ingest.models import Upload
from archive.ingest.tray import problem, receipt
from archive.store import StoreError

NO_FILE = "upload-no-file"


@login_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """GET: the page. POST: files, from the page's script one at a time (JSON back) or from the plain form."""
    person = _person(request)
    collections = Collection.objects.filter(permissions.own_collections(person, Role.ARCHIVIST)).order_by(
        "title"
    )
    if not collections and not permissions.is_admin(person):
        raise Http404
    if request.method == "GET":
        return render(
            request,
            "ingest/upload.html",
            {
                "collections": collections,
                "chosen": request.GET.get("collection"),
                "boxes": last_boxes(person),
            },
        )
    collection = get_object_or_404(collections, ref=request.POST.get("collection", ""))
    choice = request.POST.get("on_duplicate", Upload.OnDuplicate.ASK)
    if choice not in Upload.OnDuplicate.values:
        return problem("upload-choice", _("A duplicate can be asked about, skipped or kept."), 400)
    files = request.FILES.getlist("file")
    if request.accepts("text/html"):
        receipts: list[Upload] = []
        full, batch = "", new_id()
        try:
            # One by one: what was taken in before the disk was full is told.
            receipts.extend(_receive(file, collection, person, choice, batch) for file in files)
        except StoreError as error:
            full = str(error)
        context = {
            "full": full,
            "collections": collections,
            "chosen": collection.ref,
            "uploads": receipts,
            "batch": batch if any(services.is_new(row) for row in receipts) else None,
            "nothing": not files,
        }
        return render(request, "ingest/upload.html", context, status=503 if full else 200 if files else 400)
    if len(files) != 1:
        return problem(NO_FILE, _("Expected one file, got %d.") % len(files), 400)
    try:
        return JsonResponse(receipt(_receive(files[0], collection, person, choice), person), status=201)
    except StoreError as error:
        return problem(error.code, str(error), 503)


@login_required
@require_POST
def duplicate(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """What to do with a file the archive has already."""
    person = _person(request)
    found = get_object_or_404(Upload, pk=upload_id, by=person)
    choice = request.POST.get("choice", "")
    if choice not in {Upload.OnDuplicate.SKIP, Upload.OnDuplicate.KEEP}:
        return problem("upload-choice", _("Choose “use the existing one” or “keep both”."), 400)
    try:
        return JsonResponse(receipt(services.resolve_duplicate(found, choice=choice, by=person), person))
    except services.DecidedAlready as error:
        return problem(error.code, str(error), 409)


def _receive(
    file: "UploadedFile[Any]", collection: Collection, person: User, choice: str, batch: UUID | None = None
) -> Upload:
    assert isinstance(file, TemporaryUploadedFile)  # noqa: S101  (the only upload handler in the settings)
    return services.receive(
        Path(file.temporary_file_path()),
        filename=file.name or "",
        collection=collection,
        by=person,
        on_duplicate=choice,
        batch=batch,
        given=True,
    )


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user
