"""Model cards as data: what a network is, what it was trained on, how it was judged, what it cannot do.

Standard library only, so that the archive registers and shows cards without torch.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from stylizer.errors import ModelError, UnknownModel, WeightsMismatch

WEIGHTS = Path(__file__).parent / "weights"
OPERATIONS = ("restore", "upscale", "colourise", "stylise")
REQUIRED = ("name", "version", "operation", "architecture", "weights")


@dataclass(frozen=True)
class Card:
    """What lies beside `model.safetensors`. `weights` is their SHA-256; `architecture` names a class in `models`."""

    name: str
    version: str
    operation: str
    architecture: str
    weights: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    summary: str = ""
    licence: str = ""
    training: Mapping[str, Any] = field(
        default_factory=dict
    )  # data, credits, seconds, machine, steps, commit, seed
    damage: Mapping[str, Any] = field(default_factory=dict)  # the ranges of damage it was trained on
    metrics: Mapping[str, Any] = field(default_factory=dict)
    intended_use: str = ""
    known_failures: tuple[str, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    counterpart: str = (
        ""  # the model of the same architecture that was trained to look fresh rather than be faithful
    )
    reference: bool = False  # whether it takes a style picture at run time

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"known_failures": list(self.known_failures)}

    @classmethod
    def from_json(cls, text: str | bytes, *, where: str = "card") -> "Card":
        """Read a card.

        Raises:
            ModelError: no JSON object, a field is missing or of another kind, or the digest is no digest.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ModelError(
                f"{where}: expected a JSON object, got text that is no JSON ({error})"
            ) from error
        if not isinstance(data, dict):
            raise ModelError(f"{where}: expected a JSON object, got {type(data).__name__}")
        return cls.from_dict(data, where=where)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, where: str = "card") -> "Card":
        """As `from_json`, from what JSON gave. Fields this release does not know are left out."""
        if missing := [name for name in REQUIRED if not isinstance(data.get(name), str) or not data[name]]:
            raise ModelError(f"{where}: expected text in {', '.join(missing)}, found none")
        if data["operation"] not in OPERATIONS:
            raise ModelError(
                f"{where}.operation: expected one of {', '.join(OPERATIONS)}, got {data['operation']!r}"
            )
        if len(data["weights"]) != 64 or set(data["weights"]) - set("0123456789abcdef"):
            raise ModelError(f"{where}.weights: expected a SHA-256 in hexadecimal, got {data['weights']!r}")
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        known["known_failures"] = tuple(known.get("known_failures", ()))
        return cls(**known)


@cache
def packaged() -> tuple[Card, ...]:
    """The cards of the weights that come with this release, in the order of their names."""
    files = sorted(WEIGHTS.glob("**/card.json"))
    return tuple(
        Card.from_json(file.read_bytes(), where=str(file.parent.relative_to(WEIGHTS))) for file in files
    )


def packaged_card(name: str) -> Card:
    """The packaged card of this name.

    Raises:
        UnknownModel: there is none; the sentence lists those there are.
    """
    for card in packaged():
        if card.name == name:
            return card
    known = ", ".join(card.name for card in packaged()) or "none"
    raise UnknownModel(f"There is no model “{name}” in this release. Models: {known}.")


def packaged_weights(card: Card) -> Path:
    """The packaged weights of a card, verified.

    Raises:
        UnknownModel: this release has no such file.
        WeightsMismatch: the file is not the one on the card.
    """
    path = WEIGHTS / card.name / "model.safetensors"
    if not path.is_file():
        raise UnknownModel(f"There are no weights “{card.name}” in this release.")
    verify(path, card.weights)
    return path


@dataclass(frozen=True)
class Weights:
    """A weights file and the card that says how to build the network they fit."""

    path: Path
    card: Card


def release_in(folder: Path) -> Weights:
    """The release in a folder of one's own: `card.json` beside `model.safetensors`.

    Raises:
        UnknownModel: the folder has no card, or no weights.
        ModelError, WeightsMismatch: the card is none, or the weights are not those it names.
    """
    for name in ("card.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise UnknownModel(f"{folder}: expected a folder with {name} in it, as a training leaves one.")
    card = Card.from_json((folder / "card.json").read_bytes(), where=str(folder))
    verify(folder / "model.safetensors", card.weights)
    return Weights(folder / "model.safetensors", card)


def packaged_by_digest(digest: str) -> Weights:
    """The packaged weights with this SHA-256: the engine's way to weights where there is no archive."""
    for card in packaged():
        if card.weights == digest:
            return Weights(packaged_weights(card), card)
    raise UnknownModel(f"No weights with the digest {digest[:12]}… come with this release.")


def verify(path: Path, digest: str) -> None:
    """Raise WeightsMismatch unless the file has this SHA-256."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise WeightsMismatch(
            f"{path.name}: expected weights with SHA-256 {digest[:12]}…, got {found[:12]}…."
        )
