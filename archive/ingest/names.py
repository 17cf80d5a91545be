"""File names: shown to people, never used as paths."""

import re
import unicodedata

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST = 255


def plain_name(name: str) -> str:
    """The last part of whatever was sent as a name, without control and direction characters."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    cleaned = CONTROL.sub("", last).strip().lstrip(".")
    return cleaned[:LONGEST] or "unnamed"


def title_from(name: str) -> str:
    """A first title from a file name: without its extension, underscores as spaces."""
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", plain_name(name))
    return re.sub(r"[_\s]+", " ", stem).strip() or plain_name(name)
