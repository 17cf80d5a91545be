"""What a collection asks of those who judge in it: the nearest answer upwards holds."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.catalogue.models import Collection, Event
from archive.catalogue.services import agent_of, record
from archive.review.models import ReviewPolicy
from archive.review.standing import DecisionRefused

OwnOrders = ReviewPolicy.OwnOrders


@dataclass(frozen=True)
class Policy:
    """What holds in a collection: how many people have to approve, and whether one may approve one's own order."""

    approvals: int = 1
    own_orders: bool = True


def policy_of(collection: Collection) -> Policy:
    """What holds there, given there or inherited."""
    return policies([collection])[collection]


def policies(collections: list[Collection]) -> dict[Collection, Policy]:
    """What holds in each, in one query."""
    wanted = {ancestor for collection in collections for ancestor in collection.path}
    rows = {row.collection_id: row for row in ReviewPolicy.objects.filter(collection__in=wanted)}
    found = {}
    for collection in collections:
        policy = Policy()
        for ancestor in collection.path:  # from the root down: the nearest has the last word
            if row := rows.get(ancestor):
                policy = Policy(
                    row.approvals or policy.approvals,
                    policy.own_orders
                    if row.own_orders == OwnOrders.INHERIT
                    else row.own_orders == OwnOrders.ALLOWED,
                )
        found[collection] = policy
    return found


def own_orders_forbidden() -> Q:
    """Collections in which nobody approves what they ordered themselves."""
    stated = dict(
        ReviewPolicy.objects.exclude(own_orders=OwnOrders.INHERIT).values_list("collection", "own_orders")
    )
    if OwnOrders.FORBIDDEN not in stated.values():
        return Q(pk__in=[])
    paths = Collection.objects.filter(path__overlap=list(stated)).values_list("pk", "path")
    return Q(
        pk__in=[
            pk
            for pk, path in paths
            if next(stated[above] for above in reversed(path) if above in stated) == OwnOrders.FORBIDDEN
        ]
    )


@transaction.atomic
def set_policy(collection: Collection, *, approvals: int | None, own_orders: str, by: User) -> ReviewPolicy:
    """State what a collection asks for itself; None and "inherit" leave it to the one above.

    Raises:
        DecisionRefused: neither one nor two approvals, or no such choice about one's own orders.
    """
    if approvals not in {None, 1, 2} or own_orders not in OwnOrders.values:
        raise DecisionRefused(
            _("One or two people approve; one's own orders are inherited, allowed or forbidden.")
        )
    row, _made = ReviewPolicy.objects.update_or_create(
        collection=collection, defaults={"approvals": approvals, "own_orders": own_orders}
    )
    record(
        Event.Type.ACCESS_CHANGE,
        about=[("subject", collection)],
        by=agent_of(by),
        detail={"approvals": approvals, "own_orders": own_orders},
    )
    return row
