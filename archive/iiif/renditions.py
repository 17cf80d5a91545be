"""The io worker's job: a tiled JPEG pyramid of every version, thumbnails from it, and where a derivative differs.

libvips works in strips, so that memory stays small for any scan. What is made replaces what was there, at once.
"""

import base64
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pyvips
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from archive.catalogue.models import StoredFile, Version
from archive.iiif.delivery_image import delivered
from archive.iiif.models import Rendition
from archive.iiif.pyramid import TILE
from archive.iiif.trouble import Rest, passes
from archive.store import StoreError, get_renditions, get_store
from stylizer.errors import ImageError

log = logging.getLogger(__name__)

QUALITY = 88
THUMBNAIL_QUALITY = 80
MOST_TRIES = 3
TINT = 8
GAIN = 6.0  # a difference of 42/255 is already as bright as it gets: small changes are what one looks for
# from nothing to much: near black, deep violet, red, amber, near white
HEAT = [(12, 12, 16), (72, 22, 102), (196, 50, 60), (250, 164, 40), (255, 252, 230)]

K = Rendition.Kind


rest = Rest()


def make(version_id: UUID) -> None:
    """Make what is wanted of a version; a failure is noted in its row with a sentence, and tried a few times.

    What is no fault of the picture's is no try: it stays wanted, and the sweeper asks for it again.
    """
    if not rest.is_over:
        return
    with _alone(version_id) as alone:
        if alone:
            _make_wanted(version_id)


def _make_wanted(version_id: UUID) -> None:
    version = (
        Version.objects.select_related("file", "derived_from__file", "scan")
        .filter(pk=version_id, renditions__state=Rendition.State.WANTED, renditions__kind=K.PYRAMID)
        .first()
    )
    if version is None:
        return
    row = Rendition.objects.filter(version=version, kind=K.PYRAMID)
    if row.filter(tries__gte=MOST_TRIES).exists():
        _failed(version, ImageError("Its worker stopped every time it was tried. Has it too little memory?"))
        return
    row.update(tries=F("tries") + 1)
    try:
        if version.file.condition != StoredFile.Condition.INTACT:
            raise ImageError("The stored file is damaged. Run a fixity check.")
        with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
            _make_all(version, Path(folder))
        rest.end()
    except (pyvips.Error, ImageError, StoreError, OSError) as error:
        if passes(error):
            row.update(tries=F("tries") - 1, problem=str(error)[:1000], changed=Now())
            rest.begin(error)
        else:
            _failed(version, error)


@contextmanager
def _alone(version_id: UUID) -> Iterator[bool]:
    """Whether nobody else is at this version, on any machine; who dies with it in hand lets go of it.

    A large scan takes longer than the sweeper waits for a message to be heeded: asked for again, it is not made twice.
    """
    key = [f"renditions of {version_id}"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key)
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)


def key_of(version_id: UUID, kind: str, width: int = 0) -> str:
    """Where a rendition lies in the renditions area."""
    name = f"thumbnail-{width}.webp" if kind == K.THUMBNAIL else f"{kind}.tif"
    return f"{str(version_id)[-2:]}/{version_id}/{name}"


def _make_all(version: Version, folder: Path) -> None:
    with get_store().local_path(version.file_id) as path:
        pyramid = folder / "pyramid.tif"
        detail = _save_pyramid(delivered(path, version, folder / "upright.tif"), pyramid)
        made: list[tuple[str, int, Path, dict[str, Any]]] = []
        for width in settings.THUMBNAIL_WIDTHS:
            thumbnail = folder / f"{width}.webp"
            image = _thumbnail(pyramid, detail["levels"], width)
            image.webpsave(str(thumbnail), Q=THUMBNAIL_QUALITY, keep="none")
            facts = {"width": image.width, "height": image.height, "tint": tint(image)}
            made.append((K.THUMBNAIL, width, thumbnail, facts))
        if version.derived_from is not None:
            heat = folder / "difference.tif"
            with get_store().local_path(version.derived_from.file_id) as before:
                apart = difference(
                    delivered(before, version.derived_from, folder / "before.tif"),
                    delivered(path, version, folder / "upright.tif"),
                )
                made.append((K.DIFFERENCE, 0, heat, _save_pyramid(apart, heat)))
        made.append((K.PYRAMID, 0, pyramid, detail))  # last: when it is ready, all of it is
    for kind, width, file, detail in made:
        key = key_of(version.pk, kind, width)
        size = get_renditions().put(key, file)
        Rendition.objects.update_or_create(
            version=version,
            kind=kind,
            width=width,
            defaults={
                "state": Rendition.State.READY,
                "key": key,
                "size": size,
                "detail": detail,
                "problem": "",
            },
        )


