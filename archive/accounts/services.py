"""Accounts and roles: who, by whom, where; each change an event, since it changes who may see what."""

from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from knox.models import AuthToken

from archive.accounts.models import Membership, Role, User
from archive.catalogue.models import Collection, Event
from archive.catalogue.services import agent_of, record


class RoleProblem(Exception):
    """A role that cannot be given or taken, with a sentence that says why."""

    code = "role"


class AccountProblem(Exception):
    """An account that cannot be made or changed so, with a sentence that says why."""

    code = "account"


@transaction.atomic
def add_person(username: str, *, name: str = "", email: str = "", by: User) -> User:
    """An account without a password: `invitation` lets its owner choose one.

    Raises:
        AccountProblem: a name that is taken or cannot be one, an address that is none.
    """
    person = User(username=User.normalize_username(username.strip()))
    person.set_unusable_password()
    _describe(person, name=name, email=email)
    person.save(force_insert=True)
    _tell(person, None, by=by, detail={"account": "made"})
    return person


@transaction.atomic
def change_person(person: User, *, name: str, email: str, by: User) -> None:
    """What the person is called and written to. Raises AccountProblem: an address that is none."""
    _describe(person, name=name, email=email)
    person.save(update_fields=["display_name", "email"])
    _tell(person, None, by=by, detail={"account": "changed"})


@transaction.atomic
def let_in(person: User, *, active: bool, by: User) -> None:
    """Close an account or open it again. What the person did stays theirs.

    Closing ends password, sessions, keys and open invitations for good: who comes back is invited anew.

    Raises:
        RoleProblem: it is the last admin's.
    """
    if not active:
        _keep_an_admin(person, None, becomes=None)
    person.is_active = active
    if not active:
        person.set_unusable_password()  # sessions and invitations are bound to it
        AuthToken.objects.filter(user=person).delete()
    person.save(update_fields=["is_active", "password"])
    _tell(person, None, by=by, detail={"account": "opened" if active else "closed"})


def invitation(person: User, *, by: User) -> str:
    """A path that lets whoever has it choose the person's password, once, within PASSWORD_RESET_TIMEOUT."""
    _tell(person, None, by=by, detail={"account": "invited"})
    whom = urlsafe_base64_encode(force_bytes(person.pk))
    return reverse("accounts:choose-password", args=[whom, default_token_generator.make_token(person)])


def note_password(person: User) -> None:
    """The person has chosen a password: by an invitation, or another one."""
    _tell(person, None, by=person, detail={"account": "password chosen"})


def _describe(person: User, *, name: str, email: str) -> None:
    person.display_name, person.email = name.strip(), User.objects.normalize_email(email.strip())
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as problem:
        raise AccountProblem(" ".join(problem.messages)) from problem


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
