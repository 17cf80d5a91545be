"""Pictures on pages: in the sizes a page uses, as WebP or JPEG, their place kept and tinted until they are there."""

from functools import lru_cache
from uuid import UUID

from django import template
from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# Where a picture stands → how wide it is there, in words a browser understands.
PLACES = {
    "card": "12rem",
    "strip": "4.5rem",
    "view": "(min-width: 64rem) 60vw, 96vw",
    "half": "(min-width: 64rem) 40vw, 96vw",
}


LAZY = SafeString(' loading="lazy"')
# One string, not a template of its own: a page has some fifty of them, and including one costs more than filling it in.
THUMB = (
    '<thumb-image{}><picture><source type="image/webp" srcset="{}" sizes="{}"><img src="{}" srcset="{}" sizes="{}" '
    'width="{}" height="{}" alt="{}"{} decoding="async"></picture></thumb-image>'
)


@register.simple_tag
def thumb(
    version_id: UUID, *, width: int, height: int, alt: str, place: str = "card", tint: str | None = None
) -> SafeString:
    """The thumbnail of a version of `width` × `height` pixels. `tint` as made by `iiif.renditions.tint`, if known."""
    boxes = settings.THUMBNAIL_WIDTHS if place in {"view", "half"} else settings.THUMBNAIL_WIDTHS[:2]
    before, after = _around_id(get_script_prefix())
    folder = f"{before}{version_id}{after}"
    sizes = PLACES[place]
    return format_html(
        THUMB,
        format_html(' data-tint="{}"', tint) if tint else "",
        _sources(folder, "webp", boxes, width, height), sizes,
        f"{folder}/{boxes[-1]}.jpg", _sources(folder, "jpg", boxes, width, height), sizes,
        str(width), str(height), alt,
        LAZY if place != "view" else "",
    )  # fmt: skip


@lru_cache(maxsize=8)
def _around_id(_script_prefix: str) -> tuple[str, str]:
    """What stands before and after the id in the folder of a version's thumbnails: a page asks some fifty times."""
    nobody = UUID(int=0)
    before, _, after = reverse("iiif:thumbnail", args=[nobody, 0, "jpg"]).partition(str(nobody))
    return before, after.rpartition("/")[0]


def _sources(folder: str, extension: str, boxes: tuple[int, ...], width: int, height: int) -> str:
    """A `srcset`: each address with the width in pixels of what is there; a box holds the longer side."""
    scales = ((box, min(1, box / max(width, height))) for box in boxes)
    return ", ".join(f"{folder}/{box}.{extension} {max(1, round(width * scale))}w" for box, scale in scales)
