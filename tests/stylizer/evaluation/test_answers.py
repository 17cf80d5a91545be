"""Figures of colour and of size: what they say of pictures whose answer is known, and the pages written from them."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from stylizer.cards import WEIGHTS, Card, Weights, packaged
from stylizer.evaluation import answer_release, answers, colouring, enlarging
from stylizer.evaluation.folder import find
from stylizer.evaluation.metrics import Picture
from stylizer.evaluation.style_release import DOCS
from stylizer.models import create, features
from stylizer.recipe import Recipe, resolve
from tests.stylizer.training.test_style import Corners


@pytest.fixture
def photographs() -> list[Picture]:
    random = np.random.default_rng(4)
    coarse = [random.random((8, 8, 3)).repeat(8, 0).repeat(8, 1) for _ in range(4)]
    return [(0.2 + 0.6 * picture).astype(np.float32) for picture in coarse]


@pytest.fixture
def eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights of AlexNet and VGG16 are no part of the project, so a small network stands in."""

    def load(_name: str, _folder: Path) -> Corners:
        network = Corners()
        network.lins = torch.nn.ParameterList(torch.nn.Parameter(torch.ones(8)) for _ in range(3))
        return network

    monkeypatch.setattr(features, "load", load)


def fresh(folder: Path, operation: str, architecture: str, **arguments: Any) -> tuple[Recipe, Weights]:
    """A release that has learnt nothing."""
    torch.manual_seed(1)
    save_file(create(architecture, **arguments).state_dict(), folder / "model.safetensors")
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    card = Card(operation, "1", operation, architecture, digest, arguments=arguments)
    recipe = resolve({"steps": [{"model": operation}]}, cards={operation: card})
    return recipe, Weights(folder / "model.safetensors", card)


def test_a_picture_is_no_distance_from_itself_and_grey_has_no_colourfulness(
    photographs: list[Picture],
) -> None:
    picture = photographs[0]
    grey = np.repeat(picture.mean(2, keepdims=True), 3, 2)
    assert colouring.difference(picture, picture) == pytest.approx(0)
    assert colouring.difference(grey, picture) > 5
    assert colouring.colourfulness(grey) == pytest.approx(0, abs=1e-3)
    assert colouring.colourfulness(picture) > 20


def test_colour_is_judged_beside_grey_and_the_mean_colour(
    photographs: list[Picture], eyes: None, tmp_path: Path
) -> None:
    recipe, weights = fresh(tmp_path, "colourise", "colourist", widths=[4, 4, 4, 4], middle=1)
    found: Any = colouring.judge(
        recipe, photographs, tmp_path, [0.0, 0.1], sheet=tmp_path / "sheet.png", weights=lambda _: weights
    )
    assert set(found["means"]) == {"grey", "mean colour", "colourise", "photographs"}
    assert found["means"]["colourise"]["ciede2000"] == pytest.approx(
        found["means"]["grey"]["ciede2000"], rel=0.2
    )
    assert len(found["share_below"]["lpips-vgg below mean colour"]) == 3
    assert (tmp_path / "sheet.png").exists()


def test_size_is_judged_above_lanczos_whatever_reduced_the_picture(
    photographs: list[Picture], eyes: None, tmp_path: Path
) -> None:
    recipe, weights = fresh(tmp_path, "upscale", "enlarger", width=4, blocks=1)
    found: Any = enlarging.judge(
        recipe, {"kodak": photographs}, tmp_path, sheet=tmp_path / "sheet.png", weights=lambda _: weights
    )
    assert set(found["sets"]) == {"kodak, box", "kodak, bicubic"}
    row = found["sets"]["kodak, box"]
    # Nothing was learnt, so what is drawn is next to nothing.
    assert row["means"]["upscale"]["psnr"] == pytest.approx(row["means"]["lanczos"]["psnr"], abs=1.0)
    assert row["db_above_lanczos"][1] <= row["db_above_lanczos"][0] <= row["db_above_lanczos"][2]


def test_a_perceptual_counterpart_is_judged_beside_what_it_is_the_counterpart_of(
    photographs: list[Picture], eyes: None, tmp_path: Path
) -> None:
    made = {}
    for name in ("upscale", "upscale-perceptual"):
        (tmp_path / name).mkdir()
        _recipe, weights = fresh(tmp_path / name, "upscale", "enlarger", width=4, blocks=1)
        card = dataclasses.replace(weights.card, name=name, weights=weights.card.weights)
        made[name] = resolve({"steps": [{"model": name}]}, cards={name: card})
    found: Any = enlarging.judge(
        made["upscale-perceptual"], {"kodak": photographs}, tmp_path, faithful=made["upscale"],
        weights=lambda _: weights,
    )  # fmt: skip
    row = found["sets"]["kodak, box"]
    assert list(row["means"]) == ["bicubic", "lanczos", "upscale", "upscale-perceptual"]
    # The same weights under two names: nothing lies below anything.
    assert row["means"]["upscale"] == row["means"]["upscale-perceptual"]
    assert row["share_below"]["lpips-alex below upscale"][0] == 0
    told = {
        "name": "upscale-perceptual", "operation": "upscale", "version": "1", "summary": "", "intended_use": "",
        "promises": "", "known_failures": [], "metrics": found, "weights_file": {"bytes": 1},
        "training": {"data": "", "credits": "", "steps": 1, "seconds": 1, "machine": "", "adversarial": ""},
    }  # fmt: skip
    page = answer_release.page(told)
    assert "Missed: LPIPS on kodak, box" in page
    assert "`upscale-perceptual` | below `upscale`" in page


def test_an_interval_holds_the_mean_of_the_differences() -> None:
    rows = {
        "mine": [{"psnr": 30.0 + n % 3} for n in range(12)], "other": [{"psnr": 29.0 + n % 2} for n in range(12)],
    }  # fmt: skip
    mean, low, high = answers.apart(rows, "mine", "other", "psnr")
    assert mean == pytest.approx(1.5)
    assert low < mean < high


def test_a_pair_whose_target_is_twice_as_large_is_compared_with_the_plain_enlargement(
    photographs: list[Picture], tmp_path: Path
) -> None:
    for name, picture in (("input", photographs[0][::2, ::2]), ("target", photographs[0])):
        (tmp_path / name).mkdir()
        Image.fromarray(answers.bytes_of(picture)).save(tmp_path / name / "one.png")
    pair = find(tmp_path)[0].load()
    assert pair.input.shape == pair.target.shape


def test_every_release_of_colour_and_size_has_a_page_written_from_its_card() -> None:
    for card in packaged():
        if card.operation in answer_release.ARCHITECTURES:
            folder = WEIGHTS / card.name
            stored = answer_release.card_of(folder)
            assert answer_release.page(stored) == (DOCS / f"{card.name}.md").read_text("utf-8")
            assert stored["weights_file"]["bytes"] < 25_000_000
