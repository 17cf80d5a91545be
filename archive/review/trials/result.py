"""What a trial found, ready to be read: numbers from `statistics`, sentences, and the scans worth another look."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.accounts.models import User
from archive.review.trials import statistics
from archive.review.trials.models import Choice, Side, Trial, TrialPair, Vote
from archive.review.trials.queries import counted_votes, pairs_of
from archive.review.trials.statistics import Interval, Tally, Verdict

UNLIKELY = 0.05  # below this p, chance is not much of an explanation


@dataclass(frozen=True)
class SideResult:
    """One side: how it fared. `share` is None where no vote was decided."""

    letter: str
    wins: int
    ties: int
    share: float | None
    interval: Interval

    @property
    def percent(self) -> int | None:
        return None if self.share is None else round(100 * self.share)

    @property
    def low(self) -> int:
        return round(100 * self.interval.low)

    @property
    def high(self) -> int:
        return round(100 * self.interval.high)

    @property
    def width(self) -> int:
        """Of the interval as it is drawn."""
        return self.high - self.low


@dataclass(frozen=True)
class PersonResult:
    """How one person voted, and how often they chose what stood on the left."""

    person: User
    tally: Tally
    left: int
    finished: bool


@dataclass(frozen=True)
class Odd:
    """A scan on which people disagreed, or chose against the majority of all scans."""

    pair: TrialPair
    tally: Tally

    @property
    def is_split(self) -> bool:
        return bool(self.tally.a and self.tally.b)


@dataclass(frozen=True)
class Result:
    """All that a trial's page says."""

    verdict: Verdict
    sides: tuple[SideResult, SideResult]
    people: list[PersonResult]
    odd: list[Odd]
    sentence: str

    @property
    def scans(self) -> int:
        """Scans with at least one vote."""
        return self.verdict.scans.all

    @property
    def p(self) -> str:
        """The p of the sign test, as it is written."""
        return "< 0.001" if self.verdict.p < 0.001 else f"= {self.verdict.p:.3f}"


def result(trial: Trial) -> Result:
    """Gather a trial's counted votes by scan and by person; three queries."""
    votes = list(counted_votes(trial))
    by_pair: dict[int, Tally] = defaultdict(Tally)
    for vote in votes:
        by_pair[vote.pair_id] += counted(vote)
    verdict = statistics.verdict(list(by_pair.values()))
    people = _people(votes)
    a, b, ties = verdict.votes.a, verdict.votes.b, verdict.votes.ties
    turned = None if verdict.share is None else 1 - verdict.share
    return Result(
        verdict=verdict,
        sides=(
            SideResult(Side.A.label, a, ties, verdict.share, verdict.interval),
            SideResult(Side.B.label, b, ties, turned, verdict.interval.turned),
        ),
        people=people,
        odd=_odd(list(pairs_of(trial)), by_pair, verdict.votes.lead),
        sentence=sentence(verdict, people=len(people)),
    )


def counted(vote: Vote) -> Tally:
    """One vote as a tally of one."""
    return Tally(
        a=int(vote.choice == Choice.A),
        b=int(vote.choice == Choice.B),
        ties=int(vote.choice == Choice.NEITHER),
    )


def sentence(verdict: Verdict, *, people: int) -> str:
    """What came out, as one would say it."""
    votes, scans = verdict.votes, verdict.scans.all
    if not votes.all:
        return _("Nobody has judged yet.")
    if not votes.decided:
        return (
            ngettext(
                "Nobody saw a difference on the %d scan judged.",
                "Nobody saw a difference on any of the %d scans judged.",
                scans,
            )
            % scans
        )
    who = _("One person") if people == 1 else _("People")
    if not votes.lead:
        return _("%(who)s preferred A as often as B: %(n)d times each.") % {"who": who, "n": votes.a}
    lead = votes.a if votes.lead == "a" else votes.b
    interval = verdict.interval if votes.lead == "a" else verdict.interval.turned
    words = {
        "who": who,
        "side": votes.lead.upper(),
        "n": lead,
        "of": votes.decided,
        "scans": scans,
        "share": round(100 * lead / votes.decided),
        "low": round(100 * interval.low),
        "high": round(100 * interval.high),
        "chance": chance(verdict.p),
    }
    if people == 1:
        told = _("%(who)s preferred %(side)s in %(n)d of %(of)d scans") % words
    else:
        told = _("%(who)s preferred %(side)s in %(n)d of %(of)d votes on %(scans)d scans") % words
    return _("%(told)s, %(share)d %% (%(low)d–%(high)d %%); %(chance)s.") % {**words, "told": told}


def chance(p: float) -> str:
    """How a p is said."""
    return _("that is unlikely to be chance") if p < UNLIKELY else _("that may well be chance")


def _people(votes: Sequence[Vote]) -> list[PersonResult]:
    """In the order in which they began."""
    by_person: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_person[vote.sitting_id].append(vote)
    return [
        PersonResult(
            person=theirs[0].sitting.person,
            tally=sum(map(counted, theirs), Tally()),
            left=sum(vote.choice == vote.left for vote in theirs),
            finished=theirs[0].sitting.finished is not None,
        )
        for theirs in by_person.values()
    ]


def _odd(pairs: Sequence[TrialPair], tallies: dict[int, Tally], majority: str) -> list[Odd]:
    """First where people disagreed, then where a scan went against the rest."""
    found = [
        Odd(pair, tallies[pair.pk])
        for pair in pairs
        if pair.pk in tallies and _is_odd(tallies[pair.pk], majority)
    ]
    return sorted(found, key=lambda odd: not odd.is_split)


def _is_odd(tally: Tally, majority: str) -> bool:
    return bool(tally.a and tally.b) or bool(majority and tally.lead and tally.lead != majority)
