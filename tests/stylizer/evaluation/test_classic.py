"""The classic formulation as a row of a release's evaluation."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stylizer.evaluation import classic
from stylizer.evaluation.protocol import Pair
from stylizer.evaluation.report import evaluate
from stylizer.models.classic import ClassicGenerator
from stylizer.training import state

SHAPE = {"width": 4, "levels": 2}


def run(folder: Path, network: str = "classic") -> Path:
    """A run's folder with the checkpoint of a small generator."""
    folder.mkdir()
    torch.manual_seed(3)
    told = {"network": network, "architecture": SHAPE}
    state.save(
        folder / "checkpoint.pt",
        {
            "average": ClassicGenerator(**SHAPE).state_dict(),
            "config": json.dumps(told),
            "step": 7,
            "seconds": 1.6,
        },
    )
    return folder


def pair(kind: str, seed: int) -> Pair:
    chance = np.random.default_rng(seed)
    picture = (np.round(chance.random((21, 30, 3)) * 255) / 255).astype(np.float32)
    return Pair(kind, f"n{seed}", input=picture, target=picture[::-1].copy())


def test_the_generator_paints_a_picture_of_any_size_in_steps_of_8_bits(tmp_path: Path) -> None:
    network, training = classic.load(run(tmp_path / "run"))
    assert training == {"steps": 7, "seconds": 2}
    painted = classic.Painter(network)(pair("dust", 1).input)
    assert painted.shape == (21, 30, 3)
    assert painted.dtype == np.float32
    assert 0 <= painted.min() < painted.max() <= 1
    assert np.allclose(painted * 255, np.round(painted * 255), atol=1e-3)


def test_another_network_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a run of “classic”, got one of “restorer”"):
        classic.load(run(tmp_path / "run", "restorer"))


def test_its_figures_join_those_of_the_release_and_change_none(tmp_path: Path) -> None:
    kept = {"figures": {"dust": {"input": {"psnr": 30.0}}, "mixed": {"input": {"psnr": 17.0}}}, "worst": {}}
    evaluation = tmp_path / "evaluation.json"
    evaluation.write_text(json.dumps(kept))
    network, training = classic.load(run(tmp_path / "run"))
    pairs = [pair("dust", 1), pair("dust", 2), pair("mixed", 3)]
    measured = evaluate(pairs, {classic.NAME: classic.Painter(network)})
    classic.add(evaluation, measured, training)
    told = json.loads(evaluation.read_text())
    assert told["figures"]["dust"]["input"] == {"psnr": 30.0}
    assert told["figures"]["dust"]["classic"]["psnr"] == measured.figures["dust"]["classic"]["psnr"]
    assert [one["kind"] for one in told["worst"]["classic"]].count("dust") == 2
    assert told["classic"] == {"steps": 7, "seconds": 2}
    again = measured.to_dict() | {"worst": {}}
    carried = classic.carried(told, again)
    assert carried["classic"] == {"steps": 7, "seconds": 2}
    assert carried["worst"]["classic"] == told["worst"]["classic"]
    assert classic.carried({"figures": {}}, again) == again
