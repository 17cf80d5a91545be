"""Sheets: taken in whole or not at all, wrong cells named by row and column, and a round trip that changes nothing."""

import csv
import io

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from archive.accounts.models import User
from archive.catalogue import services
from archive.catalogue.models import Collection, Edit, Event, Item, ItemRevision, Sheet
from archive.catalogue.sheets.cells import divided, guarded, joined, plain
from archive.catalogue.sheets.exporting import csv_of, problems_csv, xlsx_of
from archive.catalogue.sheets.importing import Outcome, bring, look, remember, take_in
from archive.catalogue.sheets.reading import SheetError, read
from tests.archive import factories

pytestmark = pytest.mark.django_db


def sheet_of(text: str | bytes, place: Collection, by: User, *, columns: list[str] | None = None) -> Sheet:
    content = text if isinstance(text, bytes) else text.encode()
    made = bring(content, filename="box 7.csv", collection=place, by=by)
    if columns is not None:
        remember(made, read(content, "x").headings, columns, clears=False)
    return made


def take(text: str | bytes, place: Collection, by: User) -> Outcome:
    return take_in(sheet_of(text, place, by), by=by)


SHEET = (
    "identifier,title,title@zh,creator,subject,date,rights\n"
    "A-1,The Bund,外滩,Curtis,ships | harbours,ca. 1920,http://rightsstatements.org/vocab/NKC/1.0/\n"
    'A-2,"=SUM(1)\nand more",,,a \\| b,民国二十六年七月,\n'
)


def test_a_sheet_makes_items_and_the_same_sheet_again_changes_nothing(
    portraits: Collection, ada: User
) -> None:
    first = take(SHEET, portraits, ada)
    assert (first.new, first.changed, first.same) == (2, 0, 0)
    item = Item.objects.get(description__identifier__0__value="A-1")
    assert item.description["title"] == [{"value": "The Bund", "lang": ""}, {"value": "外滩", "lang": "zh"}]
    assert [v["value"] for v in item.description["subject"]] == ["ships", "harbours"]
    assert item.date_edtf == "1920~"
    other = Item.objects.get(description__identifier__0__value="A-2")
    assert other.description["subject"] == [{"value": "a | b", "lang": ""}]
    revisions = ItemRevision.objects.count()
    again = take(SHEET, portraits, ada)
    assert (again.new, again.changed, again.same) == (0, 0, 2)
    assert ItemRevision.objects.count() == revisions


def test_a_round_trip_changes_nothing(portraits: Collection, ada: User) -> None:
    take(SHEET, portraits, ada)
    odd = services.create_item(
        portraits, by=ada, date="'=1920",
        description={"title": [{"value": "一", "lang": "zh"}, {"value": "=A1", "lang": ""},
                               {"value": "二", "lang": "zh"}],
                     "description": ["'=x", "-5 °C", "\\|", "two\nlines", "@you"], "language": ["zh-Hans"]},
    )  # fmt: skip
    services.describe(odd, by=ada, sensitive=True, sensitive_reason="human remains")
    factories.master(portraits, title="Scanned")
    items = Item.objects.filter(collection=portraits)
    before = list(items.order_by("pk").values())
    for content in (b"".join(csv_of(items)), xlsx_of(items)):
        made = sheet_of(content, portraits, ada)
        for clears in (False, True):
            remember(made, read(content, "x").headings, made.columns, clears=clears)
            outcome = look(made)
            assert outcome.problems == []
            assert (outcome.new, outcome.changed, outcome.same) == (0, 0, len(before))
    assert list(items.order_by("pk").values()) == before


@given(st.lists(st.text().map(str.strip).filter(bool), max_size=5))
def test_values_of_a_cell_are_read_back_as_they_were(values: list[str]) -> None:
    assert divided(joined(values)) == values


@given(st.text().map(str.strip))
def test_no_cell_is_a_formula_and_its_text_is_read_back(text: str) -> None:
    written = guarded(text)
    assert not written.startswith(("=", "+", "-", "@"))
    assert plain(written) == text


WRONG = [
    # what stands in the row | column of the problem | what the sentence says
    ("B-1,ok,,,,,,,,too,many", "", "Expected 9 cells"),
    (",No key,,,,,,,", "A", "found nothing"),
    ("B-3,,,,,,,,", "A", "a new one needs a title"),
    ("TWICE,One,,,,,,,", None, ""),
    ("TWICE,Two,,,,,,,", "A", "stands in row"),
    ("SAME,Ambiguous,,,,,,,", "A", "2 items are called so"),
    ("B-7,ok,no-such-id,,,,,,", "C", "Expected an item's id"),
    ("B-8,ok,0198c0de-0000-7000-8000-000000000000,,,,,,", "C", "No item of this collection"),
    ("B-9,ok,{elsewhere},,,,,,", "C", "No item of this collection"),
    ("B-10," + "x" * 20_001 + ",,,,,,,", "B", "at most 20000 characters"),
    ("B-11,ok,," + "|".join(map(str, range(201))) + ",,,,,", "D", "at most 200 values"),
    ("B-12,ok,,," + "9" * 201 + ",,,,", "E", "at most 200 characters"),
    ("B-13,ok,,,,perhaps,,,", "F", "Expected yes or no"),
    ("B-14,ok,,,,yes,,,", "F", "no reason is given"),
    ("B-15,ok,,,,no,because,,", "F", "not said to be sensitive"),
    ("B-16,ok,,,,,because,,", "F", "not said to be sensitive"),
    ("B-17,#REF!,,,,,,,", "B", "A formula failed"),
    ("B-18,be\x07ll,,,,,,,", "B", "control characters"),
    ("B-19,ok,,,,,,http://rightsstatements.org/vocab/XYZ/1.0/,", "H", "no statement of rightsstatements.org"),
    ("B-20,ok,,,,,,https://creativecommons.org/licenses/by/9.0/,", "H", "no statement"),
    ("B-21,ok,,,,,,,Chinese!", "I", "Expected a language as a tag"),
]


