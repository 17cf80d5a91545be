"""Judging: harm outside the damage is counted, the worst are named, differences have intervals, sets distances."""

import numpy as np
import pytest

from stylizer.evaluation import distances, measures, metrics, report
from stylizer.evaluation.protocol import Pair


def _flat(value: float, side: int = 32) -> metrics.Picture:
    return np.full((side, side, 3), value, np.float32)


def _scratched() -> Pair:
    damaged = _flat(0.5)
    damaged[:, 15:17] = 1.0
    return Pair("scratches", "a", damaged, _flat(0.5))


def test_a_repair_that_stays_inside_the_damage_changes_nothing_outside() -> None:
    pair = _scratched()
    assert measures.changed_outside(pair.target, pair) == 0
    spoilt = pair.target.copy()
    spoilt[:, :4] += 0.1
    assert measures.changed_outside(spoilt, pair) == pytest.approx(4 / 26)


def test_where_everything_is_damaged_there_is_no_outside() -> None:
    pair = Pair("fade", "a", _flat(0.3), _flat(0.5))
    assert np.isnan(measures.changed_outside(pair.target, pair))
    measured = report.evaluate([pair], {"copy": lambda picture: picture})
    assert measured.figures["fade"]["copy"]["outside"] == 0


def test_the_worst_pictures_are_named_and_sound_ones_left_out() -> None:
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(7):
        target = rng.random((16, 16, 3)).astype(np.float32)
        pairs.append(Pair("noise", f"n{number}", np.clip(target + 0.02, 0, 1).astype(np.float32), target))
    pairs.append(Pair("clean", "sound", pairs[0].target, pairs[0].target))

    def spoil(picture: metrics.Picture) -> metrics.Picture:
        same = any(np.array_equal(picture, pair.input) for pair in pairs[2:3])
        spoilt: metrics.Picture = np.clip(picture + (0.5 if same else 0.0), 0, 1).astype(np.float32)
        return spoilt

    measured = report.evaluate(pairs, {"spoil": spoil})
    worst = measured.worst("spoil")
    assert len(worst) == 5
    assert (worst[0].kind, worst[0].name) == ("noise", "n2")
    assert worst[0].gain < -10
    assert all(one.name != "sound" for one in worst)


def test_a_difference_of_two_methods_is_taken_picture_by_picture() -> None:
    pairs = [Pair("fade", str(n), _flat(0.4 + n / 100), _flat(0.6)) for n in range(8)]
    measured = report.evaluate(
        pairs,
        {"some": lambda x: (x + 0.05).astype(np.float32), "more": lambda x: (x + 0.1).astype(np.float32)},
    )
    mean, low, high = measured.difference("fade", "more", "some")
    assert 0 < low <= mean <= high
    row = measured.figures["fade"]["more"]
    assert row["gain_low"] <= row["gain"] <= row["gain_high"]


def test_distances_of_sets_grow_with_what_sets_them_apart() -> None:
    rng = np.random.default_rng(1)
    one, same = rng.standard_normal((400, 4)), rng.standard_normal((400, 4))
    shifted, wider = same + 2, same * 3
    assert distances.frechet(one, one) == pytest.approx(0, abs=1e-6)
    assert distances.frechet(one, same) < 0.2
    assert distances.frechet(one, shifted) == pytest.approx(16, rel=0.2)
    assert distances.frechet(one, wider) == pytest.approx(4 * (3 - 1) ** 2, rel=0.2)
    assert abs(distances.kernel(one, same)) < 0.1
    assert distances.kernel(one, shifted) > 1
    with pytest.raises(ValueError, match="got none"):
        distances.samples(None, [])  # type: ignore[arg-type]
