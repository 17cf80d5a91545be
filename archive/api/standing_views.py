"""Standing orders over REST, for admins: give, list, pause, resume, end, let look now."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.accounts import permissions
from archive.accounts.models import User
from archive.api import shapes
from archive.api.catalogue_views import ANY, fields, person
from archive.api.lists import listing
from archive.api.work_views import hours_of
from archive.catalogue.models import Collection
from archive.jobs import standing
from archive.jobs.models import StandingOrder


class StandingOrders(APIView):
    """Those that stand, and with `?ended=yes` those that are over."""

    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        _admin(request)
        over = request.query_params.get("ended") == "yes"
        rows = _rows().filter(ended__isnull=not over).order_by("-pk")
        return listing(rows, request, shapes.standing_order)

    @extend_schema(request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """`{"collection", "recipe", "hour": 22, "hours": ["22:00", "06:00"], "backlog": "new-only" | "all"}`"""
        by = _admin(request)
        data = fields(request, {"collection", "recipe", "hour", "hours", "backlog"})
        place = Collection.objects.filter(ref=str(data.get("collection", ""))).first()
        recipe, hour = data.get("recipe"), data.get("hour", 22)
        if place is None:
            raise ValidationError({"collection": "expected the reference of a collection"})
        if not isinstance(recipe, str) or isinstance(hour, bool) or not isinstance(hour, int):
            raise ValidationError({"recipe": "a recipe by its name is needed, and an hour is a whole number"})
        more: dict[str, Any] = {"hours": hours_of(data["hours"])} if data.get("hours") else {}
        made = standing.make(
            place, recipe, by=by, hour=hour, backlog=str(data.get("backlog", "new-only")), **more
        )
        return Response(shapes.standing_order(made), status=201)


class OneStandingOrder(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, order_id: int) -> Response:
        _admin(request)
        return Response(shapes.standing_order(get_object_or_404(_rows(), pk=order_id)))


class SteerStandingOrder(APIView):
    @extend_schema(request=dict, responses=ANY)
    def post(self, request: Request, order_id: int, action: str) -> Response:
        """`look` answers with the job that came of it, or null where nothing is new."""
        by, found = _admin(request), get_object_or_404(_rows(), pk=order_id)
        if action == "look":
            job = standing.look_now(found, by=by)
            return Response({"job": shapes.job(job) if job else None})
        if action not in standing.CHANGES:
            raise Http404
        return Response(shapes.standing_order(standing.CHANGES[action](found, by=by)))


def _rows() -> Any:
    return StandingOrder.objects.select_related("collection", "ordered_by")


def _admin(request: Request) -> User:
    by = person(request)
    if not permissions.may_keep_standing_orders(by):
        raise Http404
    return by
