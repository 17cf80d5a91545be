"""The damage simulator: seeded, bounded, honest about what it touched."""

from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from stylizer.damage import DEFAULT, Ranges, age, ageing, handling, scanning, statistics
from stylizer.damage.draw import Draw, widen
from stylizer.damage.draw import blur as draw_blur
from stylizer.damage.pipeline import STAGES, stages
from stylizer.damage.sheet import contact_sheet

LOCAL = ("stain", "foxing", "silvering", "scratches", "dust", "crease", "tear", "hole", "corner")
OTHER = (
    "grain",
    "halftone",
    "fade",
    "yellow",
    "uneven",
    "blur",
    "defocus",
    "motion",
    "resample",
    "noise",
    "jpeg",
)


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


def test_a_bright_scratch_shows_the_paper_from_white_to_cream() -> None:
    dark = torch.full((8, 3, 96, 96), 0.2)
    bright = _with(DEFAULT, scratch_bright=1.0, scratch_count=(6, 6), scratch_alpha=(1.0, 1.0))
    scratched, cover = handling.scratches(dark, Draw(_seed(12)), bright)
    inside = scratched.permute(0, 2, 3, 1)[cover[:, 0] > 0.95]  # (pixels, 3)
    red, green, blue = inside.unbind(1)
    assert (red > 0.55).all()
    assert ((red >= green) & (green >= blue)).all()
    assert (red - blue).max() > 0.05  # some are cream,
    assert (red - blue).min() < 0.02  # some all but white


def test_a_speck_of_dust_has_no_corners() -> None:
    point = torch.zeros(9, 9)
    point[4, 4] = 1
    assert torch.equal(widen(point, 1), point)
    for size, pixels in ((3, 5), (5, 21)):
        wide = widen(point, size)
        assert int(wide.sum()) == pixels
        assert wide[4 - size // 2, 4 - size // 2] == 0


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


def test_a_single_kind_is_the_only_one_laid_on_and_every_kind_comes_up_alone() -> None:
    alone = _with(DEFAULT, identity=0.0, few=0.0, single=1.0, smear=0.2)
    aged = age(_clean(160, 32), _seed(3), ranges=alone)
    assert all(len(names) <= 1 for names in aged.applied)
    # Tone leaves no name: it is in `toned` too.
    assert {names[0] for names in aged.applied if names} == set(STAGES) - {"tone"}


def test_without_smears_there_are_none_and_the_dice_fall_as_they_fell() -> None:
    aged = age(_clean(160, 32), _seed(3), ranges=_with(DEFAULT, identity=0.0, few=0.0, single=1.0))
    assert {names[0] for names in aged.applied if names} == set(STAGES) - {"tone", "smear"}
    assert stages(DEFAULT) == tuple(name for name in STAGES if name != "smear")


def test_a_smear_is_faint_and_leaves_what_it_does_not_cover() -> None:
    grey = torch.full((8, 3, 96, 96), 0.5)
    changed, cover = handling.smear(grey, Draw(_seed(2)), _with(DEFAULT, smear_amount=(0.05, 0.2)))
    change = (changed - grey).abs().amax(1, keepdim=True)
    assert 0.005 < change.amax() <= 0.4
    assert change[cover < 1e-4].max() < 1e-4
    assert (cover < 0.05).float().mean() > 0.1


def test_silvering_lightens_dark_borders_and_leaves_the_middle() -> None:
    dark = torch.full((1, 3, 96, 96), 0.1)
    changed, cover = ageing.silvering(dark, Draw(_seed(1)), DEFAULT)
    assert changed[..., :4].mean() > 0.15
    assert torch.allclose(changed[..., 44:52, 44:52], dark[..., 44:52, 44:52], atol=0.01)
    assert cover[..., :4].mean() > cover[..., 44:52, 44:52].mean()
    light, _ = ageing.silvering(torch.full((1, 3, 96, 96), 0.9), Draw(_seed(1)), DEFAULT)
    assert (light - 0.9).abs().max() < 1e-6


@pytest.mark.parametrize("stage", [scanning.defocus, scanning.shake])
def test_blur_of_a_lens_and_of_a_hand_keeps_the_light_and_spreads_a_point(stage: Any) -> None:
    point = torch.zeros(2, 3, 33, 33)
    point[:, :, 16, 16] = 1
    spread = stage(point, Draw(_seed(2)), DEFAULT)
    assert torch.allclose(spread.sum((2, 3)), torch.ones(2, 3), atol=1e-4)
    assert (spread.amax((2, 3)) < 0.9).all()
    assert torch.allclose(
        stage(torch.full_like(point, 0.4), Draw(_seed(2)), DEFAULT), torch.full_like(point, 0.4)
    )


def test_the_figures_of_grain_and_paper_follow_what_was_put_there() -> None:
    torch.manual_seed(0)
    paper = torch.full((3, 96, 96), 0.6) + torch.tensor([0.1, 0.0, -0.1])[:, None, None]
    noise = torch.randn(1, 96, 96)
    faint, strong = (statistics.look((paper + amount * noise).clamp(0, 1)) for amount in (0.01, 0.05))
    assert strong.grain > 3 * faint.grain
    assert strong.warmth == pytest.approx(0.2, abs=0.02)
    soft = draw_blur(noise[None], torch.tensor([1.0]))[0]
    coarse = statistics.look((paper + 0.05 * soft / soft.std()).clamp(0, 1))
    assert coarse.fineness > strong.fineness + 0.2
    with pytest.raises(ValueError, match="got none"):
        statistics.quartiles([])


def test_the_contact_sheet_mixes_both_and_keeps_the_key() -> None:
    simulated, real = torch.zeros(3, 3, 16, 16), torch.ones(2, 3, 16, 16)
    sheet, key = contact_sheet(simulated, real, columns=3, seed=1)
    assert sheet.size == (48, 32)
    letters = key.replace("\n", "")
    assert (letters.count("S"), letters.count("R")) == (3, 2)
    for place, letter in enumerate(letters):
        value = sheet.getpixel((place % 3 * 16 + 8, place // 3 * 16 + 8))
        assert value == ((0, 0, 0) if letter == "S" else (255, 255, 255))
