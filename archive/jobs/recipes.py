"""Recipes as the archive resolves them: presets against the registered model releases."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from archive.catalogue import services as catalogue
from archive.catalogue.looks import BY_REFERENCE
from archive.catalogue.models import ModelRelease, Recipe, StoredFile, Version
from archive.jobs.models import SavedRecipe
from stylizer.cards import Card
from stylizer.errors import RecipeError, UnknownModel
from stylizer.recipe import PRESETS, resolve
from stylizer.recipe import Recipe as Resolved


def resolved(
    spec: str | Mapping[str, Any], *, reference: Version | None = None, mask: StoredFile | None = None
) -> Recipe:
    """The row of the resolved recipe.

    Raises:
        RecipeError: where, what was expected, what was found.
    """
    return catalogue.register_recipe(resolve_asked(spec, reference=reference, mask=mask))


def resolve_asked(
    spec: str | Mapping[str, Any],
    *,
    reference: Version | None = None,
    mask: StoredFile | None = None,
    cards: Callable[[str], Card] | None = None,
) -> Resolved:
    """A recipe as a person asks for it (a preset, a chain, a mapping, or the name of a saved recipe), resolved but not
    kept; `cards` where many are resolved at once.

    Raises:
        RecipeError: where, what was expected, what was found.
    """
    saved = saved_named(spec)
    still_used(reference or (saved.reference if saved else None))
    if saved is not None:
        return _exactly(saved, reference=reference, mask=mask)
    if isinstance(spec, Mapping):
        # A mask or a reference named by digest would show its picture to people who may not see it.
        for name in ("mask", "reference"):
            if spec.get(name) is not None:
                raise RecipeError(name, "nothing: it is given with the order, not in the recipe", spec[name])
    if reference is not None and reference.page:
        # The recipe names the file by its digest, and a file has one first page: another would be another recipe's.
        raise RecipeError(
            "reference", "a picture on the first page of its file", f"page {reference.page + 1}"
        )
    return resolve(
        spec, cards=cards or newest_card, reference=reference.file_id if reference else None,
        mask=mask.sha256 if mask else None,
    )  # fmt: skip


def still_used(picture: Version | None) -> None:
    """A style picture made here is used no more once it was rejected or withdrawn. Raises RecipeError."""
    review = getattr(picture, "review", None)
    if picture is not None and review is not None and review.state in {"rejected", "withdrawn"}:
        raise RecipeError(
            "reference", "a picture that was neither rejected nor withdrawn",
            f"version {picture.number}, which is {review.state}",
        )  # fmt: skip


def saved_named(spec: str | Mapping[str, Any]) -> SavedRecipe | None:
    """The saved recipe of this name; None for presets, chains of them, mappings, and names of nothing."""
    if not isinstance(spec, str) or not spec or all(part.strip() in PRESETS for part in spec.split("+")):
        return None
    rows = SavedRecipe.objects.select_related(
        "recipe", "reference__file", "reference__scan__item__collection"
    )
    return rows.select_related("reference__review").filter(name__iexact=spec.strip(), removed=None).first()


def reference_of(spec: str | Mapping[str, Any]) -> Version | None:
    """The style picture that comes with the name of a saved recipe. Who orders has to be allowed to see it."""
    saved = saved_named(spec)
    return saved.reference if saved else None


def _exactly(saved: SavedRecipe, *, reference: Version | None, mask: StoredFile | None) -> Resolved:
    """What was saved, with the weights it was saved with: newer ones would be another recipe."""
    recipe = Resolved.from_json(saved.recipe.canonical)
    if reference is not None and reference.file_id != recipe.reference:
        expected = f"the style picture that “{saved}” was saved with" if recipe.reference else "nothing"
        raise RecipeError("reference", expected, str(reference.pk))
    return replace(recipe, mask=mask.sha256) if mask else recipe


def newest_card(name: str) -> Card:
    """The card of the newest registered release of a model.

    Raises:
        UnknownModel: none is registered.
    """
    release = ModelRelease.objects.filter(name=name).order_by("-registered").first()
    if release is None:
        raise UnknownModel(f"There is no model “{name}” in this archive.")
    return Card.from_dict(release.card, where=name)


def newest_cards() -> Callable[[str], Card]:
    """As `newest_card`, for many models with one query."""
    rows = ModelRelease.objects.order_by("name", "-registered").distinct("name").values_list("name", "card")
    known = {name: Card.from_dict(card, where=name) for name, card in rows}

    def card(name: str) -> Card:
        if name not in known:
            raise UnknownModel(f"There is no model “{name}” in this archive.")
        return known[name]

    return card


def offered() -> list[str]:
    """Presets that can be ordered without a style picture, in the order of the presets."""
    cards = newest_cards()
    return [name for name in PRESETS if can_be_made(name, cards)]


def can_be_made(spec: str | Mapping[str, Any], cards: Callable[[str], Card]) -> bool:
    """Whether this archive has all that a recipe asks for: models, counterparts that fit, no style picture."""
    try:
        resolve(spec, cards=cards)
    except (RecipeError, UnknownModel):
        return False
    return True


def takes_styles() -> bool:
    """Whether this archive has a model that takes its style from a picture."""
    steps = PRESETS.get(BY_REFERENCE, ())
    known = set(
        ModelRelease.objects.filter(name__in=[step["model"] for step in steps]).values_list("name", flat=True)
    )
    return bool(steps) and all(step["model"] in known for step in steps)
