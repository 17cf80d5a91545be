"""The environment, read once, failing loudly: a wrong variable stops the program with a sentence, not a surprise."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


class EnvironmentProblem(Exception):
    """A variable is missing or cannot be understood."""


class Env:
    """Typed access to variables. Every name asked for is remembered in `known`, so that a test can list them."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = os.environ if values is None else values
        self.known: set[str] = set()

    def text(self, name: str, default: str | None = None) -> str:
        self.known.add(name)
        value = self.values.get(name, "")
        if value:
            return value
        if default is None:
            raise EnvironmentProblem(f"{name}: expected a value, found none. Set it in the environment.")
        return default

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value not in TRUE | FALSE:
            raise EnvironmentProblem(f"{name}: expected yes or no, got {value!r}.")
        return value in TRUE

    def whole(self, name: str, default: int, *, least: int = 0) -> int:
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError as error:
            raise EnvironmentProblem(f"{name}: expected a whole number, got {value!r}.") from error
        if number < least:
            raise EnvironmentProblem(f"{name}: expected at least {least}, got {number}.")
        return number

    def words(self, name: str, default: str = "") -> list[str]:
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def path(self, name: str, default: str) -> Path:
        return Path(self.text(name, default)).expanduser().resolve()


def made(folder: Path) -> Path:
    """Make a folder that Django expects to find.

    Raises:
        EnvironmentProblem: it cannot be made there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"PALIMPSEST_HOME: expected a writable folder, but {folder} cannot be made ({error.strerror})."
        ) from error
    return folder


def database(url: str) -> dict[str, Any]:
    """Django's settings for `postgresql://user:password@host:port/name?sslmode=…`; a socket directory as `host=`.

    Raises:
        EnvironmentProblem: another scheme, or no database name.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise EnvironmentProblem(f"DATABASE_URL: expected postgresql://…, got the scheme {parts.scheme!r}.")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise EnvironmentProblem("DATABASE_URL: expected a database name after the host, found none.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