def test_twenty_kinds_of_error_are_each_named_by_row_and_column_and_nothing_is_written(
    portraits: Collection, ada: User, max_: User
) -> None:
    for _n in range(2):
        services.create_item(portraits, description={"title": "x", "identifier": "SAME"}, by=ada)
    elsewhere = factories.item(factories.collection())
    head = "identifier,title,item,subject,date,sensitive,sensitive_reason,rights,language\n"
    made = sheet_of(
        head + "\n".join(row.format(elsewhere=elsewhere.pk) for row, _c, _s in WRONG), portraits, ada
    )
    problems = {problem.row: problem for problem in look(made).problems}
    for number, (row, letter, sentence) in enumerate(WRONG, start=2):
        if letter is None:
            assert number not in problems
            continue
        assert number in problems, row[:40]
        assert problems[number].letter == letter, row[:40]
        assert sentence in problems[number].sentence, row[:40]
    before = Item.objects.count()
    with pytest.raises(SheetError, match="Nothing was taken in: 20 cells"):
        take_in(made, by=ada)
    assert Item.objects.count() == before
    assert not Edit.objects.exists()
    written = list(csv.reader(io.StringIO(problems_csv(problems.values()).decode("utf-8-sig"))))
    assert len(written) == 21
    assert written[1][:3] == ["2", "", ""]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "expected headings"), (b"\n\n", "expected headings"), (b"PK\x03\x04 not a book", "XLSX workbook"),
        (b"a,b\n\x00\x01\x02", "something else"), (b'identifier,title\nx,"open', "quotation marks do not close"),
        ((",".join(f"c{n}" for n in range(300))).encode(), "at most 200 columns"),
    ],
)  # fmt: skip
def test_what_is_no_sheet_is_refused_with_a_sentence(
    content: bytes, sentence: str, portraits: Collection, ada: User
) -> None:
    with pytest.raises(SheetError, match=sentence):
        look(sheet_of(content, portraits, ada))


@pytest.mark.parametrize(
    ("head", "columns", "sentence"),
    [
        ("identifier,title,title", None, "stands there twice"), ("title,date", None, "No column says which item"),
        ("identifier,title", ["identifier", "colour of the frame"], "expected a property"),
        ("identifier,title", ["identifier", "title@not a language"], "expected a property"),
        ("identifier,title", ["identifier", "identifier"], "Two columns stand for"),
    ],
)  # fmt: skip
def test_columns_that_do_not_say_enough_are_refused(
    head: str, columns: list[str] | None, sentence: str, portraits: Collection, ada: User
) -> None:
    made = sheet_of(f"{head}\n1,2,3\n", portraits, ada, columns=columns)
    with pytest.raises(SheetError, match=sentence):
        look(made)


def test_rows_find_items_by_the_names_of_their_files(portraits: Collection, ada: User) -> None:
    scan = factories.master(portraits)
    for name in ("scan.tif", "scan"):
        outcome = take(f"file name,Caption\n{name},From {name}\n", portraits, ada)
        assert (outcome.new, outcome.changed) == (0, 1)
        assert Item.objects.get(pk=scan.scan.item_id).title == f"From {name}"


def test_a_column_is_remembered_for_the_next_sheet(portraits: Collection, ada: User, cai: User) -> None:
    text = "Kasten Nr.,Was\n7,Ein Bild\n"
    made = sheet_of(text, portraits, ada)
    assert made.columns == ["", ""]
    remember(made, ["Kasten Nr.", "Was"], ["identifier", "title@de"], clears=False)
    assert sheet_of(text, portraits, ada).columns == ["identifier", "title@de"]
    assert sheet_of(text, portraits, cai).columns == ["", ""]


def test_an_empty_cell_takes_away_only_if_that_was_said(portraits: Collection, ada: User) -> None:
    item = services.create_item(
        portraits, description={"title": "x", "identifier": "7", "subject": "ship"}, by=ada, date="1920"
    )
    made = sheet_of("identifier,subject,date\n7,,\n", portraits, ada)
    assert look(made).same == 1
    remember(made, ["identifier", "subject", "date"], made.columns, clears=True)
    take_in(made, by=ada)
    item.refresh_from_db()
    assert "subject" not in item.description
    assert item.date_verbatim == ""


