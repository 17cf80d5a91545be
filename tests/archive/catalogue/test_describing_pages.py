"""The form of one item and the table of many: what is kept, what is refused, what is undone."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue import services
from archive.catalogue.errors import DescriptionError
from archive.catalogue.models import Collection, Edit, Event, Item, Term
from archive.catalogue.sheets import importing
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
    answer = page.post(
        reverse("catalogue:describe", args=[item.pk]), {"p-title": "Typed", "sensitive": "on", "note": "Seen"}
    )
    assert answer.status_code == 400
    assert b"Sensitive: a reason why is missing." in answer.content
    assert b'value="Typed"' in answer.content
    # A tick that was lost would publish, at the second try, what was to be withheld.
    assert b'name="sensitive" checked' in answer.content
    assert b'value="Seen"' in answer.content
    item.refresh_from_db()
    assert item.title == "Old"


def test_everything_that_is_wrong_is_said_at_once_each_beside_its_field_and_nothing_typed_is_lost(
    portraits: Collection, page: Client
) -> None:
    item = factories.item(portraits, "Old")
    form = {
        "p-title": "Typed", "p-description": "x" * 20_001, "p-creator": ["One", "Two"], "l-creator": ["y" * 36, ""],
        "p-arrangement": "z" * 20_001, "p-level": "shelf", "l-subject": "fr", "p-subject": "", "sensitive": "on",
        "date": "about then",
    }  # fmt: skip
    answer = page.post(reverse("catalogue:describe", args=[item.pk]), form)
    said = answer.content.decode()
    assert answer.status_code == 400
    assert "5 things are not as they should be" in said
    for name, sentence in {
        "description": "Description: expected at most 20000 characters, got 20001.",
        "creator": "Language of Creator: expected a language tag, got",
        "arrangement": "System of arrangement: expected at most 20000 characters, got 20001.",
        "level": "Level of description: expected one of fonds, subfonds",
        "sensitive": "Sensitive: a reason why is missing.",
    }.items():
        assert f'<a href="#p-{name}">{sentence}' in said
        field = said.split(f'id="p-{name}"', 1)[1]
        assert f'id="wrong-{name}"><p class="wrong">{sentence}' in field
        assert f'aria-describedby="wrong-{name}"' in field
    for typed in (
        'value="Typed"',
        'value="Two"',
        "x" * 20_001,
        "z" * 20_001,
        'value="fr"',
        'value="about then"',
    ):
        assert typed in said
    assert '<option value="shelf" selected>' in said
    assert "<details open>" in said  # what is wrong is not folded away
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
    listed = page.get(reverse("catalogue:sheets", args=[portraits.ref])).content.decode()
    assert "2 items" in listed
    assert "Table: Title, Subject, Date" in listed  # what was changed, not what was shown
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


def test_the_archival_description_is_kept_shown_and_found(portraits: Collection, page: Client) -> None:
    item = factories.item(portraits, "Letters of the studio")
    address = reverse("catalogue:describe", args=[item.pk])
    form = page.get(address).content.decode()
    assert form.count("<details>") == 2  # folded away while nothing is in it
    said = {
        "p-title": "Letters of the studio", "p-level": "series", "p-scopeAndContent": "Orders and complaints.",
        "p-arrangement": "By year", "p-accessConditions": "Closed until 2030", "l-arrangement": "en",
    }  # fmt: skip
    assert page.post(address, said).status_code == 302
    item.refresh_from_db()
    assert item.description["level"] == [{"value": "series", "lang": ""}]
    assert item.description["arrangement"] == [{"value": "By year", "lang": "en"}]
    shown = page.get(reverse("catalogue:item", args=[item.pk])).content.decode()
    assert "Scope and content" in shown
    assert "Closed until 2030" in shown
    assert '<option value="series" selected>' in page.get(address).content.decode()
    found = page.get("/", {"q": "scopeAndContent:complaints"}).content.decode()
    assert "Letters of the studio" in found


def test_a_level_of_description_is_one_of_the_six(portraits: Collection, page: Client) -> None:
    item = factories.item(portraits, "Old")
    address = reverse("catalogue:describe", args=[item.pk])
    answer = page.post(address, {"p-title": "Old", "p-level": "shelf"})
    assert answer.status_code == 400
    assert "one of fonds, subfonds, series" in answer.content.decode()
    with pytest.raises(DescriptionError):
        services.describe(item, by=None, description={"title": "Old", "level": ["fonds", "file"]})
    item.refresh_from_db()
    assert "level" not in item.description


def test_the_pages_of_describing_ask_no_more_for_more_items(
    portraits: Collection, ada: User, page: Client
) -> None:
    item = factories.item(portraits, "First")
    addresses = [
        reverse("catalogue:describe", args=[item.pk]),
        reverse("catalogue:table", args=[portraits.ref]),
        reverse("catalogue:sheets", args=[portraits.ref]),
    ]
    few = [queries_of(page, address) for address in addresses]
    new = [services.NewItem({"title": f"n{n}", "creator": f"Maker {n}"}, "1900") for n in range(120)]
    edit = Edit.objects.create(kind="sheet", collection=portraits, by=ada)
    services.create_items(portraits, new, by=ada, edit=edit)
    assert [queries_of(page, address) for address in addresses] == few
    assert max(few) <= 12


def queries_of(page: Client, address: str) -> int:
    assert page.get(address).status_code == 200  # what is asked once for all is asked now
    with CaptureQueriesContext(connection) as asked:
        assert page.get(address).status_code == 200
    return len(asked)


def test_the_page_of_a_sheet_asks_no_more_for_more_rows(
    portraits: Collection, ada: User, page: Client
) -> None:
    counts = []
    for rows in (3, 400):
        content = "identifier,title\n" + "".join(f"Q-{n},T{n}\n" for n in range(rows))
        sheet = importing.bring(content.encode(), filename="a.csv", collection=portraits, by=ada)
        counts.append(queries_of(page, reverse("catalogue:sheet", args=[sheet.pk])))
    assert counts[0] == counts[1] <= 12


def test_a_table_reaches_into_no_private_collection_below_it(portraits: Collection, page: Client) -> None:
    secret = services.create_collection("secret", title="Secret", by=None, parent=portraits, access="private")
    hidden = factories.item(secret, "Hidden")
    address = reverse("catalogue:table", args=[portraits.ref])
    page.post(address, {f"cell:{hidden.pk}:title": "Mine", f"was:{hidden.pk}:title": "Hidden"})
    hidden.refresh_from_db()
    assert hidden.title == "Hidden"
