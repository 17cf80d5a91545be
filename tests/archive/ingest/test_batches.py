"""Describing what was uploaded together: exactly that box, what it shares said once, one change to undo."""

from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.accounts.models import Membership, User
from archive.catalogue import services
from archive.catalogue.models import Collection, Edit, Item
from archive.ingest.models import Upload
from tests.archive import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def uploaded(collection: Collection, by: User, batch: UUID, *names: str) -> list[Item]:
    made = []
    for name in names:
        master = factories.master(collection, title=name)
        Upload.objects.create(
            filename=name,
            collection=collection,
            by=by,
            batch=batch,
            state="catalogued",
            item=master.scan.item,
        )
        made.append(master.scan.item)
    return made


def test_the_table_holds_exactly_the_box_in_the_order_of_its_file_names(
    portraits: Collection, ada: User, page: Client
) -> None:
    batch = uuid4()
    factories.item(portraits, "of another day")
    ten, two = uploaded(portraits, ada, batch, "plate 10.tif", "plate 2.tif")
    (old,) = uploaded(portraits, ada, batch, "known.tif")
    Upload.objects.filter(item=old).update(code="duplicate")
    uploaded(portraits, ada, uuid4(), "of another box.tif")
    answer = page.get(reverse("ingest:batch", args=[batch]))
    assert [row.item for row in answer.context["rows"]] == [two, ten]
    assert "Describe 2 uploads" in answer.content.decode()


def test_what_all_share_goes_where_nothing_is_said_and_is_one_change(
    portraits: Collection, ada: User, page: Client
) -> None:
    batch = uuid4()
    one, two = uploaded(portraits, ada, batch, "a.tif", "b.tif")
    services.describe(two, by=ada, description={"title": "b", "creator": "Known"}, date="1905")
    form = {
        "fill": "", "all:creator": "Unknown", "all:date": "1920s", "all:subject": "ships | harbours", "all:type": " ",
        f"cell:{one.pk}:date": "1931", f"was:{one.pk}:date": "", "all:title": "no field of this form",
    }  # fmt: skip
    assert page.post(reverse("ingest:batch", args=[batch]), form).status_code == 302
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.title, one.date_verbatim, two.date_verbatim) == ("a.tif", "1931", "1905")
    assert [item.description["creator"][0]["value"] for item in (one, two)] == ["Unknown", "Known"]
    assert [value["value"] for value in two.description["subject"]] == ["ships", "harbours"]
    assert "type" not in one.description
    edit = Edit.objects.get()
    page.post(reverse("catalogue:undo-edit", args=[edit.pk]))
    one.refresh_from_db()
    assert ("creator" in one.description, one.date_verbatim) == (False, "")


def test_without_the_button_only_changed_cells_are_kept(
    portraits: Collection, ada: User, page: Client
) -> None:
    batch = uuid4()
    (one,) = uploaded(portraits, ada, batch, "a.tif")
    form = {"all:creator": "Unknown", f"cell:{one.pk}:title": "The Bund", f"was:{one.pk}:title": "a.tif"}
    page.post(reverse("ingest:batch", args=[batch]), form)
    one.refresh_from_db()
    assert (one.title, "creator" in one.description) == ("The Bund", False)


def test_what_the_collection_says_of_itself_is_offered_the_nearest_first(ada: User, page: Client) -> None:
    top = services.create_collection(
        "top", title="Top", by=None, access="public", description={"spatial": "China", "creator": "A studio"}
    )
    below = services.create_collection(
        "below", title="Below", by=None, parent=top, description={"spatial": ["Shanghai", "上海"]}
    )
    Membership.objects.create(user=ada, role="archivist", collection=top)
    batch = uuid4()
    uploaded(below, ada, batch, "a.tif")
    shared = {
        name: text
        for name, _label, text, _kind in page.get(reverse("ingest:batch", args=[batch])).context["shared"]
    }
    assert (shared["spatial"], shared["creator"], shared["subject"]) == ("Shanghai | 上海", "A studio", "")


def test_a_box_is_there_for_who_describes_its_collection_and_for_nobody_else(
    portraits: Collection, ada: User, cai: User, rea: User
) -> None:
    batch = uuid4()
    uploaded(portraits, ada, batch, "a.tif")
    secret = factories.collection("secret", access="private")
    uploaded(secret, ada, batch, "b.tif")
    for person, expected in ((cai, 200), (rea, 404)):
        client = Client()
        client.force_login(person)
        assert client.get(reverse("ingest:batch", args=[batch])).status_code == expected
        assert client.get(reverse("ingest:batch", args=[uuid4()])).status_code == 404
    assert Client().get(reverse("ingest:batch", args=[batch])).status_code == 302
    client = Client()
    client.force_login(cai)
    rows = client.get(reverse("ingest:batch", args=[batch])).context["rows"]
    assert [row.file for row in rows] == ["a.tif"]


def test_a_cell_of_an_item_outside_the_box_is_not_touched(
    portraits: Collection, ada: User, page: Client
) -> None:
    batch = uuid4()
    uploaded(portraits, ada, batch, "a.tif")
    other = factories.item(portraits, "Other")
    page.post(
        reverse("ingest:batch", args=[batch]),
        {f"cell:{other.pk}:title": "Mine", f"was:{other.pk}:title": "x"},
    )
    other.refresh_from_db()
    assert other.title == "Other"


def test_a_large_box_has_pages_and_no_more_queries(portraits: Collection, ada: User, page: Client) -> None:
    batch = uuid4()
    items = services.create_items(
        portraits, [services.NewItem({"title": f"n{n}"}) for n in range(230)], by=ada
    )
    Upload.objects.bulk_create(
        Upload(filename=f"{n}.tif", collection=portraits, by=ada, batch=batch, state="catalogued", item=item)
        for n, item in enumerate(items)
    )
    address = reverse("ingest:batch", args=[batch])
    with CaptureQueriesContext(connection) as asked:
        first = page.get(address)
    assert (len(first.context["rows"]), len(first.context["pages"])) == (100, 3)
    assert len(asked) <= 16
    last = page.get(address, {"page": 99})
    assert [row.file for row in last.context["rows"]][-1] == "229.tif"


def test_the_plain_form_leads_to_the_table_too(portraits: Collection, page: Client) -> None:
    files = [SimpleUploadedFile(f"{n}.tif", factories.tiff_bytes(seed=n)) for n in (1, 2)]
    answer = page.post("/upload/", {"collection": portraits.ref, "file": files})
    batch = answer.context["batch"]
    assert reverse("ingest:batch", args=[batch]) in answer.content.decode()
    assert Upload.objects.filter(batch=batch).count() == 2


def test_the_upload_page_leads_back_to_ones_last_boxes(
    portraits: Collection, ada: User, page: Client, cai: User
) -> None:
    old, new = uuid4(), uuid4()
    uploaded(portraits, ada, old, "a.tif")
    uploaded(portraits, ada, new, "b.tif", "c.tif")
    (twin,) = uploaded(portraits, ada, uuid4(), "known.tif")
    Upload.objects.filter(item=twin).update(code="duplicate")
    uploaded(portraits, cai, uuid4(), "somebody else's.tif")
    answer = page.get(reverse("ingest:upload"))
    assert [(box.batch, box.count) for box in answer.context["boxes"]] == [(new, 2), (old, 1)]
    for box in (old, new):
        assert reverse("ingest:batch", args=[box]) in answer.content.decode()
