"""Recipes under names: saving them, finding them, taking them off the list. What a name stands for never changes."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.looks import look_of
from archive.catalogue.models import Version
from archive.catalogue.templatetags.archive_tags import recipe_title
from archive.jobs.models import SavedRecipe
from archive.jobs.orders import NotAllowed
from archive.jobs.recipes import resolved, saved_named
from archive.jobs.states import NotNow
from stylizer.errors import RecipeError
from stylizer.recipe import PRESETS

LONGEST = 80
# A name is written where a preset's is: on a command line, in the API. None may be taken for another of these.
NOT_IN_NAMES = re.compile(r"[+/\\\x00-\x1f\x7f]|\.(toml|json)$", re.IGNORECASE)

RESERVED = {"none", "restore", "restore-perceptual", "colourise", "upscale-2x", "upscale-2x-perceptual"}


class NameTaken(NotNow):
    """There is a recipe of this name."""

    code = "recipe-name-taken"


def save(
    name: str,
    spec: str | Mapping[str, Any],
    *,
    by: User,
    reference: Version | None = None,
    note: str = "",
) -> SavedRecipe:
    """Save a recipe under a name: resolved as it is now, with these weights.

    Raises:
        NotAllowed: not by this person, not this style picture, or under no such name.
        NameTaken: another recipe has it.
        RecipeError: where in the recipe, what was expected, what was found.
    """
    if not permissions.may_save_recipes(by):
        raise NotAllowed(_("Recipes are saved by people who may order."))
    if reference is not None and not permissions.may_see_version(by, reference):
        raise NotAllowed(_("The style picture is not among those you may see."))
    name = _fit(name)
    if saved_named(spec) is not None:
        raise NotAllowed(_("“%s” is saved already. Set something else and save that.") % spec)
    row = resolved(spec, reference=reference)
    recipe = json.loads(row.canonical)
    if recipe["mask"]:
        raise RecipeError("mask", "nothing, since a mask fits one scan", recipe["mask"])
    try:
        with transaction.atomic():
            return SavedRecipe.objects.create(
                name=name, note=" ".join(note.replace("\x00", "").split())[:300], recipe=row,
                reference=reference, look=look_of(recipe), saved_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise NameTaken(
            _(
                "There is a recipe called “%s” already, and what a name stands for never changes. Choose another."
            )
            % name
        ) from error


def remove(saved: SavedRecipe, *, by: User) -> SavedRecipe:
    """Take it off the list. What was made with it stays as it is, its row too; the name is free again.

    Raises:
        NotAllowed, NotNow
    """
    if not permissions.may_remove_saved_recipe(by, saved.saved_by_id):
        raise NotAllowed(_("A saved recipe is taken off by who saved it, or by an administrator."))
    rows = SavedRecipe.objects.filter(pk=saved.pk, removed=None)
    if not rows.update(removed=timezone.now(), removed_by=by):
        raise NotNow(_("“%s” was taken off the list already.") % saved)
    saved.refresh_from_db()
    return saved


def listed(person: permissions.Person) -> QuerySet[SavedRecipe]:
    """The saved recipes a person may use, by name."""
    rows = SavedRecipe.objects.filter(permissions.visible_saved_recipes(person), removed=None)
    return rows.select_related(
        "recipe", "reference__file", "reference__scan__item", "reference__review", "saved_by"
    )


def past(person: permissions.Person) -> QuerySet[SavedRecipe]:
    """Those that were taken off, the latest first: what a name in an older job meant."""
    rows = SavedRecipe.objects.filter(permissions.visible_saved_recipes(person), removed__isnull=False)
    return rows.select_related("recipe", "saved_by", "removed_by").order_by("-removed")


def with_uses(rows: QuerySet[SavedRecipe]) -> QuerySet[SavedRecipe]:
    """Add `made`: how many versions there are of exactly this recipe."""
    return rows.annotate(made=Count("recipe__versions"))


def in_words(saved: SavedRecipe) -> str:
    """What a saved recipe does, step by step."""
    recipe = json.loads(saved.recipe.canonical)
    parts = [_step_in_words(step) for step in recipe["steps"]]
    if saved.reference:
        parts.append(_("in the style of “%s”") % saved.reference.scan.item.title)
    if recipe["precision"] == "fast":
        parts.append(_("half precision"))
    return ", ".join(parts)


def _step_in_words(step: Mapping[str, Any]) -> str:
    said = [recipe_title(step["model"])]
    if step["strength"] != "1":
        said.append(_("at %d %%") % round(float(step["strength"]) * 100))
    if step.get("perceptual", "0") != "0":
        said.append(_("%d %% fresh") % round(float(step["perceptual"]) * 100))
    settings = step["parameters"]
    if settings.get("tone"):
        said.append(_("with tone"))
    if settings.get("boldness", "0") != "0":
        said.append(_("%d %% bold") % round(float(settings["boldness"]) * 100))
    if settings.get("only_damage"):
        said.append(_("where damage is marked"))
    if settings.get("detail") is False:
        said.append(_("not touching detail"))
    return " ".join(said)


def names() -> dict[str, list[str]]:
    """The names of saved styles by their look."""
    found: dict[str, list[str]] = {}
    for look, name in SavedRecipe.objects.filter(removed=None).exclude(look="").values_list("look", "name"):
        found.setdefault(look, []).append(name)
    return found


def _fit(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST:
        raise NotAllowed(_("A name has 1 to %d letters.") % LONGEST)
    if NOT_IN_NAMES.search(name):
        raise NotAllowed(
            _("A name has no “+”, “/” or “\\” in it and does not end like a file: those mean something else.")
        )
    if name.lower() in RESERVED | {preset.lower() for preset in PRESETS}:
        raise NotAllowed(_("“%s” is the archive's own. Choose another name.") % name)
    return name
