"""Asking for a preview, under the rules an order would meet; and reading what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Version
from archive.jobs import dispatch
from archive.jobs.masks import Area, Where
from archive.jobs.orders import NotAllowed, forbidden_by_policy
from archive.jobs.recipes import reference_of, resolve_asked
from archive.previews import board
from stylizer.errors import RecipeError

SIDE = 512  # pixels; what a page shows
MOST = 1024


@dataclass(frozen=True)
class Region:
    """Upright pixels of the version; a worker moves it inside the picture."""

    x: int
    y: int
    width: int = SIDE
    height: int = SIDE

    @classmethod
    def parse(cls, data: Any) -> "Region":
        """From JSON. Raises RecipeError naming what is off."""
        if not isinstance(data, Mapping) or data.keys() - {"x", "y", "width", "height"}:
            raise RecipeError("region", "x, y, width and height in pixels", data)
        sides = {"width": SIDE, "height": SIDE, **data}
        x, y = (_whole(data, name, 0, 10**7) for name in ("x", "y"))
        return cls(x, y, _whole(sides, "width", 1, MOST), _whole(sides, "height", 1, MOST))


def ask(
    version: Version,
    spec: str | Mapping[str, Any],
    region: Region,
    *,
    by: User,
    where: Where = Where.EVERYWHERE,
    areas: Sequence[Area] = (),
    reference: Version | None = None,
) -> str:
    """Ask for a look at a region as the recipe would make it; returns the id to follow it by.

    reference: the style picture, for a recipe that takes one.

    Raises:
        RecipeError, NotAllowed: as the order would.
        PreviewUnavailable: Redis is away.
    """
    collection = version.scan.item.collection
    if not permissions.may_order(by, [collection], 1, limit=1):
        raise NotAllowed(_("You may order only in collections you work in."))
    reference = reference or reference_of(spec)
    if reference is not None and not permissions.may_see_version(by, reference):
        raise NotAllowed(_("The style picture is not among those you may see."))
    recipe = resolve_asked(spec, reference=reference)
    if reason := forbidden_by_policy(recipe.operations, collection):
        raise NotAllowed(reason)
    request = {
        "version": str(version.pk),
        "recipe": recipe.canonical().decode(),
        "region": asdict(region),
        "where": where.value,
        "areas": [asdict(area) for area in areas],
    }
    preview = board.ask(request, by=by.pk)
    dispatch.preview()
    return preview


def standing(preview: str, *, by: User) -> board.Standing | None:
    """How it stands, for who asked; where nobody seems to be at it, a worker is told again."""
    found = board.standing(preview, by=by.pk)
    if found is not None and found.stuck:
        dispatch.preview()
    return found


def _whole(data: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RecipeError(f"region.{name}", f"a whole number of {least}…{most}", value)
    return value
