"""Exhibits over REST: to be read; they are composed by people on their page."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.api.catalogue_views import ANY
from archive.api.lists import listing
from archive.exhibits import queries
from archive.exhibits.models import Exhibit


def shape(row: Exhibit) -> dict[str, Any]:
    return {
        "slug": row.slug,
        "title": row.title,
        "subtitle": row.subtitle,
        "introduction": row.introduction,
        "state": row.state,
        "published": row.published,
    }


def picture(one: queries.Shown) -> dict[str, Any]:
    """A picture of an exhibit; what an AI made says so, and from which scan."""
    return {
        "version": str(one.version.pk),
        "role": one.version.role,
        "ai": one.original is not None,
        "original": str(one.original.pk) if one.original else None,
        "heading": one.entry.heading,
        "caption": one.entry.caption,
    }


class Exhibits(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        return listing(queries.exhibits_for(request.user), request, shape)


class OneExhibit(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, slug: str) -> Response:
        row = get_object_or_404(queries.exhibits_for(request.user), slug=slug)
        pictures = [picture(one) for one in queries.entries_for(request.user, row)]
        return Response(shape(row) | {"pictures": pictures})
