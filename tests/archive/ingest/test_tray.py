"""What the upload page is told: twins, what has begun, how far each is."""

import hashlib
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.accounts.models import User
from archive.catalogue.models import Collection, StoredFile, Version
from archive.iiif.models import Rendition
from tests.archive import factories
from tests.archive.ingest.sender import Sender, begun

pytestmark = pytest.mark.django_db


def test_the_page_is_told_of_twins_of_what_has_begun_and_of_room(
    sender: Sender, portraits: Collection, ada: User
) -> None:
    here = factories.master(portraits)
    secret = factories.master(factories.collection(access="private"))
    data = factories.tiff_bytes()
    begun(sender, portraits, data, sha256=hashlib.sha256(data).hexdigest())
    files = [
        {"sha256": here.file_id, "size": 1},
        {"sha256": secret.file_id, "size": 1},
        {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)},
        {"sha256": "nonsense", "size": 3},
    ]
    body = {"collection": portraits.ref, "files": files}
    told = sender.client.post("/upload/check/", body, content_type="application/json").json()
    assert [bool(one["twin"]) for one in told["files"]] == [True, False, False, False]
    assert [bool(one["begun"]) for one in told["files"]] == [False, False, True, False]
    wrongs: list[Any] = [
        {},
        [],
        {"collection": portraits.ref, "files": [{"sha256": 1}]},
        {"collection": "x", "files": 3},
    ]
    for wrong in wrongs:
        answer = sender.client.post("/upload/check/", wrong, content_type="application/json")
        assert answer.status_code in {400, 404}
    used = sender.client.post(
        "/upload/use/", {"sha256": here.file_id, "collection": portraits.ref, "filename": "a"}
    )
    assert (used.status_code, used.json()["item"]["id"]) == (201, str(here.scan.item_id))
    hidden = sender.client.post("/upload/use/", {"sha256": secret.file_id, "collection": portraits.ref})
    assert hidden.status_code == 404


def test_the_tray_comes_back_with_what_is_unfinished(
    sender: Sender, portraits: Collection, cai: User
) -> None:
    batch, data = str(uuid4()), factories.tiff_bytes()
    address = begun(sender, portraits, b"12345", batch=batch)
    sender.part(address, b"123", 0)
    sender.begin(len(data), data=data, filename="done.tif", collection=portraits.ref, batch=batch)
    told = sender.client.get("/upload/states/").json()["uploads"]
    assert [(one["state"], one["arrived"], one["size"]) for one in told] == [("uploading", 3, 5)]
    whole = sender.client.get("/upload/states/", {"batch": batch}).json()["uploads"]
    assert [(one["state"], one["ready"]) for one in whole] == [("uploading", False), ("catalogued", False)]
    assert Sender(cai).client.get("/upload/states/", {"batch": batch}).json() == {"uploads": []}
    assert sender.client.get("/upload/states/", {"batch": "nonsense"}).status_code == 200


def test_a_damaged_master_is_no_twin_so_that_it_is_sent_and_mended(
    sender: Sender, portraits: Collection
) -> None:
    here = factories.master(portraits)
    asked = {"collection": portraits.ref, "files": [{"sha256": here.file_id, "size": here.file.size}]}

    def twin() -> Any:
        answer = sender.client.post("/upload/check/", asked, content_type="application/json")
        return answer.json()["files"][0]["twin"]

    assert twin() is not None
    StoredFile.objects.filter(pk=here.file_id).update(condition="damaged")
    assert twin() is None


def test_a_view_that_was_given_up_is_told_and_not_called_ready(sender: Sender, portraits: Collection) -> None:
    batch, data = str(uuid4()), factories.tiff_bytes()
    sender.begin(len(data), data=data, filename="a.tif", collection=portraits.ref, batch=batch)

    def told() -> Any:
        return sender.client.get("/upload/states/", {"batch": batch}).json()["uploads"][0]

    assert (told()["ready"], told()["problem"]) == (False, None)
    assert told()["item"]["thumbnail"] is None
    Rendition.objects.update(state="ready")
    assert (told()["ready"], told()["problem"]) == (True, None)
    Rendition.objects.update(state="failed")
    assert (told()["state"], told()["ready"], told()["problem"]["code"]) == (
        "catalogued",
        False,
        "view-failed",
    )


def test_what_is_ready_comes_with_a_small_picture_of_that_very_file(
    sender: Sender, portraits: Collection, ada: User
) -> None:
    batch, data = str(uuid4()), factories.tiff_bytes()
    sender.begin(len(data), data=data, filename="a.tif", collection=portraits.ref, batch=batch)
    version = Version.objects.get(file=hashlib.sha256(data).hexdigest())
    another = factories.another_scan(version.scan.item, "verso")
    Rendition.objects.update(state="ready")
    [told] = sender.client.get("/upload/states/", {"batch": batch}).json()["uploads"]
    assert told["item"]["thumbnail"] == f"/thumbnails/{version.pk}/240.webp"
    assert str(another.pk) not in told["item"]["thumbnail"]


def test_following_a_box_costs_the_same_number_of_queries(sender: Sender, portraits: Collection) -> None:
    batch, counts = str(uuid4()), []
    for more in (1, 5):
        for _ in range(more):
            data = factories.tiff_bytes()
            sender.begin(len(data), data=data, filename="a.tif", collection=portraits.ref, batch=batch)
        with CaptureQueriesContext(connection) as asked:
            sender.client.get("/upload/states/", {"batch": batch})
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 8
