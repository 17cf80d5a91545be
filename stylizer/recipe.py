"""Recipes: what is asked for (a preset, a chain, a file) resolved into what is exactly done.

A resolved recipe spells out every default, names weights, mask and reference by SHA-256, keeps numbers as decimal
strings (a float has no canonical text), and has one canonical JSON and so one digest: equal recipes, equal digests.
Names of presets are not in it: what counts is what was done, not how it was called at the time.

Standard library only.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from stylizer import parameters
from stylizer.cards import OPERATIONS, Card
from stylizer.errors import RecipeError, StylizerError
from stylizer.parsing import (
    decimal_text,
    digest_or_none,
    json_table,
    one_of,
    only_keys,
    table,
)
from stylizer.presets import PRESETS as PRESETS
from stylizer.presets import from_presets
from stylizer.presets import load_spec as load_spec

# 2 added accept, and of a step blend and perceptual; 3 added boldness. Recipes of older schemas stay what they are.
SCHEMA = 3
PRECISIONS = ("archival", "fast")
ROLES = {"restore": "restored", "upscale": "upscaled", "colourise": "colourised", "stylise": "stylised"}
# Cores of a tile; 0 lets the picture's size choose, which is a rule and so still canonical.
TILES = (256, 512, 1024)
MODEL = re.compile(r"[a-z0-9][a-z0-9./_-]{0,99}")
MOST_STEPS = 8
REFUSALS = ("damage", "size")  # what the engine refuses unless the recipe accepts it by name

Cards: TypeAlias = Mapping[str, Card] | Callable[[str], Card]


@dataclass(frozen=True)
class Step:
    """One operation with one network. `strength` is a decimal string from "0" (nothing changes) to "1".

    `perceptual` from "0" (faithful) to "1" (fresh) moves the weights towards those of the model's perceptual
    counterpart, whose digest is then in `blend`.
    """

    operation: str
    model: str
    version: str
    weights: str
    strength: str = "1"
    parameters: Mapping[str, str | bool] = field(default_factory=dict)
    perceptual: str = "0"
    blend: str | None = None

    def to_dict(self, schema: int = SCHEMA) -> dict[str, Any]:
        data = {
            "model": self.model,
            "operation": self.operation,
            "parameters": dict(self.parameters),
            "strength": self.strength,
            "version": self.version,
            "weights": self.weights,
        }
        return data | ({"blend": self.blend, "perceptual": self.perceptual} if schema > 1 else {})


@dataclass(frozen=True)
class Recipe:
    """A resolved recipe. Equal recipes have equal canonical JSON, and so one digest."""

    steps: tuple[Step, ...]
    precision: str = "archival"
    tile: int = 0
    mask: str | None = None
    reference: str | None = None
    accept: tuple[str, ...] = ()
    schema: int = SCHEMA

    def canonical(self) -> bytes:
        """UTF-8 JSON with sorted keys and no spaces: the bytes the digest is taken of."""
        data: dict[str, Any] = {
            "mask": self.mask,
            "precision": self.precision,
            "reference": self.reference,
            "schema": self.schema,
            "steps": [step.to_dict(self.schema) for step in self.steps],
            "tile": self.tile,
        }
        if self.schema > 1:
            data["accept"] = list(self.accept)
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
        data = json_table(text)
        schema = data.get("schema")
        if not isinstance(schema, int) or isinstance(schema, bool) or not 1 <= schema <= SCHEMA:
            raise RecipeError("schema", f"1 to {SCHEMA}", schema)
        known = {"mask", "precision", "reference", "schema", "steps", "tile"}
        only_keys(data, known | ({"accept"} if schema > 1 else set()), "recipe", exact=True)
        steps = tuple(
            _resolved_step(step, f"steps[{i}]", schema) for i, step in enumerate(_steps(data["steps"]))
        )
        return cls(
            steps=steps,
            precision=one_of(data["precision"], PRECISIONS, "precision"),
            tile=_tile(data["tile"]),
            mask=digest_or_none(data["mask"], "mask"),
            reference=digest_or_none(data["reference"], "reference"),
            accept=_accepted(data.get("accept", [])),
            schema=schema,
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
    only_keys(data, {"steps", "precision", "tile", "mask", "reference", "accept", "schema"}, "recipe")
    steps = tuple(_asked_step(step, f"steps[{i}]", cards) for i, step in enumerate(_steps(data.get("steps"))))
    reference = digest_or_none(reference or data.get("reference"), "reference")
    _check_reference(reference, steps, cards)
    _check_enlarging(steps, mask or data.get("mask"))
    return Recipe(
        steps=steps,
        precision=one_of(precision or data.get("precision", "archival"), PRECISIONS, "precision"),
        tile=_tile(data.get("tile", 0)),
        mask=digest_or_none(mask or data.get("mask"), "mask"),
        reference=reference,
        accept=_accepted(data.get("accept", [])),
        schema=_schema_of(steps),
    )


def _schema_of(steps: Sequence[Step]) -> int:
    """The first schema that holds all settings of the steps: what a later one brings to others leaves their recipes'
    digests alone."""
    return max(
        [2, *(known.since for step in steps for known in parameters.of(step.operation, SCHEMA).values())]
    )


def takes_reference(spec: str | Mapping[str, Any], *, cards: Cards) -> bool:
    """Whether a preset, a chain or a recipe asks for a style picture. Raises RecipeError for an unknown model."""
    data = from_presets(spec) if isinstance(spec, str) else spec
    steps = [table(step, f"steps[{i}]") for i, step in enumerate(_steps(data.get("steps")))]
    return any(_card(step.get("model"), f"steps[{i}].model", cards).reference for i, step in enumerate(steps))


def _check_reference(reference: str | None, steps: Sequence[Step], cards: Cards) -> None:
    taking = [
        step.model for i, step in enumerate(steps) if _card(step.model, f"steps[{i}].model", cards).reference
    ]
    if taking and reference is None:
        raise RecipeError("reference", f"a style picture, which {taking[0]} takes its style from", None)
    if reference is not None and not taking:
        raise RecipeError(
            "reference", "nothing, since no step of this recipe takes a style picture", reference
        )


def _check_enlarging(steps: Sequence[Step], mask: Any) -> None:
    """An enlargement makes every pixel anew, and one of an enlargement would draw from what was drawn."""
    times = sum(step.operation == "upscale" for step in steps)
    if times > 1:
        raise RecipeError("steps", "at most one enlargement", f"{times}")
    if times and mask is not None:
        raise RecipeError("mask", "nothing, since a mask cannot limit what is enlarged", mask)


def _asked_step(step: Any, path: str, cards: Cards) -> Step:
    data = table(step, path)
    only_keys(
        data, {"model", "operation", "strength", "parameters", "perceptual", "version", "weights"}, path
    )
    card = _card(data.get("model"), f"{path}.model", cards)
    perceptual = decimal_text(
        data.get("perceptual", 0), f"{path}.perceptual", least=Decimal(0), most=Decimal(1)
    )
    for key in ("operation", "version", "weights"):  # said again in a spec, they are a promise to be kept
        if key in data and data[key] != getattr(card, key):
            raise RecipeError(f"{path}.{key}", repr(getattr(card, key)), data[key])
    return Step(
        operation=card.operation,
        model=card.name,
        version=card.version,
        weights=card.weights,
        strength=decimal_text(data.get("strength", 1), f"{path}.strength", least=Decimal(0), most=Decimal(1)),
        parameters=parameters.resolve(
            card.operation, data.get("parameters", {}), f"{path}.parameters", SCHEMA
        ),
        perceptual=perceptual,
        blend=_counterpart(card, f"{path}.perceptual", cards) if perceptual != "0" else None,
    )


def _card(name: Any, path: str, cards: Cards) -> Card:
    if not isinstance(name, str):
        raise RecipeError(path, "the name of a model", name)
    try:
        return cards(name) if callable(cards) else cards[name]
    except KeyError as error:
        known = ", ".join(sorted(cards)) if isinstance(cards, Mapping) else "a registered model"
        raise RecipeError(path, f"one of {known}", name) from error
    except StylizerError as error:
        raise RecipeError(path, str(error), name) from error


def _counterpart(card: Card, path: str, cards: Cards) -> str:
    """The weights of the model's perceptual counterpart: another point of the same architecture."""
    if not card.counterpart:
        raise RecipeError(path, f"0, since {card.name} {card.version} has no perceptual counterpart", "more")
    other = _card(card.counterpart, path, cards)
    if (other.architecture, dict(other.arguments)) != (card.architecture, dict(card.arguments)):
        raise RecipeError(
            path, f"a counterpart of {card.name} {card.version}'s own form", f"{other.name} {other.version}"
        )
    return other.weights


