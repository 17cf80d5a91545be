"""What votes say: Wilson's interval, the bootstrap over scans, the sign test; no database."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archive.review.trials.statistics import (
    BOOTSTRAP,
    WILSON,
    WILSON_OF_SCANS,
    Tally,
    bootstrap,
    sign_test,
    verdict,
    wilson,
)

counts = st.integers(0, 400)
tallies = st.builds(Tally, a=st.integers(0, 4), b=st.integers(0, 4), ties=st.integers(0, 2))


def turned(tally: Tally) -> Tally:
    return Tally(tally.b, tally.a, tally.ties)


# R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), 857–872,
# table I, method 3 (score without continuity correction).
@pytest.mark.parametrize(
    ("wins", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(wins: int, n: int, low: float, high: float) -> None:
    found = wilson(wins, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(counts, counts)
def test_wilsons_interval_holds_its_share_and_stays_within_0_and_1(wins: int, losses: int) -> None:
    found = wilson(wins, wins + losses)
    share = wins / (wins + losses) if wins + losses else 0.5
    assert 0 <= found.low <= share <= found.high <= 1


@given(counts, counts)
def test_wilsons_interval_of_the_other_side_is_its_mirror(wins: int, losses: int) -> None:
    one, other = wilson(wins, wins + losses), wilson(losses, wins + losses).turned
    assert [one.low, one.high] == pytest.approx([other.low, other.high])


@given(st.integers(0, 30), st.integers(0, 30), st.integers(2, 20))
def test_wilsons_interval_shrinks_with_more_votes_of_the_same_share(
    wins: int, losses: int, times: int
) -> None:
    assume(wins + losses)
    few, many = wilson(wins, wins + losses), wilson(times * wins, times * (wins + losses))
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(("wins", "n"), [(-1, 3), (4, 3), (1, 0)])
def test_more_wins_than_votes_are_refused(wins: int, n: int) -> None:
    with pytest.raises(ValueError, match="wins, got"):
        wilson(wins, n)


# 2 · P(X ≤ k) of a fair coin, by hand: (1 + 10) · 2 / 1024 and (1 + 5 + 10) · 2 / 32.
@pytest.mark.parametrize(
    ("wins", "losses", "p"), [(1, 9, 22 / 1024), (3, 2, 1.0), (0, 5, 2 / 32), (0, 0, 1.0)]
)
def test_the_sign_test_is_exact(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p)


@given(counts, counts)
def test_the_sign_test_knows_no_sides(wins: int, losses: int) -> None:
    assert sign_test(wins, losses) == sign_test(losses, wins)
    assert 0 < sign_test(wins, losses) <= 1


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_clearer_outcome_is_less_likely_by_chance(fewer: int, more: int) -> None:
    assume(fewer < more)
    assert sign_test(fewer, more + 1) < sign_test(fewer, more)


def test_a_sign_test_of_thousands_neither_overflows_nor_vanishes() -> None:
    assert sign_test(2_000, 2_000) == 1
    assert 0 <= sign_test(0, 5_000) < 1e-300


def test_counts_below_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected counts"):
        sign_test(-1, 2)


@given(st.lists(tallies, min_size=1, max_size=20))
def test_the_bootstrap_of_the_other_side_is_its_mirror(scans: list[Tally]) -> None:
    assume(any(scan.decided for scan in scans))
    one = bootstrap(scans, rounds=200)
    other = bootstrap([turned(scan) for scan in scans], rounds=200).turned
    assert [one.low, one.high] == pytest.approx([other.low, other.high])
    assert 0 <= one.low <= one.high <= 1


def test_the_bootstrap_shrinks_with_more_scans() -> None:
    few = [Tally(2, 1), Tally(1, 2), Tally(3, 0), Tally(2, 1)]
    widths = [one.high - one.low for one in (bootstrap(few), bootstrap(few * 4), bootstrap(few * 16))]
    assert widths == sorted(widths, reverse=True)
    # By four times as many scans the width halves, since it goes with the root.
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.15)


def test_the_bootstrap_of_one_vote_a_scan_is_about_wilsons() -> None:
    scans = [Tally(a=1)] * 70 + [Tally(b=1)] * 30
    drawn, known = bootstrap(scans), wilson(70, 100)
    assert [drawn.low, drawn.high] == pytest.approx([known.low, known.high], abs=0.02)


def test_the_bootstrap_of_nothing_decided_is_refused() -> None:
    with pytest.raises(ValueError, match="decided vote"):
        bootstrap([Tally(ties=3)])


@given(st.lists(tallies, max_size=20))
def test_a_verdict_of_the_other_side_is_its_mirror(scans: list[Tally]) -> None:
    one, other = verdict(scans), verdict([turned(scan) for scan in scans])
    assert one.method == other.method
    assert one.p == other.p
    assert (one.share is None) == (other.share is None)
    if one.share is not None and other.share is not None:
        assert one.share == pytest.approx(1 - other.share)
        assert one.interval.low == pytest.approx(1 - other.interval.high)
        assert 0 <= one.interval.low <= one.interval.high <= 1
        assert one.votes.all == one.votes.a + one.votes.b + one.votes.ties


def test_one_vote_a_scan_is_told_by_wilson_and_more_by_the_bootstrap() -> None:
    alone = verdict([Tally(a=1)] * 21 + [Tally(b=1)] * 9 + [Tally(ties=1)] * 2)
    assert (alone.method, alone.share) == (WILSON, 0.7)
    assert (round(alone.interval.low, 2), round(alone.interval.high, 2)) == (0.52, 0.83)
    together = verdict([Tally(2, 0), Tally(1, 1), Tally(0, 2), Tally(2, 0)])
    assert (together.method, together.share) == (BOOTSTRAP, 0.625)
    assert together.scans == Tally(2, 1, 1)


def test_people_who_all_agree_leave_a_doubt_nonetheless() -> None:
    found = verdict([Tally(a=3)] * 6)
    assert found.method == WILSON_OF_SCANS
    assert found.interval == wilson(6, 6)
    assert verdict([Tally(b=3)] * 6).interval == wilson(0, 6)


def test_nothing_judged_says_nothing() -> None:
    for scans in ([], [Tally()], [Tally(ties=1)], [Tally(ties=2)]):
        found = verdict(scans)
        assert (found.share, found.p) == (None, 1.0)
        assert (found.interval.low, found.interval.high) == (0, 1)
