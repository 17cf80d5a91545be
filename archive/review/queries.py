"""What waits for whom: the queues of those who judge."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from archive.accounts.models import Role
from archive.accounts.permissions import Person, own_collections
from archive.catalogue.models import Collection, Version
from archive.catalogue.queries import tinted
from archive.review.kin import with_family
from archive.review.models import Decision, Review
from archive.review.policy import own_orders_forbidden

QUEUES = (Review.State.DRAFT, Review.State.APPROVED, Review.State.REJECTED)


@dataclass(frozen=True)
class Queue:
    """Which derivatives somebody goes through: of one state, perhaps in one collection and those below it."""

    state: str = Review.State.DRAFT
    within: Collection | None = None


def curated(person: Person) -> QuerySet[Collection]:
    """The collections in which the person judges."""
    return Collection.objects.filter(own_collections(person, Role.CURATOR))


def waiting_for(person: Person, queue: Queue = Queue()) -> QuerySet[Version]:
    """The queue, oldest first. Drafts that the person may not decide about (their own order where that is forbidden,
    or approved by them once already) wait for somebody else and are not in it."""
    return split(person, queue)[0]


def waiting_for_others(person: Person) -> QuerySet[Version]:
    """Drafts in the person's collections that only somebody else may decide about."""
    return split(person, Queue())[1]


def split(person: Person, queue: Queue) -> tuple[QuerySet[Version], QuerySet[Version]]:
    """What waits for the person, and what in their collections waits for somebody else; both oldest first."""
    found = Version.objects.filter(
        review__state=queue.state, scan__item__collection__in=curated(person)
    ).order_by("pk")
    if queue.within is not None:
        found = found.filter(scan__item__collection__path__contains=[queue.within.pk])
    if queue.state != Review.State.DRAFT or not person.is_authenticated:
        return found, found.none()
    forbidden = Collection.objects.filter(own_orders_forbidden())
    others = Q(review__approved_by__contains=[person.pk]) | Q(
        created_by=person.pk, scan__item__collection__in=forbidden
    )
    return found.exclude(others), found.filter(others)


def neighbours(person: Person, version: Version) -> tuple[UUID | None, UUID | None]:
    """The drafts before and after this version in the order of the queue."""
    drafts = waiting_for(person).values_list("pk", flat=True)
    return drafts.filter(pk__lt=version.pk).last(), drafts.filter(pk__gt=version.pk).first()


def shown(versions: QuerySet[Version]) -> QuerySet[Version]:
    """With all that a pair on the review page says, in a fixed number of queries."""
    decisions = Decision.objects.select_related("by").order_by("pk")
    return (
        with_family(tinted(versions))
        .select_related(
            "scan__item__collection", "review", "recipe", "created_by", "derived_from", "file", "reference"
        )
        .prefetch_related("sidecars", Prefetch("review__decisions", queryset=decisions))
    )


def part(queue: QuerySet[Version], *, after: UUID | None, before: UUID | None, most: int) -> list[Version]:
    """The next few after one, or the few before another, in the order of the queue."""
    if before is not None:
        return list(shown(queue.filter(pk__lt=before)).order_by("-pk")[:most])[::-1]
    return list(shown(queue.filter(pk__gt=after) if after else queue)[:most])
