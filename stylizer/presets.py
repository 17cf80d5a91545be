"""Recipes by name: presets, chains of them, and files.

Standard library only.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stylizer.errors import RecipeError
from stylizer.parsing import LONGEST, json_table

# A preset's name → the steps asked for, before weights and defaults are filled in.
PRESETS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    # Tone is another matter: a curve for the whole picture changes sound pictures too, so it is asked for by name.
    "restore": ({"model": "restore", "parameters": {"tone": False}},),
    "restore-tone": ({"model": "restore", "parameters": {"tone": True}},),
    "restore-damage-only": ({"model": "restore", "parameters": {"tone": False, "only_damage": True}},),
    "restore-perceptual": ({"model": "restore", "parameters": {"tone": False}, "perceptual": "1"},),
    "colourise": ({"model": "colourise"},),
    "upscale-2x": ({"model": "upscale"},),
    "upscale-2x-perceptual": ({"model": "upscale", "perceptual": "1"},),
    "style/halftone-plate": ({"model": "style/halftone-plate"},),
    "style/woodblock-print": ({"model": "style/woodblock-print"},),
    "style/impressionism": ({"model": "style/impressionism"},),
    "style/charcoal-drawing": ({"model": "style/charcoal-drawing"},),
    "style/reference": ({"model": "style/reference"},),  # with the picture whose style it takes
}


def from_presets(name: str) -> dict[str, Any]:
    """The steps asked for by a preset's name, or by several joined with "+"."""
    steps: list[Mapping[str, Any]] = []
    for part in name.split("+"):
        if part.strip() not in PRESETS:
            raise RecipeError("recipe", f"one of {', '.join(PRESETS)}, or a chain of them", part.strip())
        steps += PRESETS[part.strip()]
    return {"steps": steps}


def load_spec(name_or_path: str) -> str | dict[str, Any]:
    """What a RECIPE on a command line means: a preset or chain by name, else the contents of a TOML or JSON file.

    Raises:
        RecipeError: neither a preset nor a readable file.
    """
    path = Path(name_or_path)
    if path.suffix.lower() not in {".toml", ".json"}:
        from_presets(name_or_path)
        return name_or_path
    try:
        if path.stat().st_size > LONGEST:
            raise RecipeError(str(path), f"at most {LONGEST} bytes", path.stat().st_size)
        text = path.read_text(encoding="utf-8")
        return json_table(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(str(path), "a readable TOML or JSON file", str(error)) from error
