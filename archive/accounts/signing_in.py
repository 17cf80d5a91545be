"""Signing in, and a limit on guessing passwords.

Counted per name and sender: who guesses at somebody's password does not lock its owner out elsewhere. Counts live in
Redis; without it one signs in uncounted, since an archive must not close its doors with its queue.
"""

import hashlib
import logging
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

log = logging.getLogger(__name__)

TRIES = 10
PERIOD = 15 * 60  # seconds from the first wrong password until guesses are forgotten


class SignIn(AuthenticationForm):
    """As Django's; after TRIES wrong passwords even the right one has to wait."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("This name and password do not go together. Both are case-sensitive."),
        "guessed": _(
            "Too many wrong passwords. Wait a quarter of an hour, or ask an administrator for a link."
        ),
    }

    def clean(self) -> dict[str, Any]:
        name, sender = str(self.cleaned_data.get("username", "")), sender_of(self.request)
        key = "signing-in:" + hashlib.sha256(f"{name.casefold()}\0{sender}".encode()).hexdigest()
        if _guesses(key) >= TRIES:
            raise ValidationError(self.error_messages["guessed"], code="guessed")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            if _guessed(key) == TRIES:
                log.warning("%d wrong passwords for “%s” from %s", TRIES, name[:80], sender)
            raise
        _forget(key)
        return cleaned


def sender_of(request: HttpRequest | None) -> str:
    """The address a request comes from; behind the proxy the one it names (deploy/nginx.conf lets nobody else)."""
    if request is None:
        return ""
    said = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_HTTPS else ""
    return said or str(request.META.get("REMOTE_ADDR", ""))


def _guesses(key: str) -> int:
    try:
        return int(cache.get(key, 0))
    except redis.RedisError as error:
        log.warning("Passwords are guessed uncounted while Redis is away: %s", error)
        return 0


def _guessed(key: str) -> int:
    try:
        cache.add(key, 0, PERIOD)
        return int(cache.incr(key))
    except (redis.RedisError, ValueError):  # ValueError: forgotten between the two
        return 0


def _forget(key: str) -> None:
    try:
        cache.delete(key)
    except redis.RedisError:
        log.warning("Wrong passwords stay counted while Redis is away")
