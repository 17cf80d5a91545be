"""tus 1.0, uploads that go on where they stopped: core, creation (with the first bytes), checksum, expiration,
termination.

The protocol only; what an upload is lives in `archive.ingest.resumable`. https://tus.io/protocols/resumable-upload
"""

import base64
import binascii
import re
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import http_date
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from archive.accounts import permissions
from archive.accounts.models import User
from archive.api.problems import problem
from archive.catalogue import queries
from archive.catalogue.models import Collection
from archive.ids import as_uuid
from archive.ingest import incoming, resumable
from archive.ingest.models import Upload
from archive.store import StoreError

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
PART = "application/offset+octet-stream"
ALGORITHMS = ("sha1", "sha256")
SHA256 = re.compile(r"[0-9a-f]{64}")
METHODS = {"POST", "HEAD", "PATCH", "DELETE", "OPTIONS"}


class BadRequest(Exception):
    """A request that does not keep to the protocol."""

    def __init__(self, sentence: str, *, status: int = 400, code: str = "tus") -> None:
        super().__init__(sentence)
        self.status, self.code = status, code


class Untouched(BaseParser):
    """The body stays on its connection: it is read once, straight to the disk."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return {}


class Tus(APIView):
    """What both addresses share: the version, the method a proxy may hide, errors as problems with tus's numbers."""

    parser_classes = (Untouched,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if (hidden := request.headers.get("X-HTTP-Method-Override", "").upper()) in METHODS:
            request.method = hidden
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in METHODS - {"OPTIONS"} and request.headers.get("Tus-Resumable") != VERSION:
            raise BadRequest(f"Expected the header Tus-Resumable: {VERSION}.", status=412, code="tus-version")

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, BadRequest):
            return problem(exc.code, str(exc), status=exc.status)
        if isinstance(exc, incoming.IncomingError):
            return problem("upload-part", str(exc), status=exc.status)
        if isinstance(exc, resumable.UploadRefused):
            return problem(exc.code, str(exc), status=exc.status)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = VERSION
        response["Tus-Version"] = VERSION
        return response

    @extend_schema(exclude=True)
    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return HttpResponse(
            status=204,
            headers={
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(settings.MAX_FILE_BYTES),
                "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
            },
        )


