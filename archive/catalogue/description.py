"""Descriptions: Dublin Core properties with one or more values, each in a language."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.catalogue.errors import AllAtOnce, DescriptionError

Value = dict[str, str]
Description = dict[str, list[Value]]

# Dublin Core elements and the few terms an image archive needs, in the order a page shows them.
# https://www.dublincore.org/specifications/dublin-core/dcmi-terms/
DUBLIN_CORE: dict[str, str | Promise] = {
    "title": _("Title"),
    "alternative": _("Other title"),
    "creator": _("Creator"),
    "contributor": _("Contributor"),
    "subject": _("Subject"),
    "description": _("Description"),
    "spatial": _("Place"),
    "temporal": _("Period"),
    "type": _("Type"),
    "medium": _("Material and technique"),
    "extent": _("Dimensions"),
    "publisher": _("Publisher"),
    "provenance": _("Provenance"),
    "source": _("Source"),
    "identifier": _("Identifier"),
    "relation": _("Related to"),
    "language": _("Language"),
    "rights": _("Rights"),
    "rightsHolder": _("Rights holder"),
    "license": _("Licence"),
    "bibliographicCitation": _("Cite as"),
}

# What ISAD(G) (second edition, 2000) asks for and Dublin Core has no element for, in its order: reference code, title,
# date, extent, creator, language, related units and rights are the elements above.
# https://www.ica.org/resource/isadg-general-international-standard-archival-description-second-edition/
ISAD: dict[str, str | Promise] = {
    "level": _("Level of description"),  # 3.1.4
    "biographicalHistory": _("Administrative or biographical history"),  # 3.2.2
    "archivalHistory": _("Archival history"),  # 3.2.3
    "acquisition": _("Immediate source of acquisition"),  # 3.2.4
    "scopeAndContent": _("Scope and content"),  # 3.3.1
    "appraisal": _("Appraisal and destruction"),  # 3.3.2
    "accruals": _("Accruals"),  # 3.3.3
    "arrangement": _("System of arrangement"),  # 3.3.4
    "accessConditions": _("Conditions of access"),  # 3.4.1
    "reproductionConditions": _("Conditions of reproduction"),  # 3.4.2
    "physicalCharacteristics": _("Physical characteristics"),  # 3.4.4
    "findingAids": _("Finding aids"),  # 3.4.5
    "originals": _("Where the originals are"),  # 3.5.1
    "copies": _("Where copies are"),  # 3.5.2
    "publicationNote": _("Publication note"),  # 3.5.4
    "note": _("Note"),  # 3.6.1
    "archivistNote": _("Archivist's note"),  # 3.7.1
    "rules": _("Rules or conventions"),  # 3.7.2
}
PROPERTIES = DUBLIN_CORE | ISAD
LEVELS: dict[str, str | Promise] = {
    "fonds": _("fonds"), "subfonds": _("subfonds"), "series": _("series"), "subseries": _("subseries"),
    "file": _("file"), "item": _("item"),
}  # fmt: skip

LONGEST_VALUE = 20_000
MOST_VALUES = 200


def clean(description: Mapping[str, Any]) -> Description:
    """Return the description with blank values dropped and languages filled in (`""` = not said).

    Accepts a plain string, or a list of strings, for brevity in sheets and the API.

    Raises:
        DescriptionError: unknown properties, values that are no text, too many or too long values; all there are, up to
            thirty.
    """
    cleaned: Description = {}
    wrong = AllAtOnce()
    for name, values in description.items():
        if wrong.full:
            break
        with wrong.trying():
            if kept := _clean_property(name, values):
                cleaned[name] = kept
    wrong.tell()
    return cleaned


def _clean_property(name: str, values: Any) -> list[Value]:
    if name not in PROPERTIES:
        raise DescriptionError(str(name), _("one of %s") % ", ".join(PROPERTIES), name)
    kept: list[Value] = []
    wrong = AllAtOnce()
    for given in _as_list(name, values):
        with wrong.trying():
            value = _clean_value(name, given)
            kept += [value] * bool(value["value"])
    wrong.tell()
    for sentence in faults(name, [value["value"] for value in kept]):
        raise DescriptionError(name, sentence, kept[0]["value"])
    return kept


def faults(name: str, values: Sequence[str]) -> Iterator[str]:
    """What was expected of a property with a vocabulary of its own, where that is not what is there."""
    if name == "level":
        if len(values) > 1:
            yield str(_("one level"))
        for value in values:
            if value not in LEVELS:
                yield str(_("one of %s")) % ", ".join(LEVELS)


def text_of(description: Mapping[str, list[Value]]) -> str:
    """All values as one text, titles first: what a plain search reads."""
    ordered = [name for name in PROPERTIES if name in description]
    return "\n".join(value["value"] for name in ordered for value in description[name])


def labelled(description: Mapping[str, list[Value]]) -> list[tuple[str, str | Promise, list[Value]]]:
    """`(property, label, values)` in the order a page shows them."""
    return [(name, label, description[name]) for name, label in PROPERTIES.items() if description.get(name)]


def _as_list(name: str, values: Any) -> list[Any]:
    if isinstance(values, str):
        return [values]
    if not isinstance(values, list):
        raise DescriptionError(name, str(_("a list of values")), values)
    if len(values) > MOST_VALUES:
        raise DescriptionError(name, str(_("at most %d values") % MOST_VALUES), len(values))
    return values


def _clean_value(name: str, value: Any) -> Value:
    if isinstance(value, str):
        value = {"value": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("value"), str):
        raise DescriptionError(name, str(_("text, or {value, lang}")), value)
    text, lang = value["value"].replace("\x00", "").strip(), value.get("lang") or ""
    if not isinstance(lang, str) or len(lang) > 35:
        raise DescriptionError(f"{name}.lang", str(_("a language tag")), lang)
    if len(text) > LONGEST_VALUE:
        raise DescriptionError(name, str(_("at most %d characters") % LONGEST_VALUE), len(text))
    return {"value": text, "lang": lang}
