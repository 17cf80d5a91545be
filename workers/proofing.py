"""Proofs: every recipe on one scan made small, for people who are choosing; one at a time, between other work.

A scan is made small, with its own depth and profile, and the engine looks at the whole of that. What a network does to
grain and strokes depends on the size it sees them in: the page says so.
"""

import logging
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyvips
from django.conf import settings

from archive.iiif.delivery_image import for_display
from archive.proofs import services
from archive.proofs.models import Proof
from archive.store import StoreError, get_store
from stylizer.engine import Source
from stylizer.errors import StylizerError
from stylizer.imageio import DerivativeWriter, open_picture, thumbnail
from stylizer.imageio.disclosure import xmp
from stylizer.look import Region
from stylizer.recipe import Recipe
from workers.engines import reference_of
from workers.previewing import LooksAt, as_stored

log = logging.getLogger(__name__)

SIDE = 640  # pixels of the longer side
QUALITY = 85


def prove(engine: LooksAt, *, most: int | None = None) -> int:
    """Make the proofs that are wanted, at most so many; returns how many were taken."""
    taken = 0
    while most is None or taken < most:
        proof = services.take()
        if proof is None:
            break
        taken += 1
        try:
            _make(proof, engine)
        except (StylizerError, StoreError) as error:
            services.fail(proof, str(error))
        except Exception as error:
            log.exception("A proof failed in a way nobody foresaw.")
            services.fail(proof, f"{type(error).__name__}: {error}")
    return taken


def _make(proof: Proof, engine: LooksAt) -> None:
    version, recipe = proof.version, Recipe.from_json(proof.canonical)
    Path(settings.SCRATCH).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.SCRATCH) as folder:
        small = Path(folder) / "small.tif"
        made_small = _small(version.file_id, version.page)
        small.write_bytes(made_small.data)
        with reference_of(recipe) as reference:
            seen = engine.look(
                Source(small),
                recipe,
                Region(0, 0, made_small.width, made_small.height),
                mask=None,
                reference=reference,
                cancel=lambda: False,
            )
        image = for_display(as_stored(seen.after, seen.form))
        if image.width > made_small.width:  # a proof is small, of an enlargement too
            image = image.thumbnail_image(made_small.width, height=made_small.height, size="force")
        image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp(recipe=recipe.digest, source=version.file_id))
        made = Path(folder) / "proof.webp"
        image.webpsave(str(made), Q=QUALITY, keep="xmp")
        services.keep(proof, made, width=image.width, height=image.height)


@dataclass(frozen=True)
class _Small:
    """A scan made small, as the bytes of a file."""

    data: bytes
    width: int
    height: int


@lru_cache(maxsize=2)
def _small(sha256: str, page: int) -> _Small:
    """Kept for the proofs of the same scan, which come one after the other: to read a large scan takes longer than
    what most networks do with a small one. A digest names the same bytes for ever."""
    with get_store().local_path(sha256) as path, tempfile.TemporaryDirectory(dir=settings.SCRATCH) as folder:
        into = Path(folder) / "small.tif"
        width, height = _shrink(path, page, into)
        return _Small(into.read_bytes(), width, height)


def _shrink(path: Path, page: int, into: Path) -> tuple[int, int]:
    """The scan with a long side of at most SIDE pixels, in its own depth and with its profile."""
    with open_picture(path, page=page, once=True) as picture:
        facts = picture.facts
        shares = thumbnail(picture, SIDE)
        height, width = shares.shape[:2]
        with DerivativeWriter(
            into, width=width, height=height, bands=facts.bands, bits=facts.bits, colour=facts.colour,
            alpha=facts.alpha, icc=facts.icc,
        ) as out:  # fmt: skip
            out.write(np.rint(shares * np.iinfo(out.dtype).max).astype(out.dtype))
    return width, height
