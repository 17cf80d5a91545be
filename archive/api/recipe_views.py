"""Recipes over REST: those things were made with, the archive's own by name, and those people saved under a name."""

from uuid import UUID

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
from archive.api.work_views import style_picture
from archive.catalogue.models import Recipe
from archive.jobs import saved
from archive.jobs.models import SavedRecipe
from archive.jobs.recipes import offered


class Recipes(APIView):
    """`results`: every recipe something was made with or saved; `presets`: the archive's own names; `saved`: names that
    people gave, for those who may order."""

    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        answer = listing(Recipe.objects.all(), request, shapes.recipe, newest="created")
        answer.data["presets"] = offered()
        answer.data["saved"] = [shapes.saved_recipe(row) for row in saved.listed(request.user)]
        return answer

    @extend_schema(request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """`{"name", "recipe", "reference", "note"}`: save a recipe under a name."""
        by = _orderer(request)
        data = fields(request, {"name", "recipe", "reference", "note"})
        name, recipe, note = data.get("name"), data.get("recipe"), data.get("note") or ""
        if not isinstance(name, str) or not isinstance(recipe, str | dict) or not isinstance(note, str):
            raise ValidationError({"name": "a name and a recipe are needed, and a note is text"})
        kept = saved.save(name, recipe, by=by, note=note, reference=style_picture(data.get("reference"), by))
        return Response(shapes.saved_recipe(kept), status=201)


class OneRecipe(APIView):
    """A saved recipe by its id, also after it was taken off the list; DELETE takes it off."""

    @extend_schema(responses=ANY)
    def get(self, request: Request, recipe_id: UUID) -> Response:
        return Response(shapes.saved_recipe(_saved(request, recipe_id)))

    @extend_schema(responses=ANY)
    def delete(self, request: Request, recipe_id: UUID) -> Response:
        found = _saved(request, recipe_id)
        return Response(shapes.saved_recipe(saved.remove(found, by=_orderer(request))))


def _orderer(request: Request) -> User:
    by = person(request)
    if not permissions.may_save_recipes(by):
        raise Http404
    return by


def _saved(request: Request, recipe_id: UUID) -> SavedRecipe:
    rows = SavedRecipe.objects.filter(permissions.visible_saved_recipes(request.user), pk=recipe_id)
    found: SavedRecipe = get_object_or_404(rows.select_related("recipe", "saved_by"))
    return found
