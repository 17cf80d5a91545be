"""A form that carries files is refused before its bytes are sent, where there is no room for them.

Django puts a form's files on the disk before any view sees it (to find its token it has to read it), so this comes
before that: by the length that the request announces. Uploads in parts ask for themselves (`resumable.begin`).
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from archive.ingest import resumable

SMALL = 2**20  # a form of this size that is no upload is not worth asking the disk
UPLOADS = {"ingest:upload", "api:uploads"}


class RoomFirst:
    """Middleware, before the one that looks for a form's token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        length = announced(request)
        if length is None:
            return None
        try:
            resumable.check_size(length, name=_("What you send"))
        except resumable.UploadRefused as refusal:
            answer = _answer(request, refusal)
            answer.headers["Connection"] = "close"  # the rest of it is not waited for
            return answer
        return None


def announced(request: HttpRequest) -> int | None:
    """The bytes of a form with files that is about to come; None for every other request."""
    if request.content_type != "multipart/form-data":
        return None
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdigit():
        return None  # nothing is read of a body whose length is not said
    match = request.resolver_match
    asked = match is not None and match.view_name in UPLOADS
    return int(length) if asked or int(length) > SMALL else None


def _answer(request: HttpRequest, refusal: resumable.UploadRefused) -> HttpResponse:
    if request.path.startswith("/api/"):
        body = {
            "type": f"/problems/{refusal.code}", "title": refusal.code.replace("-", " ").capitalize(),
            "status": refusal.status, "detail": str(refusal),
        }  # fmt: skip
        return JsonResponse(body, status=refusal.status, content_type="application/problem+json")
    if request.accepts("text/html"):
        return render(request, "ingest/no_room.html", {"sentence": str(refusal)}, status=refusal.status)
    sentence = {"problem": {"code": refusal.code, "sentence": str(refusal)}}
    return JsonResponse(sentence, status=refusal.status)
