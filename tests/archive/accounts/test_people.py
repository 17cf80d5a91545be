"""Accounts: the first admin of an empty archive, everybody after, and that nobody locks the door from inside."""

import re
from html import unescape

import pytest
from django.core.management import call_command
from django.test import Client
from knox.models import AuthToken
from pytest_django import Settings

from archive.accounts import permissions
from archive.accounts.models import Membership, Role, User
from archive.accounts.services import RoleProblem, add_person, invitation, let_in
from archive.catalogue.models import Collection, Event

pytestmark = pytest.mark.django_db
LINK = re.compile(r"http://archive\.example(/accounts/password/[^\"]+)")
HOST = {"host": "archive.example"}


@pytest.fixture(autouse=True)
def _at(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["archive.example", "testserver"]


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def link_in(page: str) -> str:
    found = LINK.search(unescape(page))
    assert found, page
    return found[1]


def chosen(client: Client, link: str, password: str) -> None:
    step = client.get(link)
    assert step.status_code == 302  # the token goes out of the address
    answer = client.post(step["Location"], {"new_password1": password, "new_password2": password})
    assert answer.status_code == 302, answer.content.decode()


def test_the_first_admin_of_an_empty_archive_is_made_by_createsuperuser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a-good-long-one")
    call_command("createsuperuser", "--noinput", username="first", email="first@example.org", verbosity=0)
    first = User.objects.get(username="first")
    assert permissions.is_admin(first)
    assert signed_in(first).get("/accounts/people/").status_code == 200


def test_an_admin_adds_somebody_who_chooses_a_password_and_works(odo: User, portraits: Collection) -> None:
    form = {"username": "new", "name": "Nea", "email": "nea@example.org", "role": ""}
    page = signed_in(odo).post("/accounts/people/", form, headers=HOST).content.decode()
    nea = User.objects.get(username="new")
    assert not nea.has_usable_password()
    signed_in(odo).post(
        f"/accounts/people/{nea.pk}/", {"what": "give", "role": "archivist", "collection": portraits.ref}
    )
    hers = Client()
    chosen(hers, link_in(page), "nine-lives-of-paper")
    assert hers.get("/upload/").status_code == 200  # signed in already
    assert Client().login(username="new", password="nine-lives-of-paper")
    assert Membership.objects.get(user=nea).collection == portraits
    told = Event.objects.filter(detail__person=str(nea.pk)).order_by("pk")
    happened = [event.detail.get("account") or event.detail["given"] for event in told]
    assert happened == ["made", "invited", "archivist", "password chosen"]


def test_an_invitation_is_good_once(odo: User) -> None:
    nea = add_person("new", by=odo)
    link = invitation(nea, by=odo)
    chosen(Client(), link, "nine-lives-of-paper")
    again = Client().get(link)
    assert "has been used" in again.content.decode()


@pytest.mark.parametrize(
    ("username", "email", "sentence"),
    [
        ("ada", "", "already exists"),
        ("two words", "", "valid username"),
        ("", "", "blank"),
        ("new", "nowhere", "valid email"),
    ],
)
def test_a_name_or_address_that_cannot_be_is_refused_and_stays_in_the_form(
    odo: User, ada: User, username: str, email: str, sentence: str
) -> None:
    ada.username, before = "ada", User.objects.count()
    ada.save()
    form = {"username": username, "name": "Nea", "email": email, "role": ""}
    page = signed_in(odo).post("/accounts/people/", form).content.decode()
    assert sentence in page
    assert 'value="Nea"' in page
    assert User.objects.count() == before


def test_a_closed_account_signs_nobody_in_and_its_sessions_end(odo: User, ada: User) -> None:
    hers = signed_in(ada)
    assert hers.get("/upload/").status_code == 200
    signed_in(odo).post(f"/accounts/people/{ada.pk}/", {"what": "close"})
    assert hers.get("/upload/").status_code == 302
    page = (
        signed_in(odo).post(f"/accounts/people/{ada.pk}/", {"what": "invite"}, follow=True).content.decode()
    )
    assert "/accounts/password/" not in page
    signed_in(odo).post(f"/accounts/people/{ada.pk}/", {"what": "open"})
    ada.refresh_from_db()
    assert signed_in(ada).get("/upload/").status_code == 200
    assert hers.get("/upload/").status_code == 302  # the stolen laptop stays out


def test_a_closed_account_has_no_keys_and_no_links_left(odo: User, ada: User) -> None:
    AuthToken.objects.create(ada)
    link = invitation(ada, by=odo)
    let_in(ada, active=False, by=odo)
    assert not AuthToken.objects.filter(user=ada).exists()
    assert "has been used" in Client().get(link).content.decode()
    let_in(ada, active=True, by=odo)
    assert "has been used" in Client().get(link).content.decode()
    fresh = invitation(ada, by=odo)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert "has been used" in Client().get(fresh).content.decode()


def test_a_role_that_is_refused_leaves_no_half_made_account(odo: User) -> None:
    form = {"username": "new", "name": "", "email": "", "role": "emperor"}
    assert "There is no role" in signed_in(odo).post("/accounts/people/", form).content.decode()
    assert not User.objects.filter(username="new").exists()


def test_what_the_database_does_not_hold_is_no_error(odo: User, ada: User) -> None:
    his = signed_in(odo)
    assert his.get("/accounts/people/", {"q": "a\0da"}).status_code == 200
    assert his.post("/accounts/people/", {"username": "a\0", "name": "b\0", "email": ""}).status_code == 200
    give = {"what": "give", "role": "reader", "collection": "x\0"}
    assert his.post(f"/accounts/people/{ada.pk}/", give).status_code == 302


def test_the_old_address_of_the_administration_leads_to_people(odo: User, ada: User) -> None:
    assert signed_in(odo).get("/admin/", follow=True).redirect_chain[-1][0] == "/accounts/people/"
    assert signed_in(ada).get("/admin/", follow=True).status_code == 404
    assert Client().post("/admin/login/", {"username": "odo", "password": "x"}).status_code == 404


def test_the_last_admin_cannot_lock_everybody_out(odo: User) -> None:
    with pytest.raises(RoleProblem, match="last admin"):
        let_in(odo, active=False, by=odo)
    page = signed_in(odo).post(f"/accounts/people/{odo.pk}/", {"what": "close"}, follow=True).content.decode()
    assert "last admin" in page
    odo.refresh_from_db()
    assert odo.is_active


def test_an_unknown_collection_is_named(odo: User, ada: User) -> None:
    form = {"what": "give", "role": "curator", "collection": "nowhere"}
    page = signed_in(odo).post(f"/accounts/people/{ada.pk}/", form, follow=True).content.decode()
    assert "There is no collection “nowhere”" in page


def test_people_are_found_by_name_or_address(odo: User, ada: User, cai: User) -> None:
    page = signed_in(odo).get("/accounts/people/", {"q": ada.username}).content.decode()
    assert f"/accounts/people/{ada.pk}/" in page
    assert f"/accounts/people/{cai.pk}/" not in page


def test_one_changes_ones_own_password_and_stays_signed_in(ada: User) -> None:
    ada.set_password("the-old-password")
    ada.save()
    hers = Client()
    assert hers.login(username=ada.username, password="the-old-password")
    wrong = hers.post("/accounts/own/", {"old_password": "no", "new_password1": "a", "new_password2": "b"})
    assert "incorrect" in wrong.content.decode()
    new = "nine-lives-of-paper"
    form = {"old_password": "the-old-password", "new_password1": new, "new_password2": new}
    assert hers.post("/accounts/own/", form).status_code == 302
    assert hers.get("/accounts/own/").status_code == 200
    assert Client().login(username=ada.username, password=new)


def test_nobody_but_an_admin_adds_or_closes(ada: User, cai: User) -> None:
    for person in (ada, cai):
        assert signed_in(person).post("/accounts/people/", {"username": "new"}).status_code == 404
        assert signed_in(person).post(f"/accounts/people/{ada.pk}/", {"what": "close"}).status_code == 404
    assert not User.objects.filter(username="new").exists()
    assert Role.ADMIN not in set(Membership.objects.values_list("role", flat=True))
