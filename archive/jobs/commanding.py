"""What the commands about jobs read alike: in whose name, and within which hours."""

import datetime

from django.core.management.base import CommandError

from archive.accounts.models import Membership, Role, User


def user_of(name: str | None) -> User:
    """The person a command works for: the one it names, or an administrator."""
    if name:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name!r}.")
        return user
    admin = Membership.objects.filter(role=Role.ADMIN, user__is_active=True).order_by("pk").first()
    if admin is None:
        raise CommandError("There is no administrator yet. Make one, or name a user with --user.")
    return admin.user


def hours_of(text: str | None) -> tuple[datetime.time, datetime.time] | None:
    """`22:00-06:00` as two times of day."""
    if text is None:
        return None
    try:
        start, end = (datetime.time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError as error:
        raise CommandError(f"--hours: expected something like 22:00-06:00, got {text!r}") from error
    return start, end
