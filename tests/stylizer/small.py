"""A small network with weights of its own, scans made of numbers, and how to look at what came out."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from stylizer.cards import Card, Weights
from stylizer.engine import Source
from stylizer.imageio import open_picture
from stylizer.models import Restorer
from stylizer.recipe import Recipe

ARGUMENTS = {"widths": [4, 6, 8], "middle": 1, "gate_floor": 0.05, "tone_floor": 0.05}
ICC = bytes(range(200))


def save_weights(path: Path, *, spoil: bool = False, seed: int = 3) -> Weights:
    torch.manual_seed(seed)
    network = Restorer(widths=(4, 6, 8), middle=1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.05)
        network.get_parameter("head.0.bias")[16:] += (
            2  # so that about half of any picture looks damaged to it
        )
        if spoil:
            network.get_parameter("stem.1.bias").fill_(float("nan"))
    save_file(network.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = Card("restore", "1", "restore", "restorer", digest, arguments=ARGUMENTS)
    return Weights(path, card)


def scene(bands: int, bits: int, *, height: int = 130, width: int = 170) -> NDArray[Any]:
    random = np.random.default_rng(bands)
    coarse = (
        random.random((height // 10 + 1, width // 10 + 1, bands)).repeat(10, 0).repeat(10, 1)[:height, :width]
    )
    noisy = np.clip(coarse * 0.8 + 0.1 + random.normal(0, 0.02, coarse.shape), 0, 1)
    scaled: NDArray[Any] = (noisy * (2**bits - 1)).astype(np.uint16 if bits == 16 else np.uint8)
    return scaled


def write(path: Path, pixels: NDArray[Any], **options: Any) -> Source:
    photometric = options.pop("photometric", "rgb" if pixels.ndim == 3 else "minisblack")
    tifffile.imwrite(path, pixels, photometric=photometric, iccprofile=ICC, resolution=(300, 300), **options)
    return Source(path)


def pixels_of(path: Path) -> NDArray[Any]:
    with open_picture(path) as picture:
        return picture.read(0, picture.facts.height)


def with_step(recipe: Recipe, **changes: Any) -> Recipe:
    return replace(recipe, steps=tuple(replace(step, **changes) for step in recipe.steps))
