"""A form that carries files is refused before its bytes are sent, where there is no room for them.

Django puts a form's files on the disk before any view sees it (to find its token it has to read it), so this comes
before that: by the length that the request announces, and by whether its sender has signed in. Uploads in parts ask
for themselves (`resumable.begin`).
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from archive.ingest import resumable

SMALL = 2**20  # a form of this size that is no upload is not worth asking the disk
UPLOADS = {"ingest:upload", "api:uploads"}
OTHER_FORMS = 512 * 2**20  # a mask, a style picture, a workbook


class RoomFirst:
    """Middleware, before the one that looks for a form's token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_arguments: Any
    ) -> HttpResponse | None:
        length = announced(request)
        if length is None:
            return None
        try:
            _check_sender(request, view, length)
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
    return int(length) if _is_upload(request) or int(length) > SMALL else None


def _is_upload(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name in UPLOADS


def _check_sender(request: HttpRequest, view: Callable[..., Any], length: int) -> None:
    """Nobody fills the disk through a form that is read only to find its token.

    The API's views are not read so (`csrf_exempt`): they ask for the key before they look at a body.

    Raises:
        TooLarge.
    """
    if not getattr(view, "csrf_exempt", False) and not request.user.is_authenticated and length > SMALL:
        raise resumable.TooLarge(_("Sign in before you send anything this large."))
    if not _is_upload(request) and length > OTHER_FORMS:
        raise resumable.TooLarge(
            _("This form takes %(most)s at most, and %(got)s were announced.")
            % {"most": resumable.in_words(OTHER_FORMS), "got": resumable.in_words(length)}
        )


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
