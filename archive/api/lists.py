"""Lists by key: `{"results": […], "next": URL or null}`, each page as cheap as the first."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

SIZE = 50
LARGEST = 200


def listing(
    rows: QuerySet[Any], request: Request, represent: Callable[[Any], dict[str, Any]], *, newest: str = "pk"
) -> Response:
    """Rows newest first, after the row `?after=`, at most `?limit=`.

    newest: the column that says so, where the primary key does not.
    """
    limit = limit_of(request)
    if after := request.query_params.get("after"):
        rows = rows.filter(_older(rows.model, after, newest))
    found = list(rows.order_by(f"-{newest}", "-pk")[: limit + 1])
    following = None
    if len(found) > limit:
        query = request.query_params.copy()
        query["after"] = str(found[limit - 1].pk)
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return Response({"results": [represent(row) for row in found[:limit]], "next": following})


def limit_of(request: Request) -> int:
    """How many rows a page is to have, between 1 and `LARGEST`."""
    return max(1, min(_whole(request.query_params.get("limit"), SIZE, "limit"), LARGEST))


def key(text: Any, name: str) -> UUID:
    """An id from a query or a body. Raises ValidationError naming the field."""
    try:
        return UUID(str(text))
    except ValueError as error:
        raise ValidationError({name: f"expected an id, got {str(text)[:40]!r}"}) from error


def _older(model: type[Model], after: str, newest: str) -> Q:
    """What comes after this row. Raises ValidationError where it is none."""
    if newest == "pk":
        return Q(pk__lt=_key(model, after))
    if "\0" in after:
        raise ValidationError({"after": "expected an id"})
    last = model._default_manager.filter(pk=after).values_list(newest, flat=True).first()
    if last is None:
        raise ValidationError({"after": f"there is no {after[:80]!r}"})
    return Q((f"{newest}__lt", last)) | Q((newest, last), pk__lt=after)


def _key(model: type[Model], text: str) -> Any:
    return (
        _whole(text, 0, "after")
        if model._meta.pk.get_internal_type() == "BigAutoField"
        else key(text, "after")
    )


def _whole(text: str | None, default: int, name: str) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValidationError({name: f"expected a whole number, got {text[:40]!r}"})
    return int(text)
