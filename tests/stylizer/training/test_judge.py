"""The judge: learns where a finished network's own repair helps, and opens nothing where it would harm."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stylizer.models import Restorer, create
from stylizer.models.judged import JudgedRestorer, from_plain
from stylizer.training import state
from stylizer.training.config import Restore
from stylizer.training.judge import LARGEST, JudgeRun, gain, loss

SHAPE = {"widths": [4, 6, 8], "middle": 1, "tone_width": 2}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def _plain() -> Restorer:
    network = create("restorer", **SHAPE)
    assert isinstance(network, Restorer)
    return network.eval()


def _judged() -> JudgedRestorer:
    network = create("judged-restorer", judge=4, **SHAPE)
    assert isinstance(network, JudgedRestorer)
    return network.eval()


def test_a_judge_proposes_what_its_restorer_would_have_done() -> None:
    plain = _plain()
    plain.gate_floor = 0.0
    judged = from_plain(plain.state_dict(), _judged())
    judged.gate_floor = 0.0
    with torch.no_grad():
        judged.head.judge.leave[0].weight.zero_()  # type: ignore[union-attr,index]
        judged.head.judge.leave[0].bias.fill_(20.0)  # type: ignore[union-attr,index]
        x = torch.rand(1, 3, 32, 32)
        assert torch.allclose(plain(x).residual, judged(x).residual, atol=1e-5)
        assert torch.allclose(plain(x).damage, judged(x).damage, atol=1e-5)
        judged.head.judge.leave[0].bias.fill_(-20.0)  # type: ignore[union-attr,index]
        assert judged(x).residual.abs().max() < 1e-6


def test_a_loss_counts_as_much_more_than_a_gain_as_the_settings_say() -> None:
    gained = torch.tensor([1.0, -1.0]).reshape(1, 1, 1, 2)
    shut, open_ = torch.full((1, 1, 1, 2), -3.0), torch.full((1, 1, 1, 2), 3.0)
    assert torch.isclose(loss(open_, gained), loss(shut, gained))  # even odds: as well open as shut
    assert loss(open_, gained, harm=3.0) > loss(shut, gained, harm=3.0)
    assert torch.isclose(loss(open_, 3 * gained.clamp(min=0) + gained.clamp(max=0), harm=3.0),
                         loss(shut, 3 * gained.clamp(min=0) + gained.clamp(max=0), harm=3.0))  # fmt: skip


def test_no_pixel_sees_further_than_the_halo_of_a_judged_restorer() -> None:
    network = _judged()
    assert network.halo > _plain().halo - 1
    side = 2 * network.halo + 24
    x = torch.rand(1, 3, side, side, requires_grad=True)
    for place in (side // 2, side // 2 + 5):
        (slope,) = torch.autograd.grad(network(x).gate[0, :, place, place].sum(), x)
        reach = (slope.abs().sum((0, 1)).nonzero() - place).abs().max()
        assert 0 < int(reach) <= network.halo


def test_the_vote_of_a_pixel_is_what_would_be_gained_there() -> None:
    target = torch.full((1, 3, 32, 32), 0.5)
    damaged = target.clone()
    damaged[..., 8:12, 8:12] += 0.4
    residual = target - damaged
    assert gain(damaged, target, residual)[0, 0, 10, 10] == LARGEST
    assert gain(damaged, target, residual)[0, 0, 28, 28] == 0
    residual[..., 24:, 24:] = 0.3
    assert gain(damaged, target, residual)[0, 0, 28, 28] < -1


def test_opening_pays_where_something_is_gained_and_costs_where_it_is_lost() -> None:
    gained = torch.tensor([2.0, -2.0]).reshape(1, 1, 1, 2)
    right, wrong = (
        torch.tensor([5.0, -5.0]).reshape(1, 1, 1, 2),
        torch.tensor([-5.0, 5.0]).reshape(1, 1, 1, 2),
    )
    assert loss(right, gained) < 0.1 < loss(wrong, gained)


def test_a_run_of_the_judge_touches_nothing_but_the_judge(
    tiny: Restore, photographs: list[Path], tmp_path: Path
) -> None:
    weights = tmp_path / "weights.pt"
    plain = _plain()
    state.save(weights, {"average": plain.state_dict()})
    config = replace(
        tiny, network="judged-restorer", architecture={**SHAPE, "judge": 4}, steps=4, pool=1,
        watch=replace(tiny.watch, share=0.3),
    )  # fmt: skip
    made = JudgeRun(config, photographs, tmp_path / "run", weights=weights).train()
    after = state.load(made)["average"]
    assert torch.equal(after["head.propose.weight"], plain.state_dict()["head.0.weight"])
    assert torch.equal(after["stem.1.weight"], plain.state_dict()["stem.1.weight"])
    log = (tmp_path / "run" / "log.jsonl").read_text()
    assert log.count('"stage": "validation"') == 3
