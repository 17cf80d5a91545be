"""Cards and packaged weights: whole, readable, and of the digest they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stylizer.cards import Card, packaged, packaged_by_digest, packaged_card, verify
from stylizer.errors import ModelError, UnknownModel, WeightsMismatch

GOOD = {"name": "r", "version": "1", "operation": "restore", "architecture": "restorer", "weights": "0" * 64}


def test_every_packaged_card_names_the_weights_beside_it() -> None:
    assert packaged()
    for card in packaged():
        assert packaged_by_digest(card.weights).card == card
        assert packaged_card(card.name) == card


def test_a_card_read_back_from_its_own_record_is_the_same() -> None:
    for card in packaged():
        assert Card.from_dict(json.loads(json.dumps(card.to_dict()))) == card


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": "0" * 63}, "SHA-256"),
        ({"operation": "dream"}, "operation"),
        ({"name": ""}, "name"),
        ({"version": 3}, "version"),
    ],
)
def test_a_card_that_lacks_something_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        Card.from_json(json.dumps(GOOD | change))
    with pytest.raises(ModelError):
        Card.from_json(b"\xff")


def test_unknown_models_and_other_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="Models: "):
        packaged_card("oracle")
    with pytest.raises(UnknownModel):
        packaged_by_digest("f" * 64)
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(WeightsMismatch, match="expected weights with SHA-256"):
        verify(tmp_path / "model.safetensors", "0" * 64)


def test_what_the_archive_uses_brings_no_torch_with_it() -> None:
    code = ("import stylizer, stylizer.recipe, stylizer.cards, stylizer.errors, stylizer.imageio, stylizer.cli, sys\n"
            "sys.exit('torch' in sys.modules)")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
