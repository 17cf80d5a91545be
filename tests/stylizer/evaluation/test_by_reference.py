"""A style given by a picture is judged by that picture: nearest where it is the picture's own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from stylizer.evaluation import by_reference
from stylizer.models import features
from stylizer.models.features import Features
from stylizer.recipe import Recipe, resolve
from tests.stylizer.test_stylise import stylist


class Corners(Features):
    """Two layers of fixed random convolutions stand in for the networks that are no part of the project."""

    name = "corners"

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.kernels = [torch.randn(6, channels, 3, 3, generator=generator) * 0.3 for channels in (3, 6)]
        self.lins = nn.ParameterList(nn.Parameter(torch.full((6,), 0.1)) for _ in range(2))

    def forward(self, x: Tensor) -> list[Tensor]:
        layers: list[Tensor] = []
        for kernel in self.kernels:
            x = torch.relu(torch.nn.functional.conv2d(x, kernel, padding=1))
            layers.append(x)
        return layers


def test_each_content_is_judged_by_the_pictures_whose_style_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "load", lambda _name, _folder: Corners())
    random = np.random.default_rng(1)
    unseen = []
    for number, tint in enumerate(((1.0, 0.7, 0.4), (0.4, 0.6, 1.0), (0.5, 1.0, 0.5))):
        pixels = random.random((48, 48, 1)) * np.array(tint) * 255
        unseen.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels.astype(np.uint8)).save(unseen[-1])
    contents = [(0.2 + 0.6 * random.random((48, 48, 3))).astype(np.float32) for _ in range(3)]
    release = stylist(tmp_path / "reference.safetensors", "style/reference", seed=3, encoder=3)

    def recipe(digest: str) -> Recipe:
        cards = {"style/reference": release.card}
        return resolve({"steps": [{"model": "style/reference"}]}, cards=cards, reference=digest)

    figures = by_reference.judge(
        recipe, contents, unseen, tmp_path, sheet=tmp_path / "sheet.png", weights=lambda _digest: release
    )
    means = figures["means"]
    assert figures["contents"] == figures["unseen_style_pictures"] == 3
    assert means["reinhard"]["gram-vgg16"] < means["content"]["gram-vgg16"]
    assert means["content"]["edge-ssim"] == pytest.approx(1)
    assert set(figures["share_below"]) >= {"gram-vgg16 below content", "gram-vgg16 below reinhard"}
    assert (tmp_path / "sheet.png").is_file()