def test_undoing_a_sheet_gives_back_what_was_there_and_leaves_what_was_written_since(
    portraits: Collection, ada: User
) -> None:
    one, other = (
        services.create_item(
            portraits, description={"title": f"Old {n}", "identifier": n}, by=ada, date="1920"
        )
        for n in "12"
    )
    take(
        "identifier,title,date,sensitive,sensitive_reason\n1,New 1,1930,yes,faces\n2,New 2,1930,,\n",
        portraits,
        ada,
    )
    services.describe(other, by=ada, description={"title": "Newer", "identifier": "2"})
    services.undo_edit(Edit.objects.get(kind="sheet"), by=ada)
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.title, one.date_verbatim, one.sensitive) == ("Old 1", "1920", False)
    assert (other.title, other.date_verbatim) == ("Newer", "1930")
    assert list(one.revisions.values_list("number", flat=True)) == [1, 2, 3]
    assert Event.objects.filter(type=Event.Type.METADATA_MODIFICATION, detail__has_key="edit").count() == 2


def test_a_workbook_with_dates_and_numbers_is_read_as_text(portraits: Collection, ada: User) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["identifier", "title", "date"])
    book.active.append([7, "From a workbook", 1920.0])
    out = io.BytesIO()
    book.save(out)
    assert take(out.getvalue(), portraits, ada).new == 1
    item = Item.objects.get(description__identifier__0__value="7")
    assert (item.title, item.date_edtf) == ("From a workbook", "1920")


def test_a_date_that_is_not_understood_is_said_before_the_sheet_is_taken_in(
    portraits: Collection, ada: User, client: Client
) -> None:
    made = sheet_of("identifier,title,date\n1,A,ca. 1920\n2,B,some day\n3,C,1905\n", portraits, ada)
    client.force_login(ada)
    page = client.get(reverse("catalogue:sheet", args=[made.pk])).content.decode()
    assert page.count("not understood as a date") == 1
    assert "<ins>some day</ins> <span" in page


def test_the_pages_lead_from_a_sheet_to_its_items_and_back(
    portraits: Collection, ada: User, max_: User
) -> None:
    client = Client()
    client.force_login(ada)
    here = reverse("catalogue:sheets", args=[portraits.ref])
    file = io.BytesIO(SHEET.encode())
    file.name = "box.csv"
    page = client.post(here, {"file": file}, follow=True)
    assert "2 new" in page.content.decode()
    made = Sheet.objects.get()
    form = {f"column-{n}": column for n, column in enumerate(made.columns)} | {"take_in": "1"}
    assert "Taken in: 2 new" in client.post(page.request["PATH_INFO"], form, follow=True).content.decode()
    edit = Edit.objects.get()
    assert client.post(reverse("catalogue:undo-edit", args=[edit.pk]), follow=True).status_code == 200
    assert b"The Bund" in client.get(reverse("catalogue:export", args=[portraits.ref, "csv"])).getvalue()
    client.force_login(max_)
    assert client.get(reverse("catalogue:sheet", args=[made.pk])).status_code == 404
    assert client.post(here, {"file": file}).status_code == 404
    assert client.post(reverse("catalogue:undo-edit", args=[edit.pk])).status_code == 404


def test_a_sheet_brings_archival_description_and_its_level_is_checked(
    portraits: Collection, ada: User
) -> None:
    head = "Reference code,Title,Level of description,Scope and content,arrangement@en\n"
    good = take(head + "F-1,Papers,fonds,Letters,By year\n", portraits, ada)
    assert good.new == 1
    item = Item.objects.get()
    assert item.description["level"] == [{"value": "fonds", "lang": ""}]
    assert item.description["arrangement"] == [{"value": "By year", "lang": "en"}]
    problems = look(
        sheet_of(head + "F-2,Papers,shelf,,\nF-3,Papers,file | item,,\n", portraits, ada)
    ).problems
    assert [(one.row, one.letter) for one in problems] == [(2, "C"), (3, "C")]
    assert "Expected one of fonds, subfonds" in problems[0].sentence
    assert "Expected one level, got 2" in problems[1].sentence
    assert look(sheet_of(b"".join(csv_of(Item.objects.all())), portraits, ada)).same == 1


def test_a_sheet_reaches_into_no_private_collection_below_the_one_it_is_brought_to(
    portraits: Collection, ada: User
) -> None:
    secret = services.create_collection("secret", title="Secret", by=None, parent=portraits, access="private")
    hidden = services.create_item(secret, description={"title": "Hidden", "identifier": "S-1"}, by=None)
    outcome = take("identifier,title\nS-1,Mine\n", portraits, ada)
    assert (outcome.new, outcome.changed) == (1, 0)
    hidden.refresh_from_db()
    assert hidden.title == "Hidden"
    problems = look(sheet_of(f"item,title\n{hidden.pk},Mine\n", portraits, ada)).problems
    assert [one.sentence for one in problems] == ["No item of this collection has this id."]
