"""Seeing the archive as somebody else sees it: for admins, to look and never to act.

The session keeps whom; each request is then answered as that person's would be. Nothing can be changed meanwhile, so
that no history ever names somebody who did not do it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from archive.accounts.models import User
from archive.accounts.permissions import Person, is_admin

KEY = "view_as"
VISITOR = "visitor"


@dataclass(frozen=True)
class Viewing:
    """As whom, and who it really is."""

    admin: User
    person: Person


def begin(request: HttpRequest, whom: User | None) -> None:
    """See as a person, or without one as a visitor. A new session key: nothing remembered for the admin is served."""
    request.session[KEY] = str(whom.pk) if whom else VISITOR
    request.session.cycle_key()


def stop(request: HttpRequest) -> None:
    request.session.pop(KEY, None)
    request.session.cycle_key()


class ViewAs:
    """The middleware: after authentication, before everything that asks who is there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        whom = request.session.get(KEY) if KEY in request.session else None
        if whom is None or not isinstance(request.user, User) or not is_admin(request.user):
            return self.get_response(request)
        if request.path in {reverse("accounts:view-as-stop"), reverse("accounts:logout")}:
            return self.get_response(request)
        person = _person(whom)
        request.viewing = Viewing(request.user, person)  # type: ignore[attr-defined]
        request.user = person
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            return render(request, "accounts/only_looking.html", status=403)
        return self.get_response(request)


def _person(whom: str) -> Person:
    """The person, as far as there still is one; a visitor otherwise, who may see least."""
    if whom == VISITOR:
        return AnonymousUser()
    return User.objects.filter(pk=UUID(whom), is_active=True).first() or AnonymousUser()
