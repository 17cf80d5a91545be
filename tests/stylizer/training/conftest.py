"""A run small enough to take a second: three photographs of 48 px, a network of a few hundred weights."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylizer.training import photos
from stylizer.training.config import Restore

TINY = Restore(
    seed=1,
    architecture={"widths": [4, 6, 8], "middle": 1, "tone_width": 2},
    tone_steps=3,
    tone_batch=4,
    tone_pictures=8,
    steps=6,
    batch=2,
    crop=32,
    warmup=2,
    bf16=False,
    shard=8,
    side=40,
    pool=2,
    refresh=2,
    log_every=2,
    save_every=3,
)


@pytest.fixture
def tiny() -> Restore:
    return TINY


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(3):
        coarse = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((48, 48)).save(folder / f"{number}.png")
    return photos.find([folder])
