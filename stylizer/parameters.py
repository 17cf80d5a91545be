"""What may be set in a step of a recipe, operation by operation. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stylizer.errors import RecipeError
from stylizer.parsing import decimal_text, only_keys, table


@dataclass(frozen=True)
class Parameter:
    """One setting of an operation: its default and what values it may take."""

    default: str | bool
    least: Decimal = Decimal(0)
    most: Decimal = Decimal(1)
    since: int = 1  # the recipe schema that brought it

    def resolve(self, value: Any, path: str) -> str | bool:
        if isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise RecipeError(path, "true or false", value)
            return value
        return decimal_text(value, path, least=self.least, most=self.most)


# Every setting of every operation; a recipe holds all of them, so that a later default cannot change an older recipe.
PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "restore": {
        "tone": Parameter(default=True),
        "detail": Parameter(default=True),
        # Nothing changes outside the network's own damage map.
        "only_damage": Parameter(default=False, since=2),
        # From "0" (only where the release's judge is sure) to "1" (wherever it does not say no).
        "boldness": Parameter(default="0", since=3),
    },
    "upscale": {},
    "colourise": {},
    "stylise": {},
}


def of(operation: str, schema: int) -> dict[str, Parameter]:
    """The settings that a step of this operation has in this recipe schema, by name."""
    return {name: known for name, known in PARAMETERS[operation].items() if known.since <= schema}


def resolve(operation: str, given: Any, path: str, schema: int) -> dict[str, str | bool]:
    """Every setting of a step, spelt out: what was given, checked, else the default. Raises RecipeError."""
    data = table(given, path)
    known = of(operation, schema)
    only_keys(data, set(known), path)
    return {
        name: known[name].resolve(data.get(name, known[name].default), f"{path}.{name}")
        for name in sorted(known)
    }
