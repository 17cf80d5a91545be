"""Colour, size and pairs of one's own: one command from folders to a release that the engine applies."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image

from stylizer.cards import release_in
from stylizer.cli import main
from stylizer.imageio import facts
from stylizer.training import paired, state
from stylizer.training.style_pictures import DataMissing
from stylizer.training.upscale import KERNELS, reduced
from tests.stylizer.small import pixels_of, scene, write

PACE = """
[pace]
warmup = 2
log_every = 2
save_every = 4
[pace.watch]
every = 4
metric = "gain"
[adversary]
weight = 0.1
critic = "patch"
width = 4
loss = "least-squares"
outside = 1.0
augment = ["translation"]
alone = 2
ramp = 2
"""
SHAPES = {
    "colourise": "[architecture]\nwidths = [4, 4, 4, 4]\nmiddle = 1\n",
    "upscale": "[architecture]\nwidth = 4\nblocks = 1\n",
    "paired": "[architecture]\nwidths = [4, 4, 4]\nmiddle = 1\n",
}


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Ten coloured photographs."""
    random = np.random.default_rng(1)
    (tmp_path / "photographs").mkdir()
    for number in range(10):
        coarse = random.integers(0, 255, (8, 8, 3), np.uint8).repeat(10, 0).repeat(10, 1)
        Image.fromarray(coarse).save(tmp_path / "photographs" / f"{number}.png")
    return tmp_path / "photographs"


def pairs(folder: Path, *, bits: int = 16) -> Path:
    """Ten grey pictures and their negatives in colour."""
    folder.mkdir()
    random = np.random.default_rng(2)
    top = 2**bits - 1
    for number in range(10):
        given: NDArray[Any] = random.integers(0, top, (7, 6)).repeat(10, 0).repeat(10, 1)
        kind = np.uint16 if bits == 16 else np.uint8
        made = np.stack([top - given, given, np.full_like(given, top // 2)], 2)
        tifffile.imwrite(folder / f"{number}_A.tif", given.astype(kind), photometric="minisblack")
        tifffile.imwrite(folder / f"{number}_B.tif", made.astype(kind), photometric="rgb")
    return folder


def command(kind: str, data: Path, tmp_path: Path, out: Path, *more: str) -> list[str]:
    """Small settings; after eight steps it is known whether it runs."""
    path = tmp_path / f"{kind}.toml"
    path.write_text(f"crop = 32\nbatch = 2\nkept = 0.2\n{SHAPES[kind]}{PACE}")
    return ["train", kind, "--data", str(data), "--out", str(out), "--config", str(path), *more]


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_one_command_ends_in_a_release_that_the_engine_applies(
    kind: str, photographs: Path, tmp_path: Path
) -> None:
    data = pairs(tmp_path / "pairs") if kind == "paired" else photographs
    out = tmp_path / "run"
    assert main(command(kind, data, tmp_path, out, "--steps", "8")) == 0
    release = release_in(out)
    assert (out / "sheet.png").exists()
    assert (out / "report.html").exists()
    assert release.card.training["steps"] == 8
    assert "gain" in release.card.metrics
    scan = write(tmp_path / "scan.tif", scene(1, 16)[..., 0]).path
    assert main(["apply", str(scan), "--recipe", str(out), "--out", str(tmp_path / "made")]) == 0
    form = facts(tmp_path / "made" / "scan.tif")
    assert form.bits == 16
    assert form.colour == ("grey" if kind == "upscale" else "rgb")
    assert form.width == (340 if kind == "upscale" else 170)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(photographs: Path, tmp_path: Path) -> None:
    # The rate follows the steps asked for, unless it is the same from first to last.
    constant = PACE.replace("warmup = 2", "warmup = 1\nrate = 1e-3\nfinal_rate = 1e-3")
    words = command("upscale", photographs, tmp_path, tmp_path / "whole")
    (tmp_path / "upscale.toml").write_text(f"crop = 32\nbatch = 2\nkept = 0.2\n{SHAPES['upscale']}{constant}")
    main([*words, "--steps", "8"])
    parts = [word.replace(str(tmp_path / "whole"), str(tmp_path / "parts")) for word in words]
    main([*parts, "--steps", "4"])
    main([*parts, "--steps", "8", "--resume"])
    whole, resumed = (state.load(tmp_path / name / "checkpoint.pt") for name in ("whole", "parts"))
    for part in ("network", "average"):
        assert all(torch.equal(one, resumed[part][name]) for name, one in whole[part].items())
    critics = (one["lesson"]["adversary"]["network"] for one in (whole, resumed))
    first, other = critics
    assert all(torch.equal(one, other[name]) for name, one in first.items())


def test_pairs_are_found_in_one_folder_in_its_two_and_in_two_given(tmp_path: Path) -> None:
    one = pairs(tmp_path / "one")
    assert len(paired.find([one])) == 10
    for side in ("A", "B"):
        (one / side).mkdir()
        for path in one.glob(f"*_{side}.tif"):
            path.rename(one / side / path.name.replace(f"_{side}", ""))
    assert len(paired.find([one])) == len(paired.find([one / "A", one / "B"])) == 10
    (one / "B" / "3.tif").unlink()
    with pytest.raises(DataMissing, match="“3”"):
        paired.find([one])
    with pytest.raises(DataMissing, match="no pairs"):
        paired.find([tmp_path])


def test_a_pair_is_read_in_its_own_depth_and_with_as_many_channels_as_it_has(tmp_path: Path) -> None:
    first = paired.find([pairs(tmp_path / "pairs")])[0]
    pair = paired.read(first)
    assert (str(pair.given.dtype), pair.given.shape) == ("uint16", (70, 60, 1))
    assert (str(pair.target.dtype), pair.target.shape) == ("uint16", (70, 60, 3))
    assert not pair.is_grey
    values = paired.to_tensor(pair.given)
    assert torch.equal(values[0, 0], torch.from_numpy(pixels_of(first[0])[..., 0].astype(np.float32)) / 65535)
    Image.new("L", (9, 9)).save(tmp_path / "small.png")
    with pytest.raises(DataMissing, match="one size"):
        paired.read((first[0], tmp_path / "small.png"))


def test_grey_pairs_end_in_a_network_that_leaves_grey_scans_grey(tmp_path: Path) -> None:
    folder = pairs(tmp_path / "pairs", bits=8)
    for path in folder.glob("*_B.tif"):
        tifffile.imwrite(path, pixels_of(path)[..., 0], photometric="minisblack")
    out = tmp_path / "run"
    assert main(command("paired", folder, tmp_path, out, "--steps", "2")) == 0
    assert json.loads((out / "card.json").read_text())["arguments"]["grey"] is True
    scan = write(tmp_path / "scan.tif", scene(1, 8)[..., 0]).path
    assert main(["apply", str(scan), "--recipe", str(out), "--out", str(tmp_path / "made")]) == 0
    assert facts(tmp_path / "made" / "scan.tif").colour == "grey"


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_a_reduced_picture_lies_where_it_lay(kernel: str) -> None:
    ramp = torch.linspace(0, 1, 64).reshape(1, 1, 1, 64).expand(1, 3, 64, 64)
    wanted = ramp.unfold(3, 2, 2).mean(4)[:, :, ::2]
    assert torch.allclose(reduced(ramp, kernel)[..., 8:-8], wanted[..., 8:-8], atol=1e-5)
