"""A style of one's own: from two folders of pictures to a network that the engine applies."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylizer.cards import release_in
from stylizer.cli import main
from stylizer.models import features
from stylizer.models.features import Features
from stylizer.training import kinds, likeness, state
from stylizer.training.style_pictures import DataMissing, two_folders
from tests.stylizer.small import scene, write

SETTINGS = """
crop = 32
batch = 2
[architecture]
widths = [4, 8]
blocks = 1
code = 4
ENCODER
[pace]
warmup = 2
log_every = 2
save_every = 4
[adversary]
weight = 0.1
critic = "patch"
width = 4
loss = "least-squares"
augment = ["translation"]
alone = 2
ramp = 2
"""


class Corners(Features):
    """A feature network of our own: three layers of fixed random convolutions, as VGG has them but small."""

    name = "corners"

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.weights = [torch.randn(8, channels, 3, 3, generator=generator) * 0.3 for channels in (3, 8, 8)]

    def forward(self, x: Tensor) -> list[Tensor]:
        layers: list[Tensor] = []
        for weight in self.weights[: self.layers]:
            x = torch.relu(torch.nn.functional.conv2d(x, weight, padding=1))
            layers.append(x)
        return layers


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten coloured photographs, and nine pictures in black stripes."""
    random = np.random.default_rng(1)
    for name, count in (("photographs", 10), ("style", 9)):
        (tmp_path / "my" / name).mkdir(parents=True)
        for number in range(count):
            coarse = random.integers(0, 255, (6, 6, 3), np.uint8).repeat(10, 0).repeat(10, 1)
            stripes = np.where(np.arange(60)[:, None, None] // 3 % 2, 255, 0) * np.ones((60, 60, 3))
            pixels = stripes.astype(np.uint8) if name == "style" else coarse
            Image.fromarray(pixels).save(tmp_path / "my" / name / f"{number}.png")
    return tmp_path / "my"


@pytest.fixture
def words(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command, with small settings; the weights of VGG16 are no part of the project, so a small one stands in."""
    monkeypatch.setattr(features, "load", lambda _name, _folder: Corners())
    monkeypatch.setattr(kinds, "_trunk", lambda: None)
    (tmp_path / "small.toml").write_text(SETTINGS.replace("ENCODER", ""))
    return ["train", "style", "--data", str(data), "--out", str(tmp_path / "run"), "--config",
            str(tmp_path / "small.toml")]  # fmt: skip


def test_two_folders_become_a_style_that_the_engine_applies(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--steps", "8"]) == 0
    run = tmp_path / "run"
    assert "8 steps" in capsys.readouterr().out
    assert {"checkpoint.pt", "sheet.png", "curves.png", "report.html", "log.jsonl"} <= {
        p.name for p in run.iterdir()
    }
    page = (run / "report.html").read_text("utf-8")
    assert "my (7 pictures)" in page
    scan = write(tmp_path / "scan.tif", scene(3, 16)).path
    applied = ["apply", str(scan), "--recipe", str(run), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(applied) == 0
    record = json.loads((tmp_path / "out" / "scan.report.json").read_text("utf-8"))
    assert record["recipe"]["steps"][0]["model"] == "style/my"
    assert record["report"]["changed_share"] > 0
    card = release_in(run).card
    assert card.training["steps"] == 8
    (run / "model.safetensors").write_bytes(b"other")
    assert main(applied) == 1
    assert "expected weights with SHA-256" in capsys.readouterr().err


def test_a_run_that_is_resumed_takes_the_steps_of_one_that_never_stopped(
    words: list[str], tmp_path: Path
) -> None:
    assert main([*words, "--steps", "8"]) == 0
    whole = state.load(tmp_path / "run" / "checkpoint.pt")
    again = [word.replace(str(tmp_path / "run"), str(tmp_path / "parts")) for word in words]
    assert main([*again, "--steps", "4"]) == 0
    halfway = state.load(tmp_path / "parts" / "checkpoint.pt")
    assert halfway["step"] == 4
    assert main([*again, "--steps", "8", "--resume"]) == 0
    parts = state.load(tmp_path / "parts" / "checkpoint.pt")
    # The rate follows the share of the run that is behind it, and so the steps asked for: all else is the same.
    assert parts["step"] == whole["step"] == 8
    assert set(parts["average"]) == set(whole["average"])


@pytest.mark.parametrize("reads", ["encoder = 3", "encoder = 3\nmatched = true"])
def test_folders_of_styles_make_a_trunk_that_reads_any_picture(
    words: list[str], data: Path, tmp_path: Path, reads: str
) -> None:
    for name in ("stripes", "bands"):
        (data / "style" / name).mkdir()
        for number in range(9):
            source = data / "style" / f"{number}.png"
            (data / "style" / name / source.name).write_bytes(source.read_bytes())
    (tmp_path / "small.toml").write_text(
        "ground = 0.5\n" + SETTINGS.replace("ENCODER", reads).replace("weight = 0.1", "weight = 0.0")
    )
    assert main([*words, "--steps", "4"]) == 0
    trunk = state.load(tmp_path / "run" / "checkpoint.pt")
    assert any(name.startswith("encoder.") for name in trunk["average"])
    if "matched" in reads:
        assert trunk["average"]["usual"].isfinite().all()
        return
    (tmp_path / "small.toml").write_text(SETTINGS.replace("ENCODER", ""))
    for folder in (data / "style" / "stripes", data / "style" / "bands"):
        for picture in folder.iterdir():
            picture.unlink()
        folder.rmdir()
    begun = ["--start-from", str(tmp_path / "run" / "checkpoint.pt"), "--out", str(tmp_path / "named")]
    assert main([*words, "--steps", "2", *begun]) == 0
    named = state.load(tmp_path / "named" / "checkpoint.pt")
    assert not any(name.startswith("encoder.") for name in named["average"])
    assert named["average"]["code"].abs().max() > 0


def test_a_result_keeps_the_colours_it_began_with_seen_from_afar(words: list[str], tmp_path: Path) -> None:
    grounded = SETTINGS.replace("ENCODER", "[architecture.laid]\nradius = 2\nstrokes = 0.05")
    (tmp_path / "small.toml").write_text("ground = 1.0\n" + grounded)
    assert main([*words, "--steps", "4"]) == 0
    told = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text("utf-8").splitlines()]
    grounds = [line["ground"] for line in told if line["stage"] == "step"]
    assert len(grounds) == 2
    assert all(0 < ground < 0.2 for ground in grounds)
    assert release_in(tmp_path / "run").card.arguments["laid"] == {"radius": 2, "strokes": 0.05}


@pytest.mark.parametrize(
    ("missing", "said"),
    [("photographs", "no folder “photographs”"), ("style", "no folder “style”")],
)
def test_a_folder_that_is_missing_is_named_with_what_belongs_into_it(
    data: Path, missing: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / missing).rename(data / "elsewhere")
    assert main(["train", "style", "--data", str(data), "--out", str(tmp_path / "run")]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "Put" in told


def test_an_empty_folder_is_named_too(data: Path) -> None:
    for picture in (data / "style").iterdir():
        picture.unlink()
    with pytest.raises(DataMissing, match="no pictures in it"):
        two_folders(data)


def test_the_losses_are_least_where_nothing_is_left_to_do() -> None:
    torch.manual_seed(1)
    x, other = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    layer = torch.rand(2, 6, 16, 16)
    goal = likeness.grams([layer])
    assert float(likeness.style_distance([layer], goal)) < 2e-3
    assert float(likeness.content_distance(layer, layer)) == 0
    assert float(likeness.edge_likeness(x, x)) == pytest.approx(1)
    assert float(likeness.edge_likeness(other, x)) < 0.7
    assert float(likeness.light(x, x)) == pytest.approx(0, abs=1e-5)
    assert float(likeness.light(1 - x, x)) > 1.5
    places = torch.arange(64)
    assert likeness.contrast(layer, layer, places) < likeness.contrast(torch.rand_like(layer), layer, places)
