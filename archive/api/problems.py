"""Errors as RFC 9457 problem details: a stable type, a sentence, and the fields that help."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from archive.catalogue.errors import CatalogueError
from archive.ingest.services import DecidedAlready
from archive.jobs.orders import NotAllowed
from archive.jobs.scope import ScopeError
from archive.jobs.states import NotNow
from archive.previews.board import PreviewUnavailable
from archive.review.services import DecisionRefused
from archive.store import StoreError
from stylizer.errors import StylizerError

BASE = "/problems/"
MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[Exception], int] = {
    NotAllowed: status.HTTP_403_FORBIDDEN,
    NotNow: status.HTTP_409_CONFLICT,
    DecisionRefused: status.HTTP_409_CONFLICT,
    DecidedAlready: status.HTTP_409_CONFLICT,
    ScopeError: status.HTTP_400_BAD_REQUEST,
    CatalogueError: status.HTTP_400_BAD_REQUEST,
    StylizerError: status.HTTP_400_BAD_REQUEST,
    StoreError: status.HTTP_503_SERVICE_UNAVAILABLE,
    PreviewUnavailable: status.HTTP_503_SERVICE_UNAVAILABLE,
}


def problem(code: str, detail: str, *, status: int, title: str = "", **fields: Any) -> Response:
    """A problem as a response."""
    body = {
        "type": f"{BASE}{code}",
        "title": title or code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        **fields,
    }
    return Response(body, status=status, content_type=MEDIA_TYPE)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: ours by their codes, DRF's by theirs, the rest to Django (500, logged)."""
    for kind, code in STATUS.items():
        if isinstance(error, kind):
            fields = {name: getattr(error, name) for name in ("path", "expected") if hasattr(error, name)}
            return problem(error.code, str(error), status=code, **fields)  # type: ignore[attr-defined]
    if isinstance(error, Http404):
        return problem("not-found", "There is nothing here, or nothing you may see.", status=404)
    if isinstance(error, PermissionDenied):
        return problem("not-allowed", "You may not do this.", status=403)
    if isinstance(error, exceptions.ValidationError):
        return problem("invalid", "Some fields are not as they should be.", status=400, errors=error.detail)
    response = exception_handler(error, context)
    if response is not None and isinstance(error, exceptions.APIException):
        answer = problem(
            str(error.default_code).replace("_", "-"), str(error.detail), status=response.status_code
        )
        for name in ("WWW-Authenticate", "Retry-After"):
            if response.has_header(name):
                answer[name] = response[name]
        return answer
    return response
