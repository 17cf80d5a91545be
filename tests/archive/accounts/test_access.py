"""Who can do what, shown and changed; and looking as somebody else, which changes nothing."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from archive.accounts import access
from archive.accounts.models import Membership, Role, User
from archive.accounts.services import RoleProblem, give_role, take_role
from archive.catalogue.models import Collection, Event, Item
from archive.catalogue.services import create_collection
from archive.review.policy import policy_of
from tests.archive import factories

pytestmark = pytest.mark.django_db


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def answers(collection: Collection, person: User) -> dict[str, bool]:
    line = next(line for line in access.table(collection) if line.person == person)
    return dict(zip(access.QUESTIONS, line.answers, strict=True))


def test_the_table_answers_as_the_pages_do(
    portraits: Collection, ada: User, cai: User, odo: User, rea: User
) -> None:
    below = create_collection("below", title="Below", by=None, parent=portraits)
    assert answers(below, ada) == dict(
        zip(access.QUESTIONS, [True, True, True, True, False, False], strict=True)
    )
    assert answers(below, cai)["review"] is True
    assert answers(below, rea) == dict(zip(access.QUESTIONS, [True, *[False] * 5], strict=True))
    assert all(answers(below, odo).values())
    everybody = access.table(below)[0]
    assert (isinstance(everybody.person, AnonymousUser), everybody.answers) == (True, [True, *[False] * 5])


def test_a_role_from_above_does_not_reach_into_a_private_collection(portraits: Collection, cai: User) -> None:
    inner = create_collection("inner", title="Inner", by=None, parent=portraits, access="private")
    assert not any(answers(inner, cai).values())


def test_an_admin_opens_closes_and_asks_for_two_approvals(portraits: Collection, odo: User) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    form = {
        "what": "access", "access": "staff", "ai_policy": "restore-only", "embargo_until": tomorrow.isoformat(),
        "approvals": "2", "own_orders": "forbidden",
    }  # fmt: skip
    signed_in(odo).post(f"/accounts/access/{portraits.ref}/", form)
    portraits.refresh_from_db()
    assert (portraits.effective_access, portraits.effective_embargo_until) == ("staff", tomorrow)
    assert (policy_of(portraits).approvals, policy_of(portraits).own_orders) == (2, False)
    assert Event.objects.filter(type="access change", objects_linked__collection=portraits).count() >= 2


@pytest.mark.parametrize(
    "wrong", [{"access": "open"}, {"embargo_until": "soon"}, {"ai_policy": ""}, {"access": "inherit"}]
)
def test_what_is_no_choice_changes_nothing(portraits: Collection, odo: User, wrong: dict[str, str]) -> None:
    form = {
        "what": "access",
        "access": "staff",
        "ai_policy": "none",
        "embargo_until": "",
        "own_orders": "inherit",
    }
    answer = signed_in(odo).post(f"/accounts/access/{portraits.ref}/", form | wrong, follow=True)
    assert answer.status_code == 200
    portraits.refresh_from_db()
    assert portraits.effective_access == "public"


def test_those_who_work_there_read_the_page_and_change_nothing(
    portraits: Collection, cai: User, rea: User
) -> None:
    address = f"/accounts/access/{portraits.ref}/"
    assert signed_in(cai).get(address).status_code == 200
    assert (
        signed_in(cai).post(address, {"what": "give", "person": rea.username, "role": "curator"}).status_code
        == 404
    )
    assert signed_in(rea).get(address).status_code == 404
    assert Membership.objects.get(user=rea).role == Role.READER


def test_a_role_is_given_replaced_and_taken_with_its_events(
    portraits: Collection, odo: User, rea: User
) -> None:
    client, address = signed_in(odo), f"/accounts/access/{portraits.ref}/"
    client.post(address, {"what": "give", "person": rea.username, "role": "curator"})
    row = Membership.objects.get(user=rea)
    assert row.role == Role.CURATOR
    client.post(address, {"what": "take", "membership": row.pk})
    assert not Membership.objects.filter(user=rea).exists()
    details = [
        event.detail for event in Event.objects.filter(type="access change", detail__person=str(rea.pk))
    ]
    assert [set(detail) - {"person"} for detail in details] == [{"given"}, {"taken"}]
    for nonsense in ({"membership": "x"}, {"membership": "9" * 30}, {"membership": "1"}):
        assert client.post(address, {"what": "take"} | nonsense).status_code == 404


def test_there_is_always_an_admin(odo: User, rea: User, portraits: Collection) -> None:
    last = Membership.objects.get(user=odo)
    with pytest.raises(RoleProblem, match="last admin"):
        take_role(last, by=odo)
    with pytest.raises(RoleProblem, match="last admin"):
        give_role(odo, Role.READER, collection=None, by=odo)
    with pytest.raises(RoleProblem, match="whole archive"):
        give_role(rea, Role.ADMIN, collection=portraits, by=odo)
    give_role(rea, Role.ADMIN, collection=None, by=odo)
    take_role(last, by=rea)


def test_odo_sees_as_rea_sees_and_changes_nothing(portraits: Collection, odo: User, rea: User) -> None:
    secret = factories.master(factories.collection("secret", access="private"))
    item = secret.scan.item
    client = signed_in(odo)
    assert client.get(f"/items/{item.pk}/").status_code == 200
    client.post("/accounts/view-as/", {"person": str(rea.pk)})
    assert client.get(f"/items/{item.pk}/").status_code == 404
    assert client.get(f"/api/v1/items/{item.pk}/").status_code == 404
    assert client.get("/jobs/").status_code == 404
    page = client.get("/").content.decode()
    assert "You see the archive as Rea sees it" in page
    refused = client.post(f"/accounts/access/{portraits.ref}/", {"what": "access"})
    assert (refused.status_code, "only looking" in refused.content.decode()) == (403, True)
    client.post("/accounts/view-as/stop/")
    assert client.get(f"/items/{item.pk}/").status_code == 200


def test_a_visitor_is_seen_as_too_and_sensitive_pictures_are_withheld(
    portraits: Collection, odo: User
) -> None:
    version = factories.master(portraits)
    Item.objects.filter(pk=version.scan.item_id).update(sensitive=True)
    client = signed_in(odo)
    client.post("/accounts/view-as/", {"person": "visitor"})
    for address in (
        f"/items/{version.scan.item_id}/",
        f"/versions/{version.pk}/file",
        f"/iiif/3/{version.pk}/info.json",
    ):
        assert client.get(address).status_code == 404
    assert access.withheld(portraits) == 1


def test_only_admins_look_as_somebody(portraits: Collection, cai: User, odo: User) -> None:
    client = signed_in(cai)
    assert client.post("/accounts/view-as/", {"person": str(odo.pk)}).status_code == 404
    session = client.session
    session["view_as"] = str(odo.pk)  # however it came there
    session.save()
    assert client.get("/system/").status_code == 404
    assert "You see the archive as" not in client.get("/").content.decode()


def test_nobody_who_is_not_there_is_looked_as(odo: User) -> None:
    client = signed_in(odo)
    for nobody in ("", "x", "00000000-0000-7000-8000-000000000000"):
        assert client.post("/accounts/view-as/", {"person": nobody}).status_code == 404


def test_a_session_that_looks_has_a_new_key(odo: User, rea: User) -> None:
    client = signed_in(odo)
    before = client.cookies["sessionid"].value
    client.post("/accounts/view-as/", {"person": str(rea.pk)})
    assert client.cookies["sessionid"].value != before
