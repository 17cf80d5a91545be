"""What votes on two sides say, and how surely. Numbers in, numbers out: no rows, no words, no Django.

Wilson's score interval: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209–212.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, sqrt

import numpy as np

Z95 = 1.959963984540054  # 95 % of a normal distribution lie within so many standard deviations
ROUNDS = 4000
SEED = 20_261_124  # the same votes give the same interval on every page
WILSON, BOOTSTRAP, WILSON_OF_SCANS = "wilson", "bootstrap", "wilson-of-scans"


@dataclass(frozen=True)
class Tally:
    """How one scan, or one person, or everybody voted: for A, for B, for neither."""

    a: int = 0
    b: int = 0
    ties: int = 0

    def __add__(self, more: "Tally") -> "Tally":
        return Tally(self.a + more.a, self.b + more.b, self.ties + more.ties)

    @property
    def decided(self) -> int:
        return self.a + self.b

    @property
    def all(self) -> int:
        return self.a + self.b + self.ties

    @property
    def lead(self) -> str:
        """The side with more votes; empty where they are level."""
        return "" if self.a == self.b else "a" if self.a > self.b else "b"


@dataclass(frozen=True)
class Interval:
    """Where the true share lies with 95 % confidence: 0 ≤ low ≤ high ≤ 1."""

    low: float
    high: float

    @property
    def turned(self) -> "Interval":
        """The same for the other side."""
        return Interval(1 - self.high, 1 - self.low)


@dataclass(frozen=True)
class Verdict:
    """What all votes together say. `share` is A's among decided votes, None where nothing was decided.

    `p` is of the two-sided sign test over scans (each counts for the side that got more votes on it): how often
    chance alone would part the scans as unevenly as this, or more so.
    """

    votes: Tally
    scans: Tally
    share: float | None
    interval: Interval
    method: str
    p: float


def verdict(scans: Sequence[Tally]) -> Verdict:
    """What votes, gathered by scan, say of the two sides.

    One vote a scan gives independent votes, and Wilson's interval. Several people's votes on the same scan are not
    independent: then whole scans are drawn again. Where all votes agree, drawing again would find no doubt at all;
    Wilson's interval with as many votes as there are scans is the honest one.
    """
    scans = [scan for scan in scans if scan.all]
    votes = sum(scans, Tally())
    leads = [scan.lead for scan in scans]
    by_scan = Tally(leads.count("a"), leads.count("b"), leads.count(""))
    share = votes.a / votes.decided if votes.decided else None
    decided = [scan for scan in scans if scan.decided]
    if all(scan.all == 1 for scan in scans):
        interval, method = wilson(votes.a, votes.decided), WILSON
    elif share in {None, 0, 1}:
        interval, method = wilson(len(decided) if share else 0, len(decided)), WILSON_OF_SCANS
    else:
        interval, method = bootstrap(decided), BOOTSTRAP
    return Verdict(votes, by_scan, share, interval, method, sign_test(by_scan.a, by_scan.b))


def wilson(wins: int, n: int, *, z: float = Z95) -> Interval:
    """Wilson's interval for a share of `wins` in `n` independent votes; everything from 0 to 1 where n is 0.

    Raises:
        ValueError: fewer than 0 wins, or more than n.
    """
    if not 0 <= wins <= n:
        raise ValueError(f"Expected 0 to {n} wins, got {wins}.")
    if n == 0:
        return Interval(0.0, 1.0)
    share, square = wins / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z * sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    # Rounding must not leave the ends that are exact: none of n is 0 at the least, all of n is 1 at the most.
    low = 0.0 if wins == 0 else max(0.0, middle - half)
    high = 1.0 if wins == n else min(1.0, middle + half)
    return Interval(low, high)


def bootstrap(scans: Sequence[Tally], *, rounds: int = ROUNDS, seed: int = SEED) -> Interval:
    """The middle 95 % of A's share when scans, each with all its decided votes, are drawn again with replacement.

    Raises:
        ValueError: there is no scan with a decided vote.
    """
    if not any(scan.decided for scan in scans):
        raise ValueError("Expected a scan with a decided vote, got none.")
    won = np.array([scan.a for scan in scans])  # (scans,)
    decided = np.array([scan.decided for scan in scans])
    drawn = np.random.default_rng(seed).integers(0, len(scans), size=(rounds, len(scans)))
    wins, all_ = won[drawn].sum(axis=1), decided[drawn].sum(axis=1)  # (rounds,)
    some = all_ > 0
    low, high = np.quantile(wins[some] / all_[some], [0.025, 0.975])
    return Interval(float(low), float(high))


def sign_test(wins: int, losses: int) -> float:
    """Two-sided p of an exact sign test: how likely a fair coin falls at least as unevenly. 1 where nothing fell.

    Raises:
        ValueError: a negative count.
    """
    if wins < 0 or losses < 0:
        raise ValueError(f"Expected counts, got {wins} and {losses}.")
    n, fewer = wins + losses, min(wins, losses)
    tail = sum(comb(n, k) for k in range(fewer + 1))  # whole numbers: exact for any n
    return min(1.0, float(Fraction(2 * tail, 2**n)))
