"""Deciding about derivatives: every decision a row, the state changed only from the state it was seen in."""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from archive.accounts.models import Role, User
from archive.accounts.permissions import Person, own_collections
from archive.catalogue.models import Collection, Event, Version
from archive.catalogue.services import agent_of, record
from archive.review.models import Decision, Review

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


class DecisionRefused(Exception):
    """The decision does not follow from the state the derivative is in."""

    code = "review-refused"


def next_state(state: str, decision: str) -> str:
    """The state after the decision. Pure.

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


def drafts_for(person: Person) -> QuerySet[Version]:
    """Drafts that wait for a decision in the collections the person curates, oldest first."""
    own = Collection.objects.filter(own_collections(person, Role.CURATOR))
    return Version.objects.filter(review__state=S.DRAFT, scan__item__collection__in=own).order_by("pk")


def waiting(person: Person, version: Version) -> tuple[UUID | None, UUID | None]:
    """The drafts before and after this version in the order of the queue."""
    drafts = drafts_for(person).values_list("pk", flat=True)
    return drafts.filter(pk__lt=version.pk).last(), drafts.filter(pk__gt=version.pk).first()


def possible(state: str) -> list[str]:
    """The decisions that can be taken in a state."""
    return [decision for before, decision in MOVES if before == state]


@transaction.atomic
def decide(version: Version, decision: str, *, by: User, note: str = "") -> Review:
    """Take a decision about a derivative; whether the person may is asked by the caller.

    Raises:
        DecisionRefused: it does not follow from the present state, or the version is an original.
    """
    review = Review.objects.select_for_update().filter(version=version).first()
    if review is None:
        raise DecisionRefused(_("An original is not reviewed: it is the evidence."))
    before, review.state = review.state, next_state(review.state, decision)
    review.save()
    Decision.objects.create(review=review, before=before, after=review.state, note=note[:500], by=by)
    record(
        Event.Type.REVIEW,
        about=[("subject", version)],
        by=agent_of(by),
        detail={"before": before, "after": review.state, "note": note[:500]},
    )
    return review
