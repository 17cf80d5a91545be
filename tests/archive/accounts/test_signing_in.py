"""Signing in: wrong passwords are counted, and only where they come from."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from archive.accounts.models import User
from archive.accounts.signing_in import PERIOD, TRIES

pytestmark = pytest.mark.django_db
PASSWORD = "nine-lives-of-paper"


@pytest.fixture(autouse=True)
def _quick(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a good one takes its time


@pytest.fixture
def nea() -> User:
    return User.objects.create_user(f"nea-{uuid4().hex}", password=PASSWORD)


def tried(person: User, password: str, *, sender: str = "198.51.100.7", **more: Any) -> Any:
    form = {"username": person.username, "password": password}
    return Client(REMOTE_ADDR=sender).post("/accounts/login/", form, **more)


def test_after_ten_wrong_passwords_even_the_right_one_waits(nea: User) -> None:
    for _ in range(TRIES):
        assert "do not go together" in tried(nea, "wrong").content.decode()
    refused = tried(nea, PASSWORD)
    assert refused.status_code == 200
    assert "Too many wrong passwords" in refused.content.decode()
    assert "sessionid" not in refused.cookies


def test_who_guesses_does_not_lock_the_owner_out(nea: User) -> None:
    for _ in range(TRIES + 1):
        tried(nea, "wrong")
    assert tried(nea, PASSWORD, sender="203.0.113.9").status_code == 302


def test_guessing_at_one_name_says_nothing_of_another(nea: User) -> None:
    for _ in range(TRIES + 1):
        tried(nea, "wrong")
    other = User.objects.create_user(f"ned-{uuid4().hex}", password=PASSWORD)
    assert tried(other, PASSWORD).status_code == 302


def test_the_right_password_forgets_the_wrong_ones(nea: User) -> None:
    for _ in range(3):
        for _ in range(TRIES - 1):
            tried(nea, "wrong")
        assert tried(nea, PASSWORD).status_code == 302


def test_guesses_are_forgotten_after_a_while(nea: User, monkeypatch: pytest.MonkeyPatch) -> None:
    lasting = []
    monkeypatch.setattr(cache, "add", lambda key, value, timeout: lasting.append(timeout))
    tried(nea, "wrong")
    assert lasting == [PERIOD]


def test_behind_the_proxy_the_sender_is_the_one_it_names(nea: User, settings: Settings) -> None:
    settings.BEHIND_HTTPS = True
    for _ in range(TRIES + 1):
        tried(nea, "wrong", sender="10.0.0.1", headers={"x-forwarded-for": "198.51.100.7"})
    answer = tried(nea, PASSWORD, sender="10.0.0.1", headers={"x-forwarded-for": "203.0.113.9"})
    assert answer.status_code == 302


def test_without_redis_one_still_signs_in(nea: User, settings: Settings) -> None:
    gone = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": gone}
    assert "do not go together" in tried(nea, "wrong").content.decode()
    assert tried(nea, PASSWORD).status_code == 302


@pytest.mark.parametrize("form", [{}, {"username": "nea"}, {"username": "\0", "password": "x"}])
def test_half_a_form_is_told_so(form: dict[str, str]) -> None:
    answer = Client().post("/accounts/login/", form)
    assert (answer.status_code, b'role="alert"' in answer.content) == (200, True)
