"""When a run ends, and that it says why."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stylizer.training import photos, state
from stylizer.training.config import Adversary, Restore, from_dict
from stylizer.training.config import Watch as Settings
from stylizer.training.loop import RestoreRun
from stylizer.training.watch import TrainingCollapsed, TrainingDiverged, Watch


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_a_run_ends_when_its_metric_reaches_the_target() -> None:
    watch = Watch(Settings(target=2.0))
    assert watch.validated(100, {"gain_db": 1.0})
    assert watch.ending() is None
    assert watch.validated(200, {"gain_db": 2.5})
    assert watch.ending() == "gain_db reached its target: 2.500 at step 200, 2 were asked for."


def test_a_run_that_rises_no_more_ends_and_says_how_far_it_fell_short() -> None:
    watch = Watch(Settings(target=2.0, patience=2))
    watch.validated(100, {"gain_db": 1.5})
    assert not watch.validated(200, {"gain_db": 1.4})
    assert watch.ending() is None
    watch.validated(300, {"gain_db": 1.2})
    ended = watch.ending()
    assert ended is not None
    assert ended.startswith("gain_db has not risen for 2 validations")
    assert "the best gain_db is 1.500, at step 100, 0.500 short of its target 2" in ended


def test_a_run_out_of_time_says_whether_it_was_still_rising() -> None:
    watch = Watch(Settings(target=2.0))
    watch.validated(100, {"gain_db": 1.5})
    assert watch.exhausted("seconds").endswith("0.500 short of its target 2, still rising.")
    assert Watch(Settings()).exhausted("steps") == "The steps are used up; nothing was validated."


def test_a_metric_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="expected one of clean_db, gain_db; got 'fid'"):
        Watch(Settings(metric="fid")).validated(1, {"gain_db": 1.0, "clean_db": 50.0})


def test_a_critic_that_is_always_right_ends_the_run_with_a_sentence() -> None:
    watch = Watch(Settings(collapse_steps=3))
    for step in (1, 2):
        watch.expect_game({"critic_right": 1.0}, step=step)
    watch.expect_game({"critic_right": 0.8}, step=3)
    for step in (4, 5):
        watch.expect_game({"critic_right": 1.0}, step=step)
    with pytest.raises(TrainingCollapsed, match="3 logged steps in a row up to step 6"):
        watch.expect_game({"critic_right": 1.0}, step=6)


def test_runaway_activations_and_dead_layers_end_the_run() -> None:
    watch = Watch(Settings())
    watch.expect_health({"largest_activation": 30.0, "most_zero_inputs": 0.9}, step=1)
    with pytest.raises(TrainingDiverged, match="an activation at step 2 is 1e\\+05"):
        watch.expect_health({"largest_activation": 1e5, "most_zero_inputs": 0.5}, step=2)
    with pytest.raises(TrainingDiverged, match="nothing but zeros"):
        watch.expect_health({"largest_activation": 3.0, "most_zero_inputs": 1.0}, step=3)


def test_photographs_kept_back_are_the_same_whatever_the_order(photographs: list[Path]) -> None:
    train, held = photos.kept_back(photographs, 0.3)
    again, same = photos.kept_back(list(reversed(photographs)), 0.3)
    assert held == same
    assert set(train) == set(again)
    assert not set(train) & set(held)
    assert photos.kept_back(photographs, 0) == (photographs, [])
    with pytest.raises(ValueError, match="too few to keep 3 of them back"):
        photos.kept_back(photographs, 1.0)


def test_a_run_validates_keeps_its_best_and_writes_a_report_that_needs_no_other_file(
    tiny: Restore, photographs: list[Path], tmp_path: Path
) -> None:
    config = replace(tiny, watch=Settings(every=2, share=0.3, pictures=8, target=-100.0))
    progress = RestoreRun(config, photographs, tmp_path, workers=0).train()
    assert progress.step == 2
    assert progress.ended.startswith("gain_db reached its target")
    assert state.load(tmp_path / "best.pt")["step"] == 2
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "gain_db reached its target" in page
    assert page.count("data:image/png;base64,") == 2
    assert "http" not in page
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_dead_block_is_begun_anew_when_a_run_starts_from_its_weights(
    tiny: Restore, photographs: list[Path], tmp_path: Path
) -> None:
    first = RestoreRun(tiny, photographs, tmp_path / "a", workers=0)
    with torch.no_grad():
        first.average.network.get_parameter("middle.0.first.bias").fill_(-1e3)
    first.network.load_state_dict(first.average.network.state_dict())
    first.save()
    second = RestoreRun(replace(tiny, seed=2), photographs, tmp_path / "b", workers=0)
    second.start_from(first.checkpoint, revive=True)
    assert "middle.0" in (tmp_path / "b" / "log.jsonl").read_text()
    assert not second.network.get_parameter("middle.0.first.bias").any()


def test_settings_are_nested_frozen_and_refuse_a_name_that_does_not_exist() -> None:
    config = from_dict(
        {"steps": 5, "adversary": {"weight": 0.2, "augment": ["colour"]}, "watch": {"every": 3}}
    )
    assert config.adversary == Adversary(weight=0.2, augment=("colour",))
    assert from_dict(config.to_dict()) == config
    with pytest.raises(ValueError, match=r"\[adversary\]: weigth unknown"):
        from_dict({"adversary": {"weigth": 1}})
