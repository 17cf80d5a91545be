"""Proofs: every recipe on one scan made small, for people who are choosing; one at a time, between other work.

A scan is made small, with its own depth and profile, and the engine looks at the whole of that. What a network does to
grain and strokes depends on the size it sees them in: the page says so.
"""

import logging
import tempfile
from pathlib import Path

import numpy as np
import pyvips
from django.conf import settings

from archive.iiif.delivery_image import for_display
from archive.proofs import services
from archive.proofs.models import Proof
from archive.store import StoreError, get_store
from stylizer.disclosure import xmp
from stylizer.engine import Source
from stylizer.errors import StylizerError
from stylizer.imageio import DerivativeWriter, open_picture, thumbnail
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
        with get_store().local_path(version.file_id) as path:
            width, height = _shrink(path, version.page, small)
        with reference_of(recipe) as reference:
            seen = engine.look(
                Source(small),
                recipe,
                Region(0, 0, width, height),
                mask=None,
                reference=reference,
                cancel=lambda: False,
            )
        image = for_display(as_stored(seen.after, seen.form))
        image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp(recipe=recipe.digest, source=version.file_id))
        made = Path(folder) / "proof.webp"
        image.webpsave(str(made), Q=QUALITY, keep="xmp")
        services.keep(proof, made, width=image.width, height=image.height)


def _shrink(path: Path, page: int | None, into: Path) -> tuple[int, int]:
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
