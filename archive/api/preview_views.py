"""Previews over REST: ask for a look at a region, follow it, fetch its pictures."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.accounts import permissions
from archive.accounts.models import User
from archive.api.catalogue_views import ANY, fields, person
from archive.catalogue.models import Version
from archive.jobs import masks
from archive.previews import board, services


def signed_in(request: Request) -> User:
    """The person, or 404: previews are for those who may order."""
    by = person(request)
    if not permissions.may_order_at_all(by):
        raise Http404
    return by


def shape(found: board.Standing) -> dict[str, Any]:
    """A preview as JSON; of a ready one, where its pictures are."""
    data: dict[str, Any] = {"id": found.id, "state": found.state}
    if found.state == "failed":
        data["problem"] = {"code": found.code, "detail": found.sentence}
    if found.answer is not None:
        pictures = {kind: reverse("api:preview-picture", args=[found.id, kind]) for kind in board.PICTURES}
        data |= {"pictures": pictures, **found.answer}
    return data


class Previews(APIView):
    @extend_schema(request=dict, responses={202: dict})
    def post(self, request: Request) -> Response:
        by = signed_in(request)
        data = fields(request, {"version", "recipe", "region", "where", "areas"})
        if not isinstance(data.get("recipe"), str | dict):
            raise ValidationError({"recipe": "a preset's name or a recipe is needed"})
        where, areas = masks.parse(data.get("where"), data.get("areas"))
        preview = services.ask(
            _version(by, data.get("version")), data["recipe"], services.Region.parse(data.get("region")),
            by=by, where=where, areas=areas,
        )  # fmt: skip
        return Response({"id": preview, "state": "waiting"}, status=202)


class OnePreview(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, preview_id: str) -> Response:
        found = services.standing(preview_id, by=signed_in(request))
        if found is None:
            raise Http404
        return Response(shape(found))


class PreviewPicture(APIView):
    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, preview_id: str, kind: str) -> HttpResponse:
        found = board.picture(preview_id, kind, by=signed_in(request).pk)
        if found is None:
            raise Http404
        response = HttpResponse(found, content_type="image/png")
        # Saved from the browser, it says what it is: a part, and which of the two was made by an AI.
        name = {
            "after": "preview.AI.png",
            "before": "preview.original.png",
            "damage": "preview.AI-damage.png",
        }[kind]
        response["Content-Disposition"] = f'inline; filename="{name}"'
        response["Cache-Control"] = "private, max-age=600"
        return response


def _version(by: User, given: Any) -> Version:
    try:
        wanted = UUID(str(given))
    except ValueError as error:
        raise ValidationError({"version": "the id of a version is needed"}) from error
    rows = Version.objects.filter(permissions.visible_versions(by), pk=wanted)
    found = rows.select_related("scan__item__collection").first()
    if found is None:
        raise Http404
    return found
