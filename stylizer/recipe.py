"""Recipes: what is asked for (a preset, a chain, a file) resolved into what is exactly done.

A resolved recipe spells out every default, names weights, mask and reference by SHA-256, keeps numbers as decimal
strings (a float has no canonical text), and has one canonical JSON and so one digest: equal recipes, equal digests.
Names of presets are not in it: what counts is what was done, not how it was called at the time.

Standard library only.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias

from stylizer.cards import OPERATIONS, Card
from stylizer.errors import RecipeError, StylizerError

SCHEMA = 1
PRECISIONS = ("archival", "fast")
ROLES = {"restore": "restored", "upscale": "upscaled", "colourise": "colourised", "stylise": "stylised"}
TILES = (
    256,
    512,
    1024,
)  # cores of a tile; 0 lets the picture's size choose, which is a rule and so still canonical
SHA256 = re.compile(r"[0-9a-f]{64}")
MODEL = re.compile(r"[a-z0-9][a-z0-9./_-]{0,99}")
LONGEST = 64 * 1024
MOST_STEPS = 8

# A preset's name → the steps asked for, before weights and defaults are filled in.
PRESETS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "restore": ({"model": "restore"},),
    "restore-damage-only": ({"model": "restore", "parameters": {"tone": False}},),
}

Cards: TypeAlias = Mapping[str, Card] | Callable[[str], Card]


@dataclass(frozen=True)
class Parameter:
    """One setting of an operation: its default and what values it may take."""

    default: str | bool
    least: Decimal = Decimal(0)
    most: Decimal = Decimal(1)

    def resolve(self, value: Any, path: str) -> str | bool:
        if isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise RecipeError(path, "true or false", value)
            return value
        return decimal_text(value, path, least=self.least, most=self.most)


# Every setting of every operation; a recipe holds all of them, so that a later default cannot change an older recipe.
PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "restore": {"tone": Parameter(default=True), "detail": Parameter(default=True)},
    "upscale": {},
    "colourise": {},
    "stylise": {},
}


@dataclass(frozen=True)
class Step:
    """One operation with one network. `strength` is a decimal string from "0" (nothing changes) to "1"."""

    operation: str
    model: str
    version: str
    weights: str
    strength: str = "1"
    parameters: Mapping[str, str | bool] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "operation": self.operation,
            "parameters": dict(self.parameters),
            "strength": self.strength,
            "version": self.version,
            "weights": self.weights,
        }


@dataclass(frozen=True)
class Recipe:
    """A resolved recipe. Equal recipes have equal canonical JSON, and so one digest."""

    steps: tuple[Step, ...]
    precision: str = "archival"
    tile: int = 0
    mask: str | None = None
    reference: str | None = None
    schema: int = SCHEMA

    def canonical(self) -> bytes:
        """UTF-8 JSON with sorted keys and no spaces: the bytes the digest is taken of."""
        data = {
            "mask": self.mask,
            "precision": self.precision,
            "reference": self.reference,
            "schema": self.schema,
            "steps": [step.to_dict() for step in self.steps],
            "tile": self.tile,
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def operations(self) -> tuple[str, ...]:
        return tuple(step.operation for step in self.steps)

    @property
    def role(self) -> str:
        """What the derivative is called: of a chain, the last in the order restored, upscaled, colourised, stylised."""
        return [role for operation, role in ROLES.items() if operation in self.operations][-1]

    @classmethod
    def from_json(cls, text: str | bytes) -> "Recipe":
        """Read a resolved recipe; nothing is filled in, since it must say everything itself.

        Raises:
            RecipeError: anything missing, unknown or out of range.
        """
        data = _loads(text)
        _keys(data, {"mask", "precision", "reference", "schema", "steps", "tile"}, "recipe", exact=True)
        if data["schema"] != SCHEMA or isinstance(data["schema"], bool):
            raise RecipeError("schema", str(SCHEMA), data["schema"])
        steps = tuple(_resolved_step(step, f"steps[{i}]") for i, step in enumerate(_steps(data["steps"])))
        return cls(
            steps=steps,
            precision=_one_of(data["precision"], PRECISIONS, "precision"),
            tile=_tile(data["tile"]),
            mask=_digest(data["mask"], "mask"),
            reference=_digest(data["reference"], "reference"),
        )


def resolve(
    spec: str | Mapping[str, Any],
    *,
    cards: Cards,
    reference: str | None = None,
    mask: str | None = None,
    precision: str | None = None,
) -> Recipe:
    """Resolve a preset's name, a chain of them (`restore+colourise`), or what a TOML or JSON file says.

    Args:
        cards: gives the card of a model by its name: a mapping, or a function that raises StylizerError.
        reference, mask: SHA-256 of the file to use, if any.
        precision: "archival" (fp32) or "fast" (bf16); what the spec says, else archival.

    Raises:
        RecipeError: where, what was expected, what was found.
    """
    data = from_presets(spec) if isinstance(spec, str) else dict(spec)
    _keys(data, {"steps", "precision", "tile", "mask", "reference", "schema"}, "recipe")
    steps = tuple(_asked_step(step, f"steps[{i}]", cards) for i, step in enumerate(_steps(data.get("steps"))))
    return Recipe(
        steps=steps,
        precision=_one_of(precision or data.get("precision", "archival"), PRECISIONS, "precision"),
        tile=_tile(data.get("tile", 0)),
        mask=_digest(mask or data.get("mask"), "mask"),
        reference=_digest(reference or data.get("reference"), "reference"),
    )


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
        return _loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(str(path), "a readable TOML or JSON file", str(error)) from error


def decimal_text(value: Any, path: str, *, least: Decimal, most: Decimal) -> str:
    """A number as its shortest plain decimal text: 1.0 → "1", ".50" → "0.5"; at most six places."""
    expected = f"{least}…{most}"
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise RecipeError(path, expected, value)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise RecipeError(path, expected, value) from error
    if not number.is_finite() or not least <= number <= most:
        raise RecipeError(path, expected, value)
    rounded = format(round(number, 6), "f")
    text = rounded.rstrip("0").rstrip(".") if "." in rounded else rounded
    return "0" if text in {"", "-0"} else text


def _asked_step(step: Any, path: str, cards: Cards) -> Step:
    data = _object(step, path)
    _keys(data, {"model", "operation", "strength", "parameters", "version", "weights"}, path)
    name = data.get("model")
    if not isinstance(name, str):
        raise RecipeError(f"{path}.model", "the name of a model", name)
    try:
        card = cards(name) if callable(cards) else cards[name]
    except KeyError as error:
        known = ", ".join(sorted(cards)) if isinstance(cards, Mapping) else "a registered model"
        raise RecipeError(f"{path}.model", f"one of {known}", name) from error
    except StylizerError as error:
        raise RecipeError(f"{path}.model", str(error), name) from error
    for key in ("operation", "version", "weights"):  # said again in a spec, they are a promise to be kept
        if key in data and data[key] != getattr(card, key):
            raise RecipeError(f"{path}.{key}", repr(getattr(card, key)), data[key])
    return Step(
        operation=card.operation,
        model=card.name,
        version=card.version,
        weights=card.weights,
        strength=decimal_text(data.get("strength", 1), f"{path}.strength", least=Decimal(0), most=Decimal(1)),
        parameters=_parameters(card.operation, data.get("parameters", {}), f"{path}.parameters"),
    )


def _resolved_step(step: Any, path: str) -> Step:
    data = _object(step, path)
    _keys(data, {"model", "operation", "parameters", "strength", "version", "weights"}, path, exact=True)
    operation = _one_of(data["operation"], OPERATIONS, f"{path}.operation")
    for key in ("model", "version"):
        if not isinstance(data[key], str) or not MODEL.fullmatch(data[key]):
            raise RecipeError(f"{path}.{key}", "a short name", data[key])
    given = _object(data["parameters"], f"{path}.parameters")
    _keys(given, set(PARAMETERS[operation]), f"{path}.parameters", exact=True)
    weights = _digest(data["weights"], f"{path}.weights")
    if weights is None:
        raise RecipeError(f"{path}.weights", "a SHA-256 in hexadecimal", None)
    return Step(
        operation=operation,
        model=data["model"],
        version=data["version"],
        weights=weights,
        strength=decimal_text(data["strength"], f"{path}.strength", least=Decimal(0), most=Decimal(1)),
        parameters=_parameters(operation, given, f"{path}.parameters"),
    )


def _parameters(operation: str, given: Any, path: str) -> dict[str, str | bool]:
    data = _object(given, path)
    known = PARAMETERS[operation]
    _keys(data, set(known), path)
    return {
        name: known[name].resolve(data.get(name, known[name].default), f"{path}.{name}")
        for name in sorted(known)
    }


def _steps(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_STEPS:
        raise RecipeError("steps", f"a list of 1 to {MOST_STEPS} steps", value)
    return value


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RecipeError(path, "a table of names and values", value)
    return value


def _keys(data: Mapping[str, Any], known: set[str], path: str, *, exact: bool = False) -> None:
    if unknown := sorted(str(key) for key in data if key not in known):
        raise RecipeError(
            f"{path}.{unknown[0]}", f"one of {', '.join(sorted(known)) or 'nothing'}", unknown[0]
        )
    if exact and (missing := sorted(known - data.keys())):
        raise RecipeError(f"{path}.{missing[0]}", "a value", None)


def _one_of(value: Any, choices: Sequence[str], path: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise RecipeError(path, f"one of {', '.join(choices)}", value)
    return value


def _tile(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in (0, *TILES):
        raise RecipeError("tile", f"0 (chosen by size) or one of {', '.join(map(str, TILES))}", value)
    return value


def _digest(value: Any, path: str) -> str | None:
    if value is not None and (not isinstance(value, str) or not SHA256.fullmatch(value)):
        raise RecipeError(path, "a SHA-256 in hexadecimal, or nothing", value)
    return value


def _loads(text: str | bytes) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise RecipeError("recipe", f"at most {LONGEST} bytes", len(text))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError("recipe", "a JSON object", str(error)) from error
    if not isinstance(data, dict):
        raise RecipeError("recipe", "a JSON object", data)
    return data
