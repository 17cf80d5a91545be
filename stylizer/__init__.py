"""The stylizer: restoration and style as exact, repeatable operations on pictures. Knows no web, queue or database.

Names are loaded on first use, so that `stylizer.recipe`, `cards`, `errors` and `imageio` never bring torch with them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stylizer.engine import Engine, Report, Result, Source
    from stylizer.recipe import Recipe, resolve

__version__ = "0.2.0"
__all__ = ["Engine", "Recipe", "Report", "Result", "Source", "__version__", "resolve"]

_HOMES = {"Engine": "engine", "Report": "engine", "Result": "engine", "Source": "engine", "Recipe": "recipe",
          "resolve": "recipe"}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"stylizer.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'stylizer' has no attribute {name!r}")
