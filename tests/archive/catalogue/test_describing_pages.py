"""The form of one item and the table of many: what is kept, what is refused, what is undone."""

import pytest
from django.test import Client
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue import services
from archive.catalogue.models import Collection, Edit, Event, Item, Term
from tests.archive import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def test_the_form_keeps_values_in_their_languages_and_the_date_as_written(
    portraits: Collection, page: Client
) -> None:
    item = factories.item(portraits, "Old")
    address = reverse("catalogue:describe", args=[item.pk])
    assert page.get(address).status_code == 200
    form = {
        "p-title": ["The Bund", "外滩", ""], "l-title": ["en", "zh", ""], "p-spatial": ["Shanghai"], "l-spatial": [""],
        "p-rights": ["http://rightsstatements.org/vocab/NKC/1.0/"], "date": "民国二十六年七月",
        "sensitive": "on", "sensitive_reason": "faces", "note": "from the verso",
    }  # fmt: skip
    assert page.post(address, form).status_code == 302
    item.refresh_from_db()
    assert item.description["title"] == [{"value": "The Bund", "lang": "en"}, {"value": "外滩", "lang": "zh"}]
    assert (item.date_verbatim, item.date_edtf) == ("民国二十六年七月", "1937-07")
    assert (item.sensitive, item.sensitive_reason) == (True, "faces")
    newest = item.revisions.last()
    assert newest is not None
    assert (newest.number, newest.note, newest.sensitive) == (2, "from the verso", True)
    assert Term.objects.filter(kind="place", label="Shanghai").exists()
    assert (
        b'value="Shanghai"'
        in page.get(reverse("catalogue:describe", args=[factories.item(portraits).pk])).content
    )


def test_sensitive_without_a_reason_is_refused_and_what_was_typed_stays(
    portraits: Collection, page: Client
) -> None:
    item = factories.item(portraits, "Old")
    answer = page.post(reverse("catalogue:describe", args=[item.pk]), {"p-title": "Typed", "sensitive": "on"})
    assert answer.status_code == 400
    assert b"a reason why" in answer.content
    assert b'value="Typed"' in answer.content
    item.refresh_from_db()
    assert item.title == "Old"


def test_a_table_is_one_change_of_the_cells_that_were_changed(
    portraits: Collection, ada: User, page: Client
) -> None:
    one, other = (
        services.create_item(portraits, description={"title": t, "subject": "x"}, by=ada) for t in "ab"
    )
    address = reverse("catalogue:table", args=[portraits.ref])
    assert page.get(address).content.count(b"<tr>") == 3
    form = {
        f"cell:{one.pk}:title": "A", f"was:{one.pk}:title": "a", f"cell:{one.pk}:date": "1920s",
        f"was:{one.pk}:date": "",
        f"cell:{other.pk}:title": "b", f"was:{other.pk}:title": "b",
        f"cell:{other.pk}:subject": "ships | harbours", f"was:{other.pk}:subject": "x",
        "cell:nonsense:title": "x", f"cell:{one.pk}:rights": "x",
    }  # fmt: skip
    services.describe(other, by=ada, description={"title": "changed meanwhile", "subject": "x"})
    assert page.post(address, form).status_code == 302
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.title, one.date_edtf) == ("A", "192X")
    assert [v["value"] for v in other.description["subject"]] == ["ships", "harbours"]
    assert other.title == "changed meanwhile"
    edit = Edit.objects.get()
    assert edit.revisions.count() == 2
    page.post(reverse("catalogue:undo-edit", args=[edit.pk]))
    one.refresh_from_db()
    assert (one.title, one.date_verbatim) == ("a", "")
    page.post(reverse("catalogue:undo-edit", args=[edit.pk]))
    assert Edit.objects.count() == 2
    assert Event.objects.filter(type=Event.Type.METADATA_MODIFICATION).count() == 3


def test_a_table_changes_nothing_in_other_collections(
    portraits: Collection, ada: User, max_: User, page: Client
) -> None:
    elsewhere = factories.item(factories.collection(access="private"), "Theirs")
    address = reverse("catalogue:table", args=[portraits.ref])
    form = {f"cell:{elsewhere.pk}:title": "Mine", f"was:{elsewhere.pk}:title": "Theirs"}
    page.post(address, form)
    assert Item.objects.get(pk=elsewhere.pk).title == "Theirs"
    assert not Edit.objects.exists()
    page.force_login(max_)
    assert page.post(address, form).status_code == 404
