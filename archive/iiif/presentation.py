"""IIIF Presentation API 3.0 as plain structures: https://iiif.io/api/presentation/3.0/

Pure: what a page already loaded goes in, dictionaries come out. The master is always the first of a choice, and each
derivative carries its notice in its label and in a statement a viewer must show.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from archive.catalogue.description import PROPERTIES, Value
from archive.iiif.parameters import MOST_PIXELS, Region, parse_size

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
JSON_LD = f'application/ld+json;profile="{CONTEXT}"'
RIGHTS = re.compile(
    r"https?://(?:www\.)?(creativecommons\.org/(?:licenses|publicdomain)/.+|rightsstatements\.org/vocab/.+)"
)
Json = dict[str, Any]


@dataclass(frozen=True)
class Painting:
    """A picture on a canvas. `service` is its image service's address; `role` None for the original."""

    service: str
    width: int
    height: int
    label: str
    notice: str | None = None


@dataclass(frozen=True)
class Surface:
    """A scan: the original first, then what was derived from it."""

    id: str
    label: str
    pictures: tuple[Painting, ...]


@dataclass(frozen=True)
class Link:
    """Another resource: its address, type, label and, for files, format and profile."""

    id: str
    type: str
    label: str
    format: str | None = None
    profile: str | None = None

    def json(self) -> Json:
        more = {"format": self.format, "profile": self.profile}
        return {"id": self.id, "type": self.type, "label": here(self.label)} | {
            name: value for name, value in more.items() if value
        }


def here(text: str) -> Json:
    """Words of ours, in the language they are in."""
    return {(get_language() or "en"): [str(text)]}


def values(given: Sequence[Value]) -> Json:
    """Values of a description by their language; `none` where that was not said."""
    found: Json = {}
    for value in given:
        found.setdefault(value.get("lang") or "none", []).append(value["value"])
    return found


def rights_of(description: Mapping[str, Sequence[Value]]) -> str | None:
    """The first address of Creative Commons or RightsStatements.org, as the standards write it (http)."""
    for name in ("license", "rights"):
        for value in description.get(name, ()):
            if found := RIGHTS.fullmatch(value["value"].strip()):
                return f"http://{found[1]}"
    return None


def metadata(description: Mapping[str, Sequence[Value]], *, dated: str = "") -> list[Json]:
    """Label and value of each property but those a manifest says elsewhere."""
    found = [
        {"label": here(str(label)), "value": values(description[name])}
        for name, label in PROPERTIES.items()
        if description.get(name) and name not in {"title", "description"}
    ]
    if dated:
        found.append({"label": here(_("Date")), "value": {"none": [dated]}})
    return found


def manifest(
    address: str,
    *,
    description: Mapping[str, Sequence[Value]],
    title: str,
    surfaces: Iterable[Surface],
    dated: str = "",
    earliest: date | None = None,
    homepage: Link,
    see_also: Sequence[Link],
    part_of: Link,
    thumbnail: Json | None,
    private: bool,
) -> Json:
    """The manifest of an item. `private` marks one that only some may see."""
    canvases = [canvas(address, surface) for surface in surfaces]
    has_ai = any(painting.notice for surface in surfaces for painting in surface.pictures)
    found: Json = {
        "@context": CONTEXT,
        "id": address,
        "type": "Manifest",
        "label": values(description.get("title", ())) or here(title),
        "metadata": metadata(description, dated=dated),
        "homepage": [homepage.json()],
        "seeAlso": [link.json() for link in see_also],
        "partOf": [part_of.json()],
        "behavior": ["individuals"],
        "items": canvases,
    }
    if description.get("description"):
        found["summary"] = values(description["description"])
    if private:
        note = _("Private: it holds what is not published, for those who work on it.")
        found["metadata"].insert(0, {"label": here(_("Access")), "value": here(note)})
    if has_ai:
        note = _("Some of the pictures were made by an AI from a scan. The original scan comes first.")
        found["requiredStatement"] = {"label": here(_("About the pictures")), "value": here(note)}
    if rights := rights_of(description):
        found["rights"] = rights
    if earliest and earliest.year >= 1:
        found["navDate"] = f"{earliest.isoformat()}T00:00:00Z"
    if thumbnail:
        found["thumbnail"] = [thumbnail]
    return found


def canvas(address: str, surface: Surface) -> Json:
    """A scan as a canvas of the original's size; with derivatives, a choice whose first is the original."""
    original, *derived = surface.pictures
    place = f"{address}/canvas/{surface.id}"
    body = image(original)
    if derived:
        body = {"type": "Choice", "items": [body, *(image(picture) for picture in derived)]}
    return {
        "id": place,
        "type": "Canvas",
        "label": here(surface.label),
        "width": original.width,
        "height": original.height,
        "items": [
            {
                "id": f"{place}/page",
                "type": "AnnotationPage",
                "items": [
                    {
                        "id": f"{place}/painting",
                        "type": "Annotation",
                        "motivation": "painting",
                        "body": body,
                        "target": place,
                    }
                ],
            }
        ],
    }


def image(picture: Painting) -> Json:
    """A picture with its image service; a derivative says what it is wherever it is named."""
    width, height = parse_size("max", Region(0, 0, picture.width, picture.height), most=MOST_PIXELS)
    found: Json = {
        "id": f"{picture.service}/full/max/0/default.jpg",
        "type": "Image",
        "format": "image/jpeg",
        "width": width,
        "height": height,
        "label": here(picture.label),
        "service": [service(picture.service)],
    }
    if picture.notice:
        found["requiredStatement"] = {
            "label": here(_("About this picture")),
            "value": here(picture.notice),
        }
    return found


def thumbnail(address: str, *, width: int, height: int, of: str) -> Json:
    """A thumbnail, with the service from which a viewer may ask for another size."""
    return {
        "id": address,
        "type": "Image",
        "format": "image/jpeg",
        "width": width,
        "height": height,
        "service": [service(of)],
    }


def service(address: str) -> Json:
    return {"id": address, "type": "ImageService3", "profile": "level2"}


def collection(
    address: str,
    *,
    title: str,
    description: Mapping[str, Sequence[Value]],
    items: Sequence[Json],
    homepage: Link,
    part_of: Link | None,
) -> Json:
    """A collection: references to collections below it and to manifests, never their contents."""
    found: Json = {
        "@context": CONTEXT,
        "id": address,
        "type": "Collection",
        "label": here(title),
        "metadata": metadata(description),
        "homepage": [homepage.json()],
        "items": list(items),
    }
    if description.get("description"):
        found["summary"] = values(description["description"])
    if rights := rights_of(description):
        found["rights"] = rights
    if part_of:
        found["partOf"] = [part_of.json()]
    return found
