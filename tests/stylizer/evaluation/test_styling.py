"""Figures of styles: what they say of pictures whose answer is known."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from stylizer.cards import WEIGHTS, packaged
from stylizer.evaluation import style_release, styling
from stylizer.evaluation.metrics import Picture
from stylizer.models import Stylist
from stylizer.training import photos, state


@pytest.fixture
def picture() -> Picture:
    random = np.random.default_rng(4)
    coarse = random.random((12, 12, 3)).repeat(8, 0).repeat(8, 1)
    return (0.2 + 0.6 * coarse).astype(np.float32)


def test_reinhard_gives_a_picture_the_tones_it_is_asked_for(picture: Picture) -> None:
    wanted = styling.tone_of([np.clip(picture[..., ::-1] * 0.5 + 0.3, 0, 1)])
    made = styling.reinhard(picture, wanted)
    found = styling.tone_of([made])
    assert np.allclose(found.mean, wanted.mean, atol=0.02)
    assert np.allclose(found.spread, wanted.spread, atol=0.02)
    same = styling.reinhard(picture, styling.tone_of([picture]))
    assert np.abs(same - picture).max() < 0.01


def test_a_drawing_keeps_its_edges_and_a_negative_does_not_keep_its_light(picture: Picture) -> None:
    assert styling.edge_ssim(picture, picture) == pytest.approx(1)
    assert styling.edge_ssim(np.full_like(picture, 0.5), picture) < 0.5
    assert styling.light_kept(picture, picture) == pytest.approx(1)
    assert styling.light_kept(1 - picture, picture) == pytest.approx(-1)


def test_a_share_below_comes_with_an_interval_that_holds_it() -> None:
    random = np.random.default_rng(2)
    other = random.uniform(1, 2, 30)
    share, low, high = styling.below(other * 0.7, other)
    assert share == pytest.approx(0.3)
    assert low <= share <= high
    _, low, high = styling.below(random.uniform(1, 2, 30), random.uniform(1, 2, 30))
    assert low < 0 < high or abs(low) < 0.2


def test_every_style_of_the_release_has_a_page_written_from_its_card() -> None:
    docs = Path(style_release.DOCS)
    styles = [card for card in packaged() if card.operation == "stylise"]
    for card in styles:
        text = (docs / f"{card.name.replace('/', '-')}.md").read_text("utf-8")
        assert text == style_release.page(card.to_dict() | {"weights_file": _file(card.name)})
        assert card.known_failures
        assert "Missed" in text or "All are met" in text


def _file(name: str) -> dict[str, int]:
    path = WEIGHTS / name / "model.safetensors"
    assert path.stat().st_size < 25_000_000
    return {"bytes": path.stat().st_size}


def test_what_was_eased_after_training_is_in_the_weights_and_on_the_card(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = Stylist(widths=(4, 6), blocks=1, code=4, laid={"radius": 4})
    settings = {
        "architecture": {"widths": [4, 6], "blocks": 1, "code": 4, "laid": {"radius": 4, "lined": 0.5}}
    }
    run = {"average": network.state_dict(), "config": json.dumps(settings), "step": 8, "seconds": 2.0}
    state.save(tmp_path / "checkpoint.pt", run)
    (tmp_path / "words.toml").write_text(
        'name = "style/mine"\n[training]\ndata = "Ours."\n[eased]\ndrawn = 0.5\nlaid = {lined = 0.25}\n'
        "colours = [0.9, 0, 0, 0, 0.8, 0, 0, 0, 0.7, 0.1, 0.1, 0.1]\n"
    )
    folder = style_release.release(tmp_path, tmp_path / "words.toml", out=tmp_path / "out")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert card["arguments"]["laid"] == {"radius": 4, "lined": 0.25}
    assert card["training"]["eased"]["drawn"] == 0.5
    made = load_file(folder / "model.safetensors")
    assert torch.allclose(made["head.0.weight"].float(), network.state_dict()["head.0.weight"] / 2, atol=1e-3)
    assert made["colour.weight"].abs().max() == 0
    assert made["colour.bias"][8].item() == pytest.approx(0.7, abs=1e-3)


def test_of_every_folder_of_styles_only_what_training_kept_back_is_judged_with(tmp_path: Path) -> None:
    for name in ("etching", "poster"):
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.new("RGB", (8, 8)).save(tmp_path / name / f"{number}.png")
    unseen = style_release.unseen_of(tmp_path)
    assert {path.parent.name for path in unseen} == {"etching", "poster"}
    for name in ("etching", "poster"):
        learnt, _kept = photos.kept_back(photos.find([tmp_path / name]), styling.KEPT)
        assert not set(learnt) & set(unseen)
    (tmp_path / "few").mkdir()
    for asked, named in [(tmp_path / "few", "none"), (tmp_path, "few")]:
        with pytest.raises(FileNotFoundError, match=f"at least eight style pictures each, got {named}"):
            style_release.unseen_of(asked)
        Image.new("RGB", (8, 8)).save(tmp_path / "few" / "one.png")
