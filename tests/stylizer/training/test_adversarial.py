"""The adversarial method: every game can be won by both sides, and what is random in it is a function of the step."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from stylizer.models.discriminators import DISCRIMINATORS
from stylizer.training import adversarial
from stylizer.training.adversary import Adversary
from stylizer.training.augment import KINDS, augment
from stylizer.training.config import Adversary as Settings
from stylizer.training.config import Restore
from stylizer.training.loop import RestoreRun

GAME = Settings(weight=0.1, width=4, alone=2, ramp=2, r1=1.0, r1_every=2)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.mark.parametrize("name", sorted(adversarial.GAMES))
def test_in_every_game_a_better_answer_costs_less(name: str) -> None:
    game = adversarial.GAMES[name]
    high, low = torch.full((2, 1, 4, 4), 0.9), torch.full((2, 1, 4, 4), -0.9)
    assert game.critic(high, low, None) < game.critic(low, high, None)
    assert game.generator(low, high, None) < game.generator(high, low, None)


@pytest.mark.parametrize("name", sorted(adversarial.GAMES))
def test_a_weight_of_zero_takes_a_place_out_of_the_game(name: str) -> None:
    game = adversarial.GAMES[name]
    real, fake = torch.randn(1, 1, 4, 4), torch.randn(1, 1, 4, 4)
    weight = torch.zeros(1, 1, 4, 4)
    weight[..., :2] = 1
    other = fake.clone()
    other[..., 2:] += 5
    assert torch.equal(game.critic(real, fake, weight), game.critic(real, other, weight))
    assert torch.equal(game.generator(real, fake, weight), game.generator(real, other, weight))


def test_the_cross_entropy_of_a_sure_critic_still_has_a_slope_for_the_generator() -> None:
    fake = torch.full((1, 1, 1, 1), -8.0, requires_grad=True)
    adversarial.GAMES["cross-entropy"].generator(fake.detach(), fake, None).backward()
    assert fake.grad is not None
    assert float(fake.grad) < -0.99


def test_r1_is_half_the_squared_slope_of_the_critic() -> None:
    class Linear(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (3 * x).sum((1, 2, 3), keepdim=True)

    x = torch.rand(2, 1, 2, 2)
    assert float(adversarial.r1(Linear(), x)) == pytest.approx(0.5 * 9 * 4)


@pytest.mark.parametrize("name", sorted(DISCRIMINATORS))
def test_every_critic_tells_black_from_white_after_some_steps(name: str) -> None:
    critic = DISCRIMINATORS[name](width=4)
    optimiser = torch.optim.Adam(critic.parameters(), lr=0.01)
    white, black = torch.ones(2, 6, 32, 32), torch.zeros(2, 6, 32, 32)
    for _ in range(30):
        made, true = critic(torch.cat([black, white])).chunk(2)
        loss = adversarial.GAMES["hinge"].critic(true, made, None)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert true.mean() > made.mean() + 0.5
    assert made.shape[:2] == (2, 1)


def test_the_u_net_critic_answers_for_every_pixel_and_the_classic_one_for_the_picture() -> None:
    x = torch.rand(1, 6, 32, 48)
    assert DISCRIMINATORS["unet"](width=4)(x).shape == (1, 1, 32, 48)
    assert DISCRIMINATORS["classic"](width=4)(x).shape == (1, 1, 1, 1)
    assert DISCRIMINATORS["patch"](width=4)(x).shape[2] > 1


@pytest.mark.parametrize("kind", KINDS)
def test_augmentation_is_a_function_of_its_seed_and_lets_the_gradient_through(kind: str) -> None:
    x, mask = torch.rand(2, 6, 32, 32, requires_grad=True), torch.ones(2, 1, 32, 32)
    one, moved = augment(x, mask, (kind,), seed=3)
    again, _ = augment(x, mask, (kind,), seed=3)
    other, _ = augment(x, mask, (kind,), seed=4)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.shape == x.shape
    assert moved.shape == mask.shape
    (slope,) = torch.autograd.grad(one.sum(), x)
    assert slope.abs().sum() > 0


def test_what_moves_a_picture_moves_its_mask() -> None:
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:14, 20:24] = 1
    pictures = mask.expand(1, 6, 32, 32)
    seen, moved = augment(pictures, mask, ("translation", "scale"), seed=5)
    assert torch.allclose(seen[:, :1], moved)
    assert not torch.equal(moved, mask)


def test_the_critic_learns_alone_first_and_its_weight_rises() -> None:
    adversary = Adversary(GAME, seed=1, device=torch.device("cpu"))
    assert [adversary.weight(step) for step in (0, 2, 3, 4, 9)] == pytest.approx([0, 0, 0.05, 0.1, 0.1])


def test_the_generator_gets_a_gradient_and_the_critic_none_from_the_generators_turn() -> None:
    adversary = Adversary(GAME, seed=1, device=torch.device("cpu"))
    damaged, real, mask = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    fake = torch.rand(2, 3, 32, 32, requires_grad=True)
    figures = adversary.turn(0, damaged, fake, real, mask)
    assert fake.grad is None
    assert 0 <= figures["critic_right"] <= 1
    before = [p.clone() for p in adversary.network.parameters()]
    (slope,) = torch.autograd.grad(adversary.verdict(0, damaged, fake, real, mask), fake)
    assert slope.abs().sum() > 0
    assert all(torch.equal(a, b) for a, b in zip(before, adversary.network.parameters(), strict=True))


@pytest.mark.parametrize("network", ["restorer", "classic"])
def test_fifty_steps_and_fifty_more_are_a_hundred_with_a_critic_too(
    network: str, tiny: Restore, photographs: list[Path], tmp_path: Path
) -> None:
    shape = {"width": 4, "levels": 2} if network == "classic" else tiny.architecture
    config = replace(
        tiny, network=network, architecture=shape, tone_steps=0, steps=100, save_every=50, adversary=GAME,
        target="clean" if network == "classic" else "toned", log_every=50,
    )  # fmt: skip
    straight = RestoreRun(config, photographs, tmp_path / "a", workers=0)
    straight.train()
    half = RestoreRun(config, photographs, tmp_path / "b", workers=0)
    save = half.save

    def save_and_stop() -> None:
        save()
        if half.step == 50:
            raise KeyboardInterrupt

    half.save = save_and_stop  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        half.train()
    rest = RestoreRun(config, photographs, tmp_path / "b", workers=0)
    rest.resume()
    assert rest.step == 50
    rest.train()
    assert straight.adversary is not None
    assert rest.adversary is not None
    for one, other in ((straight.network, rest.network), (straight.average.network, rest.average.network),
                       (straight.adversary.network, rest.adversary.network)):  # fmt: skip
        for (name, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
            assert torch.equal(a, b), name
    lines = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert {"critic", "critic_right", "verdict"} <= set(lines[-1])
