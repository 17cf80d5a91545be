"""How a derivative stands, from the decisions taken about it. Pure: touches no row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from archive.catalogue.models import Version
from archive.review.models import Review

S = Review.State

MOVES: Final[dict[tuple[str, str], str]] = {
    (S.DRAFT, "approve"): S.APPROVED,
    (S.DRAFT, "reject"): S.REJECTED,
    (S.APPROVED, "publish"): S.PUBLISHED,
    (S.APPROVED, "reopen"): S.DRAFT,
    (S.REJECTED, "reopen"): S.DRAFT,
    (S.PUBLISHED, "unpublish"): S.APPROVED,
    **{(state, "withdraw"): S.WITHDRAWN for state in (S.DRAFT, S.APPROVED, S.REJECTED, S.PUBLISHED)},
}
DECISIONS: Final = tuple(dict.fromkeys(decision for _state, decision in MOVES))
UNDO: Final = "undo"
# Decisions that keep what was approved before them; all others begin anew.
KEEPING: Final = {"publish", "unpublish"}


class DecisionRefused(Exception):
    """The decision does not follow from the state the derivative is in, or is not this person's to take."""

    code = "review-refused"


@dataclass(frozen=True)
class Step:
    """One decision as far as the standing goes. `id` is the row's."""

    id: int
    verb: str
    by: UUID


@dataclass(frozen=True)
class Standing:
    """What the decisions amount to: those not undone, in order, and who has approved since the last new beginning."""

    steps: tuple[Step, ...]
    approvers: frozenset[UUID]


def standing(history: Iterable[Step]) -> Standing:
    """Fold a history, oldest first; an undo takes away the last decision that still stands."""
    steps: list[Step] = []
    approvers: list[frozenset[UUID]] = [frozenset()]
    for step in history:
        if step.verb == UNDO:
            if steps:
                steps.pop()
                approvers.pop()
        else:
            steps.append(step)
            approvers.append(_after(approvers[-1], step))
    return Standing(tuple(steps), approvers[-1])


def _after(approvers: frozenset[UUID], step: Step) -> frozenset[UUID]:
    if step.verb == "approve":
        return approvers | {step.by}
    return approvers if step.verb in KEEPING else frozenset()


def next_state(state: str, decision: str) -> str:
    """The state after the decision, where one approval is enough. Pure.

    Raises:
        DecisionRefused: it does not follow; withdrawn is final.
    """
    try:
        return str(MOVES[(state, decision)])
    except KeyError as error:
        raise DecisionRefused(
            _("“%(decision)s” is not possible for a derivative that is %(state)s.")
            % {"decision": decision, "state": Review.State(state).label}
        ) from error


def possible(state: str) -> list[str]:
    """The decisions that can be taken in a state."""
    return [decision for before, decision in MOVES if before == state]


# Where a derivative departs so far from its source that a curator has to look twice. Set on restorations of real
# scans: the ordinary ones stay clear of all three, those whose tone or structure was remade do not.
MOST_CHANGED, LEAST_PSNR, LEAST_SSIM = 0.5, 25.0, 0.9
# What is asked to change everywhere is warned of only where it loses the scene: colour moves no shapes, a style does.
LEAST_SSIM_OF = {Version.Role.COLOURISED: LEAST_SSIM, Version.Role.STYLISED: 0.45}


def warnings(report: dict[str, Any], *, role: str = Version.Role.RESTORED) -> list[str]:
    """What to look at twice, in words, from the engine's report; nothing where the report says nothing, or only
    what was asked for."""
    found = []
    share, psnr, ssim = (report.get(name) for name in ("changed_share", "psnr", "ssim"))
    asked = LEAST_SSIM_OF.get(Version.Role(role))
    least = LEAST_SSIM if asked is None else asked
    if asked is None and isinstance(share, int | float) and share > MOST_CHANGED:
        found.append(_("%d %% of the picture was visibly changed.") % round(share * 100))
    if asked is None and isinstance(psnr, int | float) and psnr < LEAST_PSNR:
        found.append(_("Tone or colour moved far from the scan (%.1f dB).") % psnr)
    if isinstance(ssim, int | float) and ssim < least:
        found.append(_("Shapes and texture differ from the scan (similarity %.2f of 1).") % ssim)
    return found
