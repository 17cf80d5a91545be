"""Looks at regions, made for people who are about to order: between two items of a job, too, so that nobody waits long.

A preview is disposable: whatever goes wrong with one is told to the person who asked, and stops nobody else.
"""

import hashlib
import io
import logging
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyvips
from django.conf import settings
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from archive.catalogue.models import Version
from archive.iiif.delivery_image import for_display
from archive.jobs.masks import Area, Where, draw
from archive.previews import board
from archive.store import StoreError, get_store
from stylizer.engine import Source
from stylizer.errors import Cancelled, StylizerError
from stylizer.imageio import Facts
from stylizer.imageio.disclosure import xmp
from stylizer.imageio.picture import Pixels
from stylizer.look import Look, Region
from stylizer.recipe import Recipe
from workers.engines import reference_of

log = logging.getLogger(__name__)


class LooksAt(Protocol):
    """What is asked of an engine here."""

    def look(
        self,
        source: Source,
        recipe: Recipe,
        region: Region,
        *,
        mask: Path | None,
        reference: Source | None,
        cancel: "Asked",
    ) -> Look: ...


class Asked(Protocol):
    def __call__(self) -> bool: ...


def serve(engine: LooksAt) -> int:
    """Make every preview that waits; returns how many were taken."""
    taken = 0
    while (asked := _next()) is not None:
        taken += 1
        try:
            facts, pictures = _made(asked, engine)
            board.answer(asked.id, facts, pictures)
        except Cancelled:
            continue  # replaced by another, which is next
        except board.PreviewUnavailable as error:
            log.warning("%s", error)
            return taken
        except (StylizerError, StoreError) as error:
            board.fail(asked.id, code=error.code, sentence=str(error))
        except Exception as error:
            log.exception("A preview failed in a way nobody foresaw.")
            board.fail(asked.id, code="unexpected", sentence=f"{type(error).__name__}: {error}"[:300])
    return taken


def _next() -> board.Asked | None:
    try:
        return board.take()
    except board.PreviewUnavailable as error:
        log.warning("%s", error)
        return None


def _made(asked: board.Asked, engine: LooksAt) -> tuple[dict[str, Any], dict[str, bytes]]:
    began = time.monotonic()
    request = asked.request
    version = Version.objects.select_related("file").get(pk=request["version"])
    recipe = Recipe.from_json(request["recipe"])
    Path(settings.SCRATCH).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.SCRATCH) as folder:
        recipe, mask = _masked(recipe, request, version, Path(folder))
        with get_store().local_path(version.file_id) as path, reference_of(recipe) as reference:
            source = Source(path, page=version.page, sha256=version.file_id)
            seen = engine.look(
                source,
                recipe,
                Region(**request["region"]),
                mask=mask,
                reference=reference,
                cancel=lambda: not board.is_wanted(asked.id),
            )
    note = xmp(recipe=recipe.digest, source=version.file_id)
    pictures = {
        "before": _png(seen.before, seen.facts),
        "after": _png(seen.after, seen.form, note=note),
        "damage": _grey(seen.damage),
    }
    at = seen.region
    facts = {
        "region": {"x": at.x, "y": at.y, "width": at.width, "height": at.height},
        "changed_share": round(seen.changed_share, 6),
        "damaged_share": round(float((seen.damage > 0.5).mean()), 6),
        "exact": seen.exact,
        "seconds": round(time.monotonic() - began, 2),
    }
    return facts, pictures


def _masked(
    recipe: Recipe, request: Mapping[str, Any], version: Version, folder: Path
) -> tuple[Recipe, Path | None]:
    """The recipe with the mask of the areas that are marked, if any are."""
    if not request["areas"]:
        return recipe, None
    areas = [Area(**area) for area in request["areas"]]
    mask = draw(folder / "mask.png", version.width, version.height, Where(request["where"]), areas)
    return replace(recipe, mask=hashlib.sha256(mask.read_bytes()).hexdigest()), mask


def as_stored(pixels: Pixels, facts: Facts) -> Any:
    """Pixels as an image of libvips that knows its depth, its colours and its profile."""
    image: Any = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    wide = facts.dtype == np.uint16
    kind = ("grey16" if wide else "b-w") if facts.colour == "grey" else ("rgb16" if wide else "srgb")
    image = image.copy(interpretation=kind)
    if facts.icc:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", facts.icc)
    return image


def _png(pixels: Pixels, facts: Facts, *, note: bytes | None = None) -> bytes:
    """As it is shown everywhere else: sRGB or grey, 8 bits; what an AI made says so inside."""
    shown = for_display(as_stored(pixels, facts)).numpy()
    said = PngInfo()
    if note:
        said.add_itxt("XML:com.adobe.xmp", note.decode())
    return _coded(Image.fromarray(shown[..., 0] if shown.ndim == 3 and shown.shape[2] == 1 else shown), said)


def _grey(values: "np.ndarray[Any, Any]") -> bytes:
    return _coded(Image.fromarray(np.ceil(np.clip(values, 0, 1) * 255).astype(np.uint8)), PngInfo())


def _coded(picture: Image.Image, said: PngInfo) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=said, compress_level=3)
    return out.getvalue()
