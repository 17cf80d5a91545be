"""Pairs in a folder, judged through the shipped engine and the shipped weights."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylizer.errors import ImageError
from stylizer.evaluation import cli, folder


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_evaluate_prints_every_kind_beside_its_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    for kind in ("dark", "plain"):
        target = np.asarray(Image.fromarray(rng.integers(0, 255, (5, 5, 3), dtype=np.uint8)).resize((40, 40)))
        _save(tmp_path / "target" / f"{kind}__a.png", target)
        _save(tmp_path / "input" / f"{kind}__a.png", target // 2 if kind == "dark" else target)
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    report = tmp_path / "report.json"
    arguments = [
        "--recipe",
        "restore",
        "--pairs",
        str(tmp_path),
        "--baselines",
        "--out",
        str(report),
        "--device",
        "cpu",
    ]
    assert cli.run(parser.parse_args(arguments)) == 0
    assert "| dark | 1 |" in capsys.readouterr().out
    written = json.loads(report.read_text())
    assert set(written["figures"]) == {"dark", "plain"}
    assert {"input", "recipe", "chain-nlm"} <= set(written["figures"]["plain"])


def test_an_input_without_its_target_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="found no input"):
        folder.find(tmp_path)
    _save(tmp_path / "input" / "lonely.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ImageError, match=r"input/lonely\.png has no target"):
        folder.find(tmp_path)


def test_a_pair_of_two_sizes_is_refused_with_both(tmp_path: Path) -> None:
    _save(tmp_path / "input" / "a.png", np.zeros((4, 6, 3), np.uint8))
    _save(tmp_path / "target" / "a.png", np.zeros((4, 4, 3), np.uint8))
    (pair,) = folder.find(tmp_path)
    with pytest.raises(ImageError, match="4 × 4 px, got 6 × 4 px"):
        pair.load()
