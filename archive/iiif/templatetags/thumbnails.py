"""Pictures on pages: in the sizes a page uses, as WebP or JPEG, their place kept and tinted until they are there."""

from typing import Any
from uuid import UUID

from django import template
from django.conf import settings
from django.urls import reverse

register = template.Library()

# Where a picture stands → how wide it is there, in words a browser understands.
PLACES = {
    "card": "12rem",
    "strip": "4.5rem",
    "view": "(min-width: 64rem) 60vw, 96vw",
    "half": "(min-width: 64rem) 40vw, 96vw",
}


@register.inclusion_tag("partials/_thumb.html")
def thumb(
    version_id: UUID, *, width: int, height: int, alt: str, place: str = "card", tint: str | None = None
) -> dict[str, Any]:
    """The thumbnail of a version of `width` × `height` pixels. `tint` as made by `iiif.renditions.tint`, if known."""
    boxes = settings.THUMBNAIL_WIDTHS if place in {"view", "half"} else settings.THUMBNAIL_WIDTHS[:2]
    fallback = reverse("iiif:thumbnail", args=[version_id, boxes[-1], "jpg"])
    folder = fallback.rpartition("/")[
        0
    ]  # asked for once: a page has some fifty pictures of five addresses each
    return {
        "webp": _sources(folder, "webp", boxes, width, height),
        "jpeg": _sources(folder, "jpg", boxes, width, height),
        "fallback": fallback,
        "sizes": PLACES[place],
        "lazy": place != "view",
        "width": width,
        "height": height,
        "alt": alt,
        "tint": tint,
    }


def _sources(folder: str, extension: str, boxes: tuple[int, ...], width: int, height: int) -> str:
    """A `srcset`: each address with the width in pixels of what is there; a box holds the longer side."""
    scales = ((box, min(1, box / max(width, height))) for box in boxes)
    return ", ".join(f"{folder}/{box}.{extension} {max(1, round(width * scale))}w" for box, scale in scales)
