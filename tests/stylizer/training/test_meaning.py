"""What things are, asked of the deepest level: the places of picture and features, and a network that learns it."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylizer.models import features
from stylizer.models.features import Features
from stylizer.training.colour import Colour, ColourLesson, _frame, _framed
from stylizer.training.meaning import CELL, Frame, Meaning
from stylizer.training.style_pictures import folder
from tests.stylizer.training.test_answers import photographs  # noqa: F401


class Places(Features):
    """Sees where it is looking: two gradients, in cells of sixteen pixels."""

    name = "places"

    def forward(self, x: Tensor) -> list[Tensor]:
        return [
            F.avg_pool2d(torch.cat([x[:, :1] + 0.1, x[:, 1:2] + 0.1, 1 - x[:, :1], 1 - x[:, 1:2]], 1), CELL)
        ]


def gradients(height: int, width: int) -> Tensor:
    """uint8 (3, H, W): red grows to the right, green downwards."""
    down, right = torch.meshgrid(torch.linspace(0, 255, height), torch.linspace(0, 255, width), indexing="ij")
    return torch.stack([right, down, torch.zeros(height, width)]).byte()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(64, 300), st.integers(64, 300), st.integers(0, 2**32 - 1), st.sampled_from([0.6, 1.0, 1.6])
)
def test_what_is_seen_lies_where_the_picture_lies(height: int, width: int, seed: int, ratio: float) -> None:
    pictures = [gradients(height, width), gradients(width, height)]
    meaning = Meaning(pictures, Places(), components=3)
    frame = _frame(pictures[0], ratio, np.random.default_rng(seed))
    assert 0 <= frame.top <= height - frame.height
    assert 0 <= frame.left <= width - frame.width
    part = meaning.of(0, frame, (6, 6))
    assert part.shape == (1, 3, 6, 6)
    mirrored = meaning.of(0, frame._replace(mirrored=not frame.mirrored), (6, 6))
    assert torch.allclose(mirrored.flip(3), part, atol=1e-4)
    # Halves of a frame see what the whole sees there.
    even = Frame(frame.top, frame.left, frame.height // 2 * 2, frame.width // 2 * 2, mirrored=False)
    whole = meaning.of(0, even, (8, 8))
    upper = meaning.of(0, even._replace(height=even.height // 2), (4, 8))
    assert torch.allclose(whole[:, :, :4], upper, atol=1e-2)


def test_components_are_apart_and_alike_in_strength() -> None:
    random = np.random.default_rng(3)
    pictures = [torch.from_numpy(random.integers(0, 255, (3, 96, 128), np.uint8)) for _ in range(4)]
    seen = torch.cat([one.float().flatten(1) for one in Meaning(pictures, Places(), components=2).seen], 1)
    assert torch.allclose(torch.cov(seen), torch.eye(2), atol=0.02)
    assert torch.allclose(seen.mean(1), torch.zeros(2), atol=0.02)


def test_a_frame_and_its_mirror_image_are_the_same_pixels() -> None:
    picture = gradients(80, 120)
    frame = Frame(10, 20, 48, 64, mirrored=False)
    plain, turned = (_framed(picture, one, (48, 64)) for one in (frame, frame._replace(mirrored=True)))
    assert torch.equal(plain[0], picture[:, 10:58, 20:84].float() / 255)
    assert torch.equal(turned.flip(3), plain)


def test_the_deepest_level_learns_what_things_are(
    photographs: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "load", lambda _name, _folder: Places())
    config = Colour(
        architecture={"widths": [4, 8, 8, 8], "middle": 1}, crop=48, batch=4, meaning=1.0, components=3
    )
    lesson = ColourLesson(config, folder(sorted(photographs.iterdir()), kept=0.2))
    optimiser = torch.optim.Adam(lesson.network.parameters(), lr=1e-2)
    told = []
    for step in range(40):
        loss, figures = lesson.loss(step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        told.append(figures()["meaning"])
    assert np.mean(told[-6:]) < 0.85 * np.mean(told[:6])