def _thumbnail(pyramid: Path, sizes: list[list[int]], width: int) -> Any:
    """The picture within a square of `width`, from the smallest level that has the pixels; never enlarged."""
    enough = [level for level, size in enumerate(sizes) if max(size) >= width]
    level = enough[-1] if enough else 0
    image = pyvips.Image.tiffload(str(pyramid), page=level).crop(0, 0, *sizes[level])
    return image.thumbnail_image(width, height=width, size="down")


def tint(image: Any) -> str:
    """What stands in a thumbnail's place until it is there: the picture in 8 × 8 pixels, as WebP in base64."""
    small = image.thumbnail_image(TINT, height=TINT, size="force")
    return base64.b64encode(small.webpsave_buffer(Q=40, keep="none")).decode()


def difference(before: Any, after: Any) -> Any:
    """Where and how much two pictures differ, in colours; of equal pixels, near black."""
    if (before.width, before.height) != (after.width, after.height):
        before = before.thumbnail_image(after.width, height=after.height, size="force")
    if before.bands != after.bands:
        before, after = (image.colourspace("srgb") for image in (before, after))
    apart = (before.cast("short") - after.cast("short")).abs()
    largest = apart[0].bandrank([apart[i] for i in range(1, apart.bands)], index=apart.bands - 1)
    return (largest * GAIN).cast("uchar").maplut(_heat()).copy(interpretation="srgb")


def sizes_of(width: int, height: int) -> list[list[int]]:
    """The sizes of a pyramid's levels, largest first: halves, until one tile holds it all."""
    count = 1 + max(0, (max(width, height) - 1) // TILE).bit_length()
    return [[max(1, width >> level), max(1, height >> level)] for level in range(count)]


def _save_pyramid(image: Any, path: Path) -> dict[str, Any]:
    """Write the pyramid and say what is in it.

    The picture is continued to the right and below by its own edge, to whole JPEG blocks at (nearly) all levels: what
    libvips fills a tile up with is black, and black in a block bleeds into the picture's last columns.
    """
    sizes = sizes_of(image.width, image.height)
    across, down = (_padded(length, len(sizes)) for length in (image.width, image.height))
    image.embed(0, 0, across, down, extend="copy").tiffsave(
        str(path),
        tile=True,
        tile_width=TILE,
        tile_height=TILE,
        pyramid=True,
        compression="jpeg",
        Q=QUALITY,
        bigtiff=True,
        keep="none",
    )
    return {"levels": sizes, "tile": TILE}


def _padded(length: int, levels: int) -> int:
    """`length` rounded up to blocks of 16 at as many levels as cost less than an eighth more."""
    halvings = min(levels - 1, max(0, (length // 128).bit_length() - 1))
    block = 16 << halvings
    return -(-length // block) * block


def _heat() -> Any:
    stops = len(HEAT) - 1
    colours = []
    for value in range(256):
        at = value / 255 * stops
        low = min(int(at), stops - 1)
        colours.append(
            [round(a + (b - a) * (at - low)) for a, b in zip(HEAT[low], HEAT[low + 1], strict=True)]
        )
    bands = [pyvips.Image.new_from_array([[colour[i] for colour in colours]]) for i in range(3)]
    return bands[0].bandjoin(bands[1:]).cast("uchar")


def _failed(version: Version, error: Exception) -> None:
    log.warning("No renditions of %s: %s", version.pk, error)
    row = Rendition.objects.get(version=version, kind=K.PYRAMID)
    row.problem = str(error)[:1000]
    if row.tries >= MOST_TRIES:
        row.state = Rendition.State.FAILED
    row.save()


def _scratch() -> str:
    Path(settings.SCRATCH).mkdir(parents=True, exist_ok=True)
    return str(settings.SCRATCH)
