"""One command trains all that a release needs, in order, each run from the one before."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stylizer.training import config, everything, state
from stylizer.training.config import Restore, Watch


def test_everything_is_trained_and_the_counterpart_keeps_the_judge(
    tiny: Restore, photographs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    settings = config.load
    small = replace(tiny, batch=2, crop=32, watch=Watch(every=3, share=0.3, pictures=4))

    def load(path: Path) -> Restore:
        found = settings(path)
        return replace(found, steps=3, batch=2, side=40, log_every=1, watch=small.watch)

    monkeypatch.setattr(config, "load", load)
    everything.everything(small, photographs, tmp_path, seconds=600, features=None, workers=0)
    judge = state.load(tmp_path / "judge" / "checkpoint.pt")["average"]
    counterpart = state.load(tmp_path / "perceptual" / "checkpoint.pt")["average"]
    assert torch.equal(judge["head.judge.enter.weight"], counterpart["head.judge.enter.weight"])
    assert set(judge) == set(counterpart)
    assert (tmp_path / "restore" / "report.html").exists()
