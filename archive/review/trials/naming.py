"""Recipes by what they say, short enough to choose between: `restore 1.0.0, 80 %, damage only`."""

from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext as _

from archive.catalogue.models import Recipe
from stylizer.recipe import Recipe as Resolved
from stylizer.recipe import Step


def names(recipes: Iterable[Recipe]) -> dict[str, str]:
    """`{digest: name}`; where two would be called alike, the beginning of the digest tells them apart."""
    plain = {recipe.digest: name(recipe) for recipe in recipes}
    how_many = Counter(plain.values())
    return {
        digest: words if how_many[words] == 1 else f"{words} ({digest[:8]})"
        for digest, words in plain.items()
    }


def name(recipe: Recipe) -> str:
    """The models in order, with what was set otherwise than usual."""
    resolved = Resolved.from_json(recipe.canonical)
    parts = [_step(step) for step in resolved.steps]
    if resolved.mask:
        parts.append(_("with a mask"))
    if resolved.reference:
        parts.append(_("after another picture"))
    if resolved.precision == "fast":
        parts.append(_("fast"))
    return ", ".join(parts)


def _step(step: Step) -> str:
    words = [f"{step.model} {step.version}"]
    if step.strength != "1":
        words.append(f"{float(step.strength) * 100:.0f} %")
    if step.perceptual != "0":
        words.append(_("look %d %%") % round(float(step.perceptual) * 100))
    if step.parameters.get("boldness", "0") != "0":
        words.append(_("%d %% bold") % round(float(str(step.parameters["boldness"])) * 100))
    if step.parameters.get("only_damage"):
        words.append(_("damage only"))
    if step.parameters.get("tone") is True:
        words.append(_("with tone"))
    if step.parameters.get("detail") is False:
        words.append(_("not touching detail"))
    return ", ".join(words)
