"""What lies under a style: areas flat and sharp, lines beside them, strokes out of the picture's own grain."""

import pytest
import torch
from torch import Tensor

from stylizer.models.laid import Laid
from stylizer.models.receptive import reach

EVERYTHING = {"radius": 4, "lined": 0.5, "strokes": 0.06, "breadth": 2.0, "length": 5, "bare": 0.9}


def two_areas(*, grain: float = 0.0, side: int = 48) -> Tensor:
    """Dark at the left, light at the right."""
    torch.manual_seed(1)
    picture = torch.full((1, 3, side, side), 0.25)
    picture[..., side // 2 :] = 0.75
    return picture + grain * torch.randn_like(picture)


def test_a_plain_picture_stays_as_it_is() -> None:
    plain = torch.full((1, 3, 32, 32), 0.6)
    assert torch.allclose(Laid(5)(plain), plain, atol=1e-6)
    assert torch.allclose(Laid(2, lined=0.5, strokes=0.1)(plain), plain, atol=1e-6)


@pytest.mark.parametrize("radius", [2, 4, 6])
def test_areas_become_flat_and_what_parts_them_stays_sharp(radius: int) -> None:
    noisy = two_areas(grain=0.02)
    made = Laid(radius)(noisy)
    assert made[..., 4:20].std() < 0.75 * noisy[..., 4:20].std()
    assert (made[..., 24] - made[..., 23]).mean() > 0.45


def test_a_line_lies_on_the_darker_side_alone() -> None:
    areas = two_areas()
    change = (Laid(4, lined=0.5)(areas) - Laid(4)(areas))[0, 0, 24]
    assert change[23] < -0.2
    assert change[24:].abs().max() < 1e-6
    assert change[:18].abs().max() < 1e-6


def test_strokes_come_out_of_grain_run_along_one_diagonal_and_leave_bare_paper_alone() -> None:
    grain = two_areas(grain=0.02)
    strokes = (Laid(2, strokes=0.1, bare=0.5)(grain) - Laid(2)(grain))[0, 0]
    dark = strokes[10:38, 8:18]
    along = (dark - strokes[11:39, 7:17]).abs().mean()  # a step down and to the left: the same stroke
    across = (dark - strokes[11:39, 9:19]).abs().mean()
    assert along < 0.6 * across
    assert strokes[:, 30:].abs().max() < 1e-6
    assert dark.std() > 0.02


def test_nothing_beyond_its_reach_is_seen_and_a_part_is_exactly_a_part_of_the_whole() -> None:
    laid = Laid(**EVERYTHING)  # type: ignore[arg-type]
    radius = reach(laid, side=32).radius
    whole = two_areas(grain=0.1, side=2 * radius + 24)
    inside = slice(radius, radius + 24)
    made = laid(whole)[:, :, inside, inside]
    other = torch.rand_like(whole)
    other[:, :, 0 : 2 * radius + 24, 0 : 2 * radius + 24] = whole
    other[:, :, 0], other[:, :, -1] = 1 - whole[:, :, 0], 1 - whole[:, :, -1]
    near = laid(other)[:, :, inside, inside]
    assert (near - made)[:, :, 1:-1].abs().max() < 1e-6
    large = torch.rand(1, 3, 4 * radius, 4 * radius)
    part = laid(large[:, :, 8:-8, 4:-12])[:, :, radius:-radius, radius:-radius]
    assert (laid(large)[:, :, 8:-8, 4:-12][:, :, radius:-radius, radius:-radius] - part).abs().max() < 1e-5
