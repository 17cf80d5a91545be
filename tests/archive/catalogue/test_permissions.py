"""Who sees what: the questions about many rows and about one row must give the same answer."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser

from archive.accounts import permissions
from archive.accounts.models import Role, User
from archive.catalogue.models import Collection, Item, Version
from archive.catalogue.services import change_collection, create_collection
from tests.archive import factories

pytestmark = pytest.mark.django_db


def again(user: User) -> User:
    """The person as a new request sees them."""
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("access", ["public", "staff", "private"])
@pytest.mark.parametrize("sensitive", [False, True])
@pytest.mark.parametrize("role", [None, "reader", "archivist", "curator", "admin"])
def test_the_two_forms_of_every_question_agree(access: str, sensitive: bool, role: str | None) -> None:
    root = factories.collection(access="public")
    held = create_collection(
        f"held-{access}-{sensitive}-{role}", title="x", by=None, parent=root, access=access
    )
    source = factories.master(held)
    factories.derivative(source, state="published")
    factories.derivative(source, state="approved", of=factories.recipe(strength="0.5"))
    Item.objects.filter(pk=source.scan.item_id).update(sensitive=sensitive)
    where = None if role == "admin" else root
    person = factories.user("someone", role, collection=where) if role else AnonymousUser()
    versions = Version.objects.select_related("scan__item__collection", "review").filter(scan=source.scan)
    listed = set(versions.filter(permissions.visible_versions(person)).values_list("pk", flat=True))
    assert listed == {v.pk for v in versions if permissions.may_see_version(person, v)}
    found = Item.objects.select_related("collection").get(pk=source.scan.item_id)
    assert Item.objects.filter(permissions.visible_items(person), pk=found.pk).exists() == (
        permissions.may_see_item(person, found)
    )
    works = (role in {"archivist", "curator"} and access != "private") or role == "admin"
    expected = 3 if works else 2 if access == "public" and not sensitive else 0
    assert len(listed) == expected


def test_a_role_is_inherited_down_the_tree_but_not_into_what_is_private(portraits: Collection) -> None:
    below = create_collection("below", title="x", by=None, parent=portraits)
    closed = create_collection("closed", title="x", by=None, parent=below, access="private")
    under = create_collection("under", title="x", by=None, parent=closed)
    ada = factories.user("ada", Role.ARCHIVIST, collection=portraits)
    assert permissions.may_upload(ada, below)
    assert not permissions.may_see_collection(ada, closed)
    assert not permissions.may_see_collection(ada, under)
    given = factories.user("given", Role.ARCHIVIST, collection=closed)
    assert permissions.may_upload(given, under)
    assert set(Collection.objects.filter(permissions.own_collections(given, Role.ARCHIVIST))) == {
        closed,
        under,
    }


def test_an_embargo_ends_by_itself(portraits: Collection) -> None:
    nobody = AnonymousUser()
    changed = change_collection(portraits, by=None, embargo_until=date.today() + timedelta(days=2))
    assert not permissions.may_see_collection(nobody, changed)
    changed = change_collection(portraits, by=None, embargo_until=date.today())
    assert permissions.may_see_collection(nobody, changed)
    assert Collection.objects.filter(permissions.visible_collections(nobody), pk=portraits.pk).exists()


def test_closing_a_collection_closes_everything_below_it_at_once(portraits: Collection) -> None:
    below = create_collection("below", title="x", by=None, parent=portraits)
    source = factories.master(below)
    nobody = AnonymousUser()
    assert Version.objects.filter(permissions.visible_versions(nobody), pk=source.pk).exists()
    change_collection(portraits, by=None, access="private")
    assert not Version.objects.filter(permissions.visible_versions(nobody), pk=source.pk).exists()


def test_an_archivist_orders_up_to_the_limit_and_an_admin_past_it(
    portraits: Collection, ada: User, odo: User, rea: User
) -> None:
    assert permissions.may_order(ada, [portraits], 200, limit=200)
    assert not permissions.may_order(ada, [portraits], 201, limit=200)
    assert permissions.may_order(odo, [portraits], 50_000, limit=200)
    assert not permissions.may_order(rea, [portraits], 1, limit=200)
