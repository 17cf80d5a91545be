"""Training: a run is a function of its settings, stops anywhere, goes on exactly, and stops itself when it breaks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stylizer.models.tone import ToneNet
from stylizer.training import config, losses, pairs, photos, tone
from stylizer.training.config import Restore
from stylizer.training.loop import RestoreRun, TrainingDiverged


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_a_stopped_and_resumed_run_equals_one_that_was_not(
    tiny: Restore, photographs: list[Path], tmp_path: Path
) -> None:
    straight = RestoreRun(tiny, photographs, tmp_path / "a", workers=0)
    straight.train()
    broken = RestoreRun(tiny, photographs, tmp_path / "b", workers=0)
    save, seen = broken.save, []

    def save_then_fail() -> None:
        save()
        seen.append(broken.step)
        if broken.step == 3:
            raise KeyboardInterrupt

    broken.save = save_then_fail  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    resumed = RestoreRun(tiny, photographs, tmp_path / "b", workers=0)
    resumed.resume()
    assert resumed.step == 3
    resumed.train()
    for (name, one), other in zip(
        straight.network.state_dict().items(), resumed.network.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name
    for one, other in zip(
        straight.average.network.parameters(), resumed.average.network.parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_a_loss_that_is_no_number_stops_the_run_with_a_sentence(
    tiny: Restore, photographs: list[Path], tmp_path: Path
) -> None:
    run = RestoreRun(replace(tiny, tone_steps=0), photographs, tmp_path, workers=0)
    with torch.no_grad():
        run.network.get_parameter("head.0.weight").fill_(float("nan"))
    with pytest.raises(TrainingDiverged, match="step 0 is nan, expected a finite number; resume from"):
        run.train()
    assert not run.checkpoint.exists()


def test_the_log_tells_loss_and_gain_step_by_step(
    tiny: Restore, photographs: list[Path], tmp_path: Path
) -> None:
    RestoreRun(tiny, photographs, tmp_path, workers=0).train()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    detail = [line for line in lines if line["stage"] == "detail"]
    assert [line["step"] for line in detail] == [2, 4, 6]
    assert {"loss", "gradient", "rate", "gain_db", "clean_db"} <= set(detail[0])
    assert (tmp_path / "sheet.png").exists()


def test_a_shard_depends_on_the_seed_and_its_number_only(tiny: Restore, photographs: list[Path]) -> None:
    one, again = (pairs.make_shard(photographs, tiny, 4) for _ in range(2))
    assert one.shape == (8, 7, 40, 40)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, pairs.make_shard(photographs, tiny, 5))


def test_the_gate_is_asked_to_open_only_where_something_differs() -> None:
    toned = torch.full((1, 3, 32, 32), 0.5)
    damaged = toned.clone()
    damaged[:, :, 16, 16] = 1.0
    needed = losses.needs_change(damaged, toned)
    assert needed[0, 0, 16, 16] == 1
    assert needed[0, 0, 0, 0] == 0


def test_settings_with_an_unknown_name_are_refused() -> None:
    with pytest.raises(ValueError, match="stepz unknown"):
        config.from_dict({"stepz": 3})
    assert config.load().architecture["widths"] == [32, 96, 192]


@pytest.mark.parametrize("name", config.PACKAGED)
def test_the_packaged_settings_can_be_read(name: str) -> None:
    settings = config.load(Path(name))
    assert settings == config.from_dict(json.loads(json.dumps(settings.to_dict())))


def test_no_pictures_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        photos.find([tmp_path])


def test_the_gate_of_tone_votes_for_what_a_correction_gains(tiny: Restore) -> None:
    torch.manual_seed(0)
    network = ToneNet(2, 0.05)
    sound, faded = torch.rand(1, 3, 64, 64), 0.3 + 0.4 * torch.rand(1, 3, 64, 64)
    clean = ((faded - 0.3) / 0.4).clamp(0, 1)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    network.eval()
    for step in range(250):
        both = torch.cat([sound, faded])
        goal = torch.cat([sound, clean])
        total, _ = tone.loss(
            network, both, both, both, goal, sure=0.5, votes=step > 150
        )  # a young network has nothing to gain yet
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    _, gate = network.judge(torch.cat([sound, faded]))
    assert gate[1] > 0.7 > 0.5 > gate[0]
    assert network.floor == 0.05


def test_a_run_may_begin_with_the_tone_network_of_another(
    tiny: Restore, photographs: list[Path], tmp_path: Path
) -> None:
    first = RestoreRun(replace(tiny, steps=0), photographs, tmp_path / "a", workers=0)
    first.train()
    second = RestoreRun(replace(tiny, seed=9), photographs, tmp_path / "b", workers=0)
    second.start_tone_from(first.checkpoint)
    name = "tone_net.head.0.weight"
    assert torch.equal(second.network.state_dict()[name], first.average.network.state_dict()[name])
