"""Deciding about derivatives: every decision a row, the state changed only from the state it was seen in."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.catalogue.models import Event, Version
from archive.catalogue.search.indexing import refresh_facets
from archive.catalogue.services import agent_of, record
from archive.review import kin
from archive.review.models import Decision, Review
from archive.review.policy import Policy, policy_of
from archive.review.standing import DECISIONS, UNDO, DecisionRefused, Step, next_state, possible, standing

__all__ = [
    "DECISIONS",
    "DecisionRefused",
    "Outcome",
    "decide",
    "decide_many",
    "next_state",
    "possible",
    "publish",
    "undo",
]

S = Review.State


@dataclass(frozen=True)
class Outcome:
    """What became of one derivative: the decisions taken, in order, or a sentence that says why none was; and what
    there is to think of now."""

    version: Version
    decisions: tuple[Decision, ...] = ()
    sentence: str = ""
    remarks: tuple[str, ...] = ()


@transaction.atomic
def decide(version: Version, decision: str, *, by: User, note: str = "") -> Review:
    """Take a decision about a derivative; whether the person may is asked by the caller.

    Where two people have to approve, the first approval is kept and the derivative stays a draft.

    Raises:
        DecisionRefused: it does not follow from the present state, the version is an original, or the collection
            asks for somebody else (another person's approval, or an approval by who did not order it).
    """
    review, history = _locked(version)
    after = next_state(review.state, decision)
    approvers = standing(history).approvers
    if decision == "approve":
        policy = policy_of(version.scan.item.collection)
        _may_approve(version, policy, approvers=approvers, by=by)
        if len(approvers | {by.pk}) < policy.approvals:
            after = review.state
    _take(review, history, verb=decision, after=after, by=by, note=note)
    return review


def publish(version: Version, *, by: User, note: str = "") -> Review:
    """Publish; a draft is approved first, and stays one where somebody else has to approve it too.

    Raises:
        DecisionRefused: as `decide`.
    """
    with transaction.atomic():
        review, _history = _locked(version)
        if review.state == S.DRAFT:
            review = decide(version, "approve", by=by, note=note)
        if review.state == S.DRAFT:
            return review
        return decide(version, "publish", by=by, note=note)


def decide_many(versions: Iterable[Version], decision: str, *, by: User, note: str = "") -> list[Outcome]:
    """The same decision about each; what is refused for one leaves the others as decided."""
    found = []
    for version in versions:
        newest = (
            Decision.objects.filter(review=version.pk).order_by("-pk").values_list("pk", flat=True).first()
            or 0
        )
        try:
            if decision == "publish":
                publish(version, by=by, note=note)
            else:
                decide(version, decision, by=by, note=note)
        except DecisionRefused as refusal:
            found.append(Outcome(version, sentence=str(refusal)))
        else:
            taken = Decision.objects.filter(review=version.pk, pk__gt=newest, by=by).order_by("pk")
            found.append(Outcome(version, tuple(taken)))
    related = kin.of(one.version for one in found if not one.sentence)
    return [
        one if one.sentence else replace(one, remarks=tuple(related[one.version.pk].after(decision)))
        for one in found
    ]


@transaction.atomic
def undo(decision: Decision, *, by: User) -> Review:
    """Take back one's own last decision about a derivative; the history keeps both.

    Raises:
        DecisionRefused: somebody decided since, it was another person's decision, or it was final.
    """
    review, history = _locked(decision.review.version)
    standing_steps = standing(history).steps
    if not standing_steps or standing_steps[-1].id != decision.pk:
        raise DecisionRefused(_("Somebody has decided about it since, or it was undone already."))
    if decision.by_id != by.pk:
        raise DecisionRefused(_("It was somebody else's decision: only they can undo it."))
    if decision.after == S.WITHDRAWN:
        raise DecisionRefused(_("Withdrawing is final."))
    _take(review, history, verb=UNDO, after=decision.before, by=by, note="")
    return review


def _locked(version: Version) -> tuple[Review, list[Step]]:
    """The review, held until the end of the transaction, and its history."""
    review = Review.objects.select_for_update().filter(version=version.pk).first()
    if review is None:
        raise DecisionRefused(_("An original is not reviewed: it is the evidence."))
    rows = Decision.objects.filter(review=review).order_by("pk").values_list("pk", "verb", "by")
    return review, [Step(*row) for row in rows]


def _may_approve(version: Version, policy: Policy, *, approvers: frozenset[object], by: User) -> None:
    if not policy.own_orders and version.created_by_id == by.pk:
        raise DecisionRefused(
            _("You ordered this one yourself, and its collection asks that somebody else approves it.")
        )
    if by.pk in approvers:
        raise DecisionRefused(_("You have approved it already; its collection asks for a second person."))


def _take(review: Review, history: list[Step], *, verb: str, after: str, by: User, note: str) -> None:
    """One decision, its state and its event, all or nothing."""
    before, review.state = review.state, after
    row = Decision.objects.create(
        review=review, verb=verb, before=before, after=after, note=note[:500], by=by
    )
    review.approved_by = sorted(standing([*history, Step(row.pk, verb, by.pk)]).approvers)
    review.save()
    refresh_facets([review.version.scan.item_id])
    record(
        Event.Type.REVIEW,
        about=[("subject", review.version)],
        by=agent_of(by),
        detail={"decision": verb, "before": before, "after": after, "note": note[:500]},
    )
