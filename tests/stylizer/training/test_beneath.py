"""What lies beneath a style of one's own: areas, or the photograph as it is; and whether it knows colour."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylizer.models.features import Features
from stylizer.models.stylist import Stylist
from stylizer.training import beneath
from stylizer.training.style import Style, StyleLesson
from stylizer.training.style_pictures import Folder
from tests.stylizer.training.test_style import Corners


class Grain(Features):
    """Sees what is finer than its neighbourhood, and nothing else."""

    name = "grain"

    def forward(self, x: Tensor) -> list[Tensor]:
        fine = x - F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return [F.relu(torch.cat([fine, -fine], 1))] * (self.layers or 1)


CONFIG = Style(architecture={"widths": [4, 8], "blocks": 1, "code": 4}, crop=48, near=2, far=2, choose=True)


def pictures(folder: Path, *, grain: float, grey: bool = False, count: int = 8) -> list[Path]:
    """Blocks of colour with so much grain on them."""
    folder.mkdir()
    random = np.random.default_rng(7)
    made = []
    for number in range(count):
        blocks = random.uniform(60, 200, (6, 6, 3)).repeat(20, 0).repeat(20, 1)
        noisy = blocks + random.normal(0, grain, blocks.shape)
        pixels = noisy.mean(2, keepdims=True).repeat(3, 2) if grey else noisy
        made.append(folder / f"{number}.png")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(made[-1])
    return made


@pytest.mark.parametrize("grey", [False, True])
def test_a_style_of_flat_areas_is_drawn_on_areas_and_one_with_grain_on_the_photograph(
    tmp_path: Path, grey: bool
) -> None:
    photographs = pictures(tmp_path / "photographs", grain=25)
    flat = pictures(tmp_path / "flat", grain=0, grey=grey)
    rough = pictures(tmp_path / "rough", grain=25, grey=grey)
    areas, plain = (beneath.chosen(CONFIG, photographs, style, Grain()) for style in (flat, rough))
    assert areas.architecture["laid"]["radius"] >= 3
    assert "laid" not in plain.architecture
    assert [bool(one.architecture.get("grey")) for one in (areas, plain)] == [grey, grey]
    assert Stylist(**areas.architecture).grey == grey


def test_the_choice_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    photographs, style = (pictures(tmp_path / name, grain=12) for name in ("photographs", "style"))
    first, again = (beneath.chosen(CONFIG, photographs, style, Corners()) for _ in range(2))
    assert first == again


def test_what_is_drawn_where_nothing_is_costs_and_earns_nothing(tmp_path: Path) -> None:
    """Beyond a crop the network is given zeros, where a scan is mirrored: no loss looks there."""
    paths = pictures(tmp_path / "photographs", grain=12)
    folder = Folder("one", tuple(paths), ())
    lesson = StyleLesson(CONFIG, folder, [folder], Corners())
    seen: list[torch.Size] = []
    lesson.eye.network.register_forward_hook(lambda _net, inputs, _out: seen.append(inputs[0].shape))
    given: list[torch.Size] = []
    lesson.network.register_forward_hook(lambda _net, inputs, _out: given.append(inputs[0].shape))
    lesson.loss(0)
    assert {shape[-1] for shape in given} == {CONFIG.crop + 2 * CONFIG.margin}
    assert max(shape[-1] for shape in seen) == CONFIG.crop
    x = torch.rand(1, 3, 64, 64)
    assert lesson._whole(lesson.network, x, 0).shape == x.shape
