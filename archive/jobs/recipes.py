"""Recipes as the archive resolves them: presets against the registered model releases."""

from collections.abc import Mapping
from typing import Any

from archive.catalogue import services as catalogue
from archive.catalogue.models import ModelRelease, Recipe, Version
from stylizer.cards import Card
from stylizer.errors import UnknownModel
from stylizer.recipe import PRESETS, resolve


def resolved(spec: str | Mapping[str, Any], *, reference: Version | None = None) -> Recipe:
    """The row of the resolved recipe.

    Raises:
        RecipeError: where, what was expected, what was found.
    """
    return catalogue.register_recipe(
        resolve(spec, cards=newest_card, reference=reference.file_id if reference else None)
    )


def newest_card(name: str) -> Card:
    """The card of the newest registered release of a model.

    Raises:
        UnknownModel: none is registered.
    """
    release = ModelRelease.objects.filter(name=name).order_by("-registered").first()
    if release is None:
        raise UnknownModel(f"There is no model “{name}” in this archive.")
    return Card.from_dict(release.card, where=name)


def offered() -> list[str]:
    """Presets whose models are all registered, in the order of the presets."""
    known = set(ModelRelease.objects.values_list("name", flat=True))
    return [name for name, steps in PRESETS.items() if all(step["model"] in known for step in steps)]