def _resolved_step(step: Any, path: str, schema: int) -> Step:
    data = table(step, path)
    known = {"model", "operation", "parameters", "strength", "version", "weights"}
    only_keys(data, known | ({"blend", "perceptual"} if schema > 1 else set()), path, exact=True)
    operation = one_of(data["operation"], OPERATIONS, f"{path}.operation")
    for key in ("model", "version"):
        if not isinstance(data[key], str) or not MODEL.fullmatch(data[key]):
            raise RecipeError(f"{path}.{key}", "a short name", data[key])
    given = table(data["parameters"], f"{path}.parameters")
    only_keys(given, set(parameters.of(operation, schema)), f"{path}.parameters", exact=True)
    weights = digest_or_none(data["weights"], f"{path}.weights")
    if weights is None:
        raise RecipeError(f"{path}.weights", "a SHA-256 in hexadecimal", None)
    blend = digest_or_none(data.get("blend"), f"{path}.blend")
    perceptual = decimal_text(
        data.get("perceptual", "0"), f"{path}.perceptual", least=Decimal(0), most=Decimal(1)
    )
    if (blend is None) != (perceptual == "0"):
        raise RecipeError(f"{path}.blend", "weights where perceptual is more than 0, and only there", blend)
    return Step(
        operation=operation,
        model=data["model"],
        version=data["version"],
        weights=weights,
        strength=decimal_text(data["strength"], f"{path}.strength", least=Decimal(0), most=Decimal(1)),
        parameters=parameters.resolve(operation, given, f"{path}.parameters", schema),
        perceptual=perceptual,
        blend=blend,
    )


def _steps(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_STEPS:
        raise RecipeError("steps", f"a list of 1 to {MOST_STEPS} steps", value)
    return value


def _accepted(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise RecipeError("accept", f"a list of {', '.join(REFUSALS)}", value)
    return tuple(sorted({one_of(name, REFUSALS, "accept") for name in value}))


def _tile(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in (0, *TILES):
        raise RecipeError("tile", f"0 (chosen by size) or one of {', '.join(map(str, TILES))}", value)
    return value
