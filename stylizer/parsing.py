"""Reading what people and files say into exact values; each refusal says where, what was expected, what was found.

Standard library only.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from stylizer.errors import RecipeError

SHA256 = re.compile(r"[0-9a-f]{64}")
LONGEST = 64 * 1024


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


def table(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RecipeError(path, "a table of names and values", value)
    return value


def only_keys(data: Mapping[str, Any], known: set[str], path: str, *, exact: bool = False) -> None:
    if unknown := sorted(str(key) for key in data if key not in known):
        raise RecipeError(
            f"{path}.{unknown[0]}", f"one of {', '.join(sorted(known)) or 'nothing'}", unknown[0]
        )
    if exact and (missing := sorted(known - data.keys())):
        raise RecipeError(f"{path}.{missing[0]}", "a value", None)


def one_of(value: Any, choices: Sequence[str], path: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise RecipeError(path, f"one of {', '.join(choices)}", value)
    return value


def digest_or_none(value: Any, path: str) -> str | None:
    if value is not None and (not isinstance(value, str) or not SHA256.fullmatch(value)):
        raise RecipeError(path, "a SHA-256 in hexadecimal, or nothing", value)
    return value


def json_table(text: str | bytes) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise RecipeError("recipe", f"at most {LONGEST} bytes", len(text))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError("recipe", "a JSON object", str(error)) from error
    if not isinstance(data, dict):
        raise RecipeError("recipe", "a JSON object", data)
    return data
