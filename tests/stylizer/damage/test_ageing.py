"""The damage simulator: seeded, bounded, honest about what it touched."""

from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from stylizer.damage import DEFAULT, Ranges, age

LOCAL = ("stain", "foxing", "scratches", "dust", "crease", "tear", "hole", "corner")
OTHER = ("grain", "halftone", "fade", "yellow", "uneven", "blur", "resample", "noise", "jpeg")


def _with(base: Ranges, /, **changes: Any) -> Ranges:
    return replace(base, **changes)


NOTHING = _with(DEFAULT, **dict.fromkeys(("identity", "grey", "toned", *OTHER, *LOCAL), 0.0))


def _clean(count: int = 4, side: int = 64) -> torch.Tensor:
    ramp = torch.linspace(0.1, 0.9, side)
    picture = torch.stack(
        [ramp.expand(side, side), ramp[:, None].expand(side, side), (1 - ramp).expand(side, side)]
    )
    return picture.expand(count, 3, side, side).clone()


def _seed(number: int) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def test_the_same_seed_ages_alike_and_another_does_not() -> None:
    first, again, other = (age(_clean(), _seed(seed)) for seed in (5, 5, 6))
    assert torch.equal(first.damaged, again.damaged)
    assert first.applied == again.applied
    assert not torch.equal(first.damaged, other.damaged)


def test_every_stage_stays_a_picture_and_keeps_its_shape() -> None:
    everything = _with(
        DEFAULT, identity=0.0, **dict.fromkeys((*LOCAL, "grain", "halftone", "jpeg", "blur"), 1.0)
    )
    aged = age(_clean(2, 72), _seed(1), ranges=everything)
    for picture in (aged.damaged, aged.toned, aged.clean):
        assert picture.shape == (2, 3, 72, 72)
        assert torch.isfinite(picture).all()
        assert picture.min() >= 0
        assert picture.max() <= 1
    assert set(LOCAL) <= set(aged.applied[0])


def test_with_every_chance_at_zero_nothing_changes() -> None:
    aged = age(_clean(), _seed(2), ranges=NOTHING)
    assert torch.equal(aged.damaged, _clean())
    assert torch.equal(aged.damaged, aged.toned)
    assert aged.mask.sum() == 0
    assert aged.applied == ((),) * 4


def test_about_one_picture_in_five_comes_back_untouched_and_many_with_one_kind_only() -> None:
    aged = age(_clean(300, 16), _seed(3))
    untouched = (aged.damaged == aged.clean).flatten(1).all(1).float().mean()
    assert 0.13 <= float(untouched) <= 0.27
    assert sum(len(names) == 1 for names in aged.applied) > 30


@pytest.mark.parametrize("kind", LOCAL)
def test_the_mask_covers_what_local_damage_changed(kind: str) -> None:
    aged = age(_clean(6, 96), _seed(4), ranges=_with(NOTHING, **{kind: 1.0}))
    change = (aged.damaged - aged.toned).abs().amax(1, keepdim=True)
    assert change.max() > 0.05
    assert aged.mask[change > 0.6 * change.max()].mean() > 0.4
    assert change[aged.mask < 0.01].max() < 0.06


def test_toned_is_the_clean_picture_in_the_aged_tone() -> None:
    aged = age(_clean(8), _seed(5), ranges=_with(NOTHING, fade=1.0, yellow=1.0))
    assert torch.allclose(aged.damaged, aged.toned)
    assert (aged.toned - aged.clean).abs().mean() > 0.02


def test_a_grey_print_stays_grey_where_nothing_coloured_was_laid_on_it() -> None:
    aged = age(_clean(), _seed(6), ranges=_with(NOTHING, grey=1.0, grain=1.0, scratches=0.0))
    assert (aged.clean.amax(1) - aged.clean.amin(1)).max() < 1e-6


def test_ranges_are_ordered_and_chances_are_chances() -> None:
    for item in fields(Ranges):
        value = getattr(DEFAULT, item.name)
        if isinstance(value, tuple):
            assert value[0] <= value[1], item.name
        else:
            assert 0 <= value <= 1, item.name
