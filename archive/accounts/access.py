"""Who can do what in a collection, asked of the same functions that every page asks."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from archive.accounts import permissions
from archive.accounts.models import Membership, Role, User
from archive.accounts.permissions import RANK, Person
from archive.catalogue.models import Collection, Item

QUESTIONS = ("see", "drafts", "describe", "order", "review", "administer")


@dataclass(frozen=True)
class Line:
    """One person in the table: the roles that were given where, and the answers to `QUESTIONS`, in order."""

    person: Person
    roles: list[Membership]
    answers: list[bool]

    @property
    def is_visitor(self) -> bool:
        return isinstance(self.person, AnonymousUser)


def table(collection: Collection) -> list[Line]:
    """Everybody as one line, then those who hold a role here, above, or in the whole archive; highest first."""
    held: dict[User, list[Membership]] = {}
    rows = Membership.objects.filter(Q(collection=None) | Q(collection__in=collection.path))
    for row in rows.select_related("user", "collection").order_by("user__username"):
        held.setdefault(row.user, []).append(row)
    people = [Line(person, roles, answers(person, collection)) for person, roles in held.items()]
    people.sort(key=lambda line: (-max(RANK[Role(row.role)] for row in line.roles), str(line.person)))
    visitor = AnonymousUser()
    return [Line(visitor, [], answers(visitor, collection)), *people]


def answers(person: Person, collection: Collection) -> list[bool]:
    """What a person may do in a collection, in the order of `QUESTIONS`."""
    works = permissions.may_describe(person, collection)
    return [
        permissions.may_see_collection(person, collection),
        works,
        works,
        permissions.may_order(person, [collection], 1, limit=1),
        permissions.may_review(person, collection),
        permissions.may_administer_collection(person, collection),
    ]


def withheld(collection: Collection) -> int:
    """How many items of the collection and below it are sensitive: kept from everybody who does not work there."""
    return Item.objects.filter(collection__path__contains=[collection.pk], sensitive=True).count()
