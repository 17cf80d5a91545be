"""Changes of colour that are worked out rather than learnt."""

import torch

from stylizer.models import Stylist
from stylizer.models.colours import between, recoloured, spread_of, tone_of


def colours(seed: int, *, tint: tuple[float, float, float] = (1, 1, 1)) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    mixed = torch.rand(3, 3, generator=random) * 0.4 + torch.eye(3)
    return (mixed @ torch.rand(3, 4000, generator=random) * 0.3) * torch.tensor(tint)[:, None]


def test_colours_get_the_mean_and_spread_they_are_asked_for_and_none_is_inverted() -> None:
    mean, spread = spread_of(colours(1))
    goal_mean, goal = spread_of(colours(2, tint=(0.9, 0.6, 0.4)))
    matrix = between(spread, goal)
    numbers = torch.cat([matrix.flatten(), goal_mean - matrix @ mean]).float()[None]
    made = recoloured(colours(1).reshape(1, 3, 40, 100), numbers)[0].flatten(1)
    found_mean, found = spread_of(made)
    assert torch.allclose(found_mean, goal_mean, atol=1e-3)
    assert torch.allclose(found, goal, atol=1e-3)
    assert torch.linalg.eigvalsh(matrix).min() > 0


def test_a_picture_of_one_tone_takes_the_light_alone() -> None:
    grey = torch.rand(1, 4000, generator=torch.Generator().manual_seed(3)) * torch.tensor(
        [[1.0], [0.9], [0.7]]
    )
    _, goal = spread_of(grey)
    assert tone_of(goal) is not None
    assert tone_of(spread_of(colours(1))[1]) is None
    matrix = between(spread_of(colours(1))[1], goal)
    assert torch.linalg.matrix_rank(matrix, atol=1e-6) == 1


def test_a_network_that_matches_reads_a_pictures_colours_without_having_learnt_any() -> None:
    torch.manual_seed(1)
    network = Stylist(widths=(4, 6), blocks=1, code=4, encoder=3, matched=True).eval()
    picture = colours(2, tint=(0.9, 0.6, 0.4)).reshape(1, 3, 40, 100)
    with torch.no_grad():
        code = network.code_of(picture)
        network.head[0].weight.zero_()  # type: ignore[operator]
        usual = colours(1).reshape(1, 3, 40, 100)
        network.get_buffer("usual").copy_(torch.cat([part.flatten() for part in spread_of(colours(1))]))
        made = network(usual, network.code_of(picture))
    assert code.shape == (1, 16)
    assert torch.allclose(made.mean((0, 2, 3)), picture.mean((0, 2, 3)), atol=1e-3)
    assert not torch.allclose(code, network.code_of(1 - picture))
