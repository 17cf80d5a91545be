"""Facts of any file: by its bytes, refused with a reason, at bounded cost."""

from collections.abc import Iterator
from pathlib import Path

from stylizer.errors import ImageError, UnreadableImage
from stylizer.imageio.facts import DEFAULT_LIMITS, Facts, Limits
from stylizer.imageio.jpeg2000 import jp2_facts
from stylizer.imageio.raster import raster_facts
from stylizer.imageio.sniff import sniff
from stylizer.imageio.tiff import tiff_pages


def facts(path: Path, *, page: int | None = None, limits: Limits = DEFAULT_LIMITS) -> Facts:
    """Facts of one page (the first by default); `facts.pages` says how many there are.

    Raises:
        ImageError: a typed refusal with a sentence a person can act on.
    """
    for found in page_facts(path, limits=limits):
        if page is None or found.page == page:
            return found
    raise UnreadableImage(f"The file has no page {page}.")


def page_facts(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Facts]:
    """Facts of every page in order; each is a scan of its own.

    Raises:
        ImageError: a typed refusal with a sentence a person can act on.
    """
    kind = sniff(path)
    try:
        if kind == "tiff":
            yield from tiff_pages(path, limits)
        elif kind == "jp2":
            yield jp2_facts(path, limits)
        else:
            yield raster_facts(path, kind, limits)
    except ImageError:
        raise
    except (OSError, ValueError, ArithmeticError) as error:
        raise UnreadableImage(f"The file is damaged: {str(error)[:160]}.") from error