class Uploads(Tus):
    """Beginning one."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> HttpResponse:
        if "Upload-Length" not in request.headers:
            raise BadRequest("Expected the header Upload-Length; the length cannot be left open.")
        length = _whole(request.headers["Upload-Length"], "Upload-Length")
        upload = resumable.begin(_beginning(request, length), by=_person(request))
        headers = {"Location": reverse("api:tus-upload", args=[upload.pk])}
        begun_before = upload.state != Upload.State.UPLOADING or incoming.offset(upload.pk) != 0
        if request.headers.get("Content-Type") == PART and _announced(request) and not begun_before:
            upload = _write(request, upload, at=0)
        elif begun_before:
            upload = _gone_on(upload)
        return HttpResponse(status=201, headers=headers | _state(upload))


class OneUpload(Tus):
    """Going on with one."""

    @extend_schema(exclude=True)
    def head(self, request: Request, upload_id: UUID) -> HttpResponse:
        upload = _gone_on(_found(request, upload_id))
        return HttpResponse(
            headers=_state(upload) | {"Upload-Length": str(upload.size), "Cache-Control": "no-store"}
        )

    @extend_schema(exclude=True)
    def patch(self, request: Request, upload_id: UUID) -> HttpResponse:
        if request.headers.get("Content-Type") != PART:
            raise BadRequest(f"Expected the content type {PART}.", status=415, code="tus-content-type")
        at = _whole(request.headers.get("Upload-Offset"), "Upload-Offset")
        upload = _found(request, upload_id)
        if upload.state != Upload.State.UPLOADING:
            raise incoming.WrongOffset("This upload is finished.")
        return HttpResponse(status=204, headers=_state(_write(request, upload, at=at)))

    @extend_schema(exclude=True)
    def delete(self, request: Request, upload_id: UUID) -> HttpResponse:
        upload = _found(request, upload_id)
        if upload.state != Upload.State.UPLOADING:
            raise incoming.WrongOffset("This upload is finished: what it became is in the archive.")
        resumable.abandon(upload)
        return HttpResponse(status=204)


def metadata(header: str) -> dict[str, str]:
    """The header Upload-Metadata: `name base64, name base64, …`; a name alone stands for nothing.

    Raises:
        BadRequest: no such header, or a value that is no text.
    """
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _space, value = pair.partition(" ")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise BadRequest(f"Expected base64 of UTF-8 for {name!r} in Upload-Metadata.") from error
        if name in found:
            raise BadRequest(f"{name!r} stands twice in Upload-Metadata.")
        found[name] = text
    return found


def _beginning(request: Request, length: int) -> resumable.Beginning:
    """Into which collection or item; 404 where the person may not upload."""
    said = metadata(request.headers.get("Upload-Metadata", ""))
    person = _person(request)
    item = None
    if said.get("item"):
        item_id = as_uuid(said["item"])
        item = queries.items_for(person).filter(pk=item_id).first() if item_id else None
        collection = item.collection if item else None
    else:
        seen = Collection.objects.filter(permissions.visible_collections(person))
        collection = seen.filter(ref=said.get("collection", "")).first()
    if collection is None or not permissions.may_upload(person, collection):
        raise Http404
    digest = said.get("sha256", "").lower()
    choice = said.get("on_duplicate", Upload.OnDuplicate.ASK)
    if digest and not SHA256.fullmatch(digest):
        raise BadRequest("Expected 64 hexadecimal digits for sha256 in Upload-Metadata.")
    if choice not in Upload.OnDuplicate.values:
        raise BadRequest(f"Expected on_duplicate to be one of {', '.join(Upload.OnDuplicate.values)}.")
    return resumable.Beginning(
        filename=said.get("filename") or said.get("name") or "unnamed",
        length=length,
        collection=collection,
        item=item,
        sha256=digest,
        key=as_uuid(said.get("key")),
        batch=as_uuid(said.get("batch")),
        on_duplicate=choice,
    )


def _write(request: Request, upload: Upload, *, at: int) -> Upload:
    """Write what the request carries, straight from the connection to the disk; finish with the last byte."""
    done = incoming.append(
        upload.pk,
        request._request.read,
        at=at,
        length=upload.size,
        announced=_announced(request),
        checksum=_checksum(request),
    )
    if done < upload.size:
        resumable.touch(upload)
        return upload
    return _finished(upload)


def _gone_on(upload: Upload) -> Upload:
    """One that is asked about: whose server died between its last byte and the catalogue need not wait for a sweep."""
    return _finished(upload) if resumable.is_left(upload) else upload


def _finished(upload: Upload) -> Upload:
    try:
        return resumable.finish(upload)
    except StoreError:
        return upload  # all bytes are here; a sweep takes them in when the store is back


def _found(request: Request, upload_id: UUID) -> Upload:
    """One's own upload. 404 for somebody else's; 410 for one that was given up."""
    upload = (
        Upload.objects.select_related("collection", "by", "into_item")
        .filter(pk=upload_id, by=_person(request))
        .first()
    )
    if upload is None or not permissions.may_upload(_person(request), upload.collection):
        raise Http404
    if upload.code == "upload-expired":
        raise BadRequest(upload.sentence, status=410, code="upload-expired")
    return upload


def _state(upload: Upload) -> dict[str, str]:
    if upload.state != Upload.State.UPLOADING:
        return {"Upload-Offset": str(upload.size)}
    headers = {"Upload-Offset": str(incoming.offset(upload.pk) or 0)}
    if upload.expires:
        headers["Upload-Expires"] = http_date(upload.expires.timestamp())
    return headers


def _checksum(request: Request) -> incoming.Checksum | None:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    algorithm, _space, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadRequest(f"Expected a checksum by {' or '.join(ALGORITHMS)}.", code="tus-checksum")
    try:
        return incoming.Checksum(algorithm, base64.b64decode(value, validate=True))
    except binascii.Error as error:
        raise BadRequest("Expected the checksum in base64.", code="tus-checksum") from error


def _announced(request: Request) -> int:
    return _whole(request.headers.get("Content-Length") or "0", "Content-Length")


def _whole(text: str | None, name: str) -> int:
    if text is None or not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadRequest(f"Expected a whole number in {name}.")
    return int(text)


def _person(request: Request) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user
