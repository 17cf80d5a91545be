"""Giving and taking roles: who, by whom, where; each an event, since it changes who may see what."""

from django.db import transaction
from django.utils.translation import gettext as _

from archive.accounts.models import Membership, Role, User
from archive.catalogue.models import Collection, Event
from archive.catalogue.services import agent_of, record


class RoleProblem(Exception):
    """A role that cannot be given or taken, with a sentence that says why."""

    code = "role"


@transaction.atomic
def give_role(person: User, role: str, *, collection: Collection | None, by: User) -> Membership:
    """Give a role in a collection and below it, or, without one, in the whole archive; it replaces the one held there.

    Raises:
        RoleProblem: no such role, or an admin of less than the whole archive.
    """
    if role not in Role.values:
        raise RoleProblem(_("There is no role “%s”.") % role[:40])
    if role == Role.ADMIN and collection is not None:
        raise RoleProblem(_("An admin is admin of the whole archive, not of one collection."))
    _keep_an_admin(person, collection, becomes=role)
    row, _made = Membership.objects.update_or_create(
        user=person, collection=collection, defaults={"role": role}
    )
    _tell(person, collection, by=by, detail={"given": role})
    return row


@transaction.atomic
def take_role(row: Membership, *, by: User) -> None:
    """Take a role away.

    Raises:
        RoleProblem: it is the last admin's.
    """
    _keep_an_admin(row.user, row.collection, becomes=None)
    person, collection, role = row.user, row.collection, row.role
    row.delete()
    _tell(person, collection, by=by, detail={"taken": role})


def _keep_an_admin(person: User, collection: Collection | None, *, becomes: str | None) -> None:
    admins = Membership.objects.select_for_update().filter(role=Role.ADMIN, user__is_active=True)
    held = {row.user_id for row in admins}
    if collection is None and becomes != Role.ADMIN and held == {person.pk}:
        raise RoleProblem(_("%s is the last admin. Make somebody else one first.") % person)


def _tell(person: User, collection: Collection | None, *, by: User, detail: dict[str, str]) -> None:
    record(
        Event.Type.ACCESS_CHANGE,
        about=[("subject", collection)] if collection else [],
        by=agent_of(by),
        detail=detail | {"person": str(person.pk)},
    )
