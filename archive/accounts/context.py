"""What every page needs to know of the person looking at it: which rooms to offer."""

from typing import Any

from django.http import HttpRequest

from archive.accounts.models import Role
from archive.accounts.permissions import holdings


def rooms(request: HttpRequest) -> dict[str, Any]:
    """Template variables; one query for people signed in, none for others."""
    if not hasattr(request, "user"):
        return {}
    held = holdings(request.user)
    return {
        "works_here": bool(held.at_least(Role.ARCHIVIST)),
        "reviews_here": bool(held.at_least(Role.CURATOR)),
        "is_admin": held.is_admin,
        "viewing": getattr(request, "viewing", None),
    }
