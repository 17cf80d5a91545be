"""Where a recipe may act in one scan: areas a person marked, as the mask the engine keeps to the last bit."""

import enum
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pyvips
from django.conf import settings
from django.utils.translation import gettext as _

from archive.catalogue.models import StoredFile, Version
from archive.catalogue.services import register_file
from archive.store import get_store
from stylizer.errors import MaskMismatch, RecipeError
from stylizer.imageio import facts

MOST_AREAS = 50


class Where(enum.Enum):
    EVERYWHERE = "everywhere"
    INSIDE = "inside"  # only the marked areas may change
    OUTSIDE = "outside"  # the marked areas are protected


@dataclass(frozen=True)
class Area:
    """A rectangle in upright pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Mask:
    """Marked areas, or a file of the person's own (grey: black keeps, white may change)."""

    where: Where = Where.INSIDE
    areas: tuple[Area, ...] = ()
    file: Path | None = None


def keep_mask(mask: Mask, version: UUID) -> StoredFile:
    """The mask as a stored file, so that the derivative can be made again.

    Raises:
        RecipeError, ImageError, MaskMismatch: it does not fit the version.
        StoreError: it could not be stored.
    """
    width, height = Version.objects.values_list("width", "height").get(pk=version)
    Path(settings.SCRATCH).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.SCRATCH) as folder:
        if mask.file is not None:
            path, media = mask.file, check(mask.file, width, height)
        else:
            path, media = draw(Path(folder) / "mask.png", width, height, mask.where, mask.areas), "image/png"
        stored = get_store().put_path(path)
    return register_file(stored.sha256, size=stored.size, media_type=media, new=stored.new)


def parse(where: Any, areas: Any) -> tuple[Where, tuple[Area, ...]]:
    """From a form or JSON.

    Raises:
        RecipeError: an unknown choice, areas that are none, or marked ones wanted and none given.
    """
    try:
        chosen = Where(where or "everywhere")
    except ValueError as error:
        raise RecipeError("where", ", ".join(each.value for each in Where), where) from error
    if chosen is Where.EVERYWHERE:
        return chosen, ()
    if not isinstance(areas, list | tuple) or not 1 <= len(areas) <= MOST_AREAS:
        raise RecipeError("areas", f"1 to {MOST_AREAS} marked areas", areas or "none")
    return chosen, tuple(_area(area, f"areas[{number}]") for number, area in enumerate(areas))


def draw(path: Path, width: int, height: int, where: Where, areas: Sequence[Area]) -> Path:
    """The mask as a grey PNG of the scan's size: white where the picture may change. Equal areas, equal bytes.

    Raises:
        RecipeError: an area that lies outside the picture altogether.
    """
    mark, ground = (255, 0) if where is Where.INSIDE else (0, 255)
    mask: Any = pyvips.Image.black(width, height) + ground
    mask = mask.cast("uchar").copy_memory()
    for number, area in enumerate(areas):
        if area.x >= width or area.y >= height:
            raise RecipeError(f"areas[{number}]", f"a part of {width} × {height} px", f"{area.x}, {area.y}")
        mask = mask.draw_rect(
            mark,
            area.x,
            area.y,
            min(area.width, width - area.x),
            min(area.height, height - area.y),
            fill=True,
        )
    mask.pngsave(str(path), compression=6, keep="none")
    return path


def check(path: Path, width: int, height: int) -> str:
    """The media type of a person's own mask file, which must fit the scan.

    Raises:
        ImageError: no picture. MaskMismatch: another size, or not grey.
    """
    found = facts(path)
    if (found.width, found.height, found.bands) != (width, height, 1):
        raise MaskMismatch(
            _(
                "The mask has %(width)d × %(height)d pixels in %(bands)d bands; it must be grey, in one band, of the "
                "scan's %(wide)d × %(high)d."
            )
            % {
                "width": found.width,
                "height": found.height,
                "bands": found.bands,
                "wide": width,
                "high": height,
            }
        )
    return found.mime


def _area(data: Any, path: str) -> Area:
    if not isinstance(data, dict) or set(data) != {"x", "y", "width", "height"}:
        raise RecipeError(path, "x, y, width and height in pixels", data)
    for name, value in data.items():
        least = 0 if name in {"x", "y"} else 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 10**7:
            raise RecipeError(f"{path}.{name}", f"a whole number of {least} and more", value)
    return Area(**data)
