"""`python -m stylizer`: files in, files out, refusals named, and the exit code that scripts rely on."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from stylizer.cards import packaged
from stylizer.cli import main


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(2).integers(0, 65535, (40, 56, 3), np.uint16)
    tifffile.imwrite(tmp_path / "scan.tif", pixels, photometric="rgb")
    return tmp_path / "scan.tif"


def test_apply_makes_the_picture_and_its_report_and_keeps_maps_when_asked(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["apply", str(scan), "--recipe", "restore", "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(words) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["scan.report.json", "scan.tif"]
    assert "40" in capsys.readouterr().out
    first = (tmp_path / "out" / "scan.tif").read_bytes()
    assert main([*words, "--change-map", "--tile", "256"]) == 0
    assert (tmp_path / "out" / "scan.change.png").exists()
    assert (tmp_path / "out" / "scan.damage.png").exists()
    record = json.loads((tmp_path / "out" / "scan.report.json").read_text("utf-8"))
    assert record["recipe"]["tile"] == 256
    assert record["report"]["precision"] == "archival"
    assert first[:4] == b"II*\0"


def test_a_refused_picture_is_named_and_the_others_are_made(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "page.tif"
    bad.write_text("<html></html>")
    twin = tmp_path / "twin" / "scan.tif"
    twin.parent.mkdir()
    twin.write_bytes(scan.read_bytes())
    out = tmp_path / "out"
    assert (
        main(
            [
                "apply",
                str(bad),
                str(scan),
                str(twin),
                "--recipe",
                "restore",
                "--out",
                str(out),
                "--device",
                "cpu",
            ]
        )
        == 1
    )
    seen = capsys.readouterr()
    assert "page.tif: This is a web page" in seen.err
    assert "2 of 3 made" in seen.out
    assert (out / "scan.tif").exists()
    assert (out / "scan-2.tif").exists()


def test_a_mistyped_recipe_is_told_in_a_sentence(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", str(scan), "--recipe", "restoer", "--out", str(tmp_path / "out")]) == 1
    assert "expected one of restore" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_models_lists_the_releases_and_shows_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [card.name for card in packaged()]
    assert "restore" in listed
    assert main(["models", "restore"]) == 0
    assert json.loads(capsys.readouterr().out)["architecture"] == "judged-restorer"


def test_a_command_that_is_not_understood_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["dream"], ["apply"], ["train", "oracle"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
