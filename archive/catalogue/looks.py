"""What makes a style: which derivatives look alike, however their recipes differ in the rest."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

STYLE = "stylise"
BY_REFERENCE = "style/reference"  # the model that takes its style from a picture
BY_PICTURE = "after:"  # the style picture's version follows


def look_of(recipe: Mapping[str, Any]) -> str:
    """A digest of what makes the style of a resolved recipe: its steps with all their settings, and the style picture.
    Where it acts (a mask), precision and tiles make no other style. Empty where no step is one of style."""
    steps = recipe.get("steps", [])
    if not any(step.get("operation") == STYLE for step in steps):
        return ""
    seen = json.dumps([steps, recipe.get("reference")], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def styles_of(recipe: Mapping[str, Any], *, reference: object) -> set[str]:
    """The styles a derivative has, as facets name them: the models of its steps of style; of one that took its style
    from a picture, that picture (`reference`: its version's id)."""
    named = {step.get("model", "") for step in recipe.get("steps", []) if step.get("operation") == STYLE}
    if named and reference:
        return named - {BY_REFERENCE} | {f"{BY_PICTURE}{reference}"}
    return named
