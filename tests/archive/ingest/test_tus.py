"""tus 1.0 as its text says it, and what an archive adds: whose upload it is, once and whole, refused before bytes."""

import base64
import hashlib
import os
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from archive.accounts.models import User
from archive.api import tus
from archive.catalogue.models import Collection, Item, StoredFile, Version
from archive.ingest import incoming, resumable
from archive.ingest.models import Upload
from tests.archive import factories
from tests.archive.ingest.sender import ADDRESS, PART, Sender, begun

pytestmark = pytest.mark.django_db


def test_a_file_in_parts_becomes_an_item_with_the_same_bytes(sender: Sender, portraits: Collection) -> None:
    data = factories.tiff_bytes()
    address = begun(sender, portraits, data, sha256=hashlib.sha256(data).hexdigest())
    third = len(data) // 3
    assert sender.part(address, data[:third], 0)["Upload-Offset"] == str(third)
    assert sender.offset(address) == third
    assert sender.part(address, data[third:], third).status_code == 204
    version = Version.objects.get()
    assert version.file_id == hashlib.sha256(data).hexdigest()
    upload = Upload.objects.get()
    assert (upload.state, upload.item, upload.expires) == ("catalogued", version.scan.item, None)
    assert str(upload.pk) in address
    assert list(incoming.folder().iterdir()) == []


def test_options_tell_what_is_spoken(sender: Sender, settings: Settings) -> None:
    answer = Client().options(ADDRESS)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert {"creation", "checksum", "expiration", "termination"} <= set(answer["Tus-Extension"].split(","))
    assert answer["Tus-Max-Size"] == str(settings.MAX_FILE_BYTES)
    assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"


@pytest.mark.parametrize("version", ["0.2.2", "2.0.0", ""])
def test_another_version_is_refused(sender: Sender, portraits: Collection, version: str) -> None:
    answer = sender.begin(5, collection=portraits.ref, headers={"tus-resumable": version})
    assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")


def test_a_small_file_goes_with_the_request_that_announces_it(sender: Sender, portraits: Collection) -> None:
    data = factories.tiff_bytes()
    answer = sender.begin(len(data), data=data, filename="a.tif", collection=portraits.ref)
    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(data)))
    assert Upload.objects.get().state == "catalogued"


def test_a_part_at_the_wrong_place_is_refused_and_changes_nothing(
    sender: Sender, portraits: Collection
) -> None:
    data = factories.tiff_bytes()
    address = begun(sender, portraits, data)
    sender.part(address, data[:100], 0)
    for at in (0, 99, 101, 10**17):
        assert sender.part(address, data[100:200], at).status_code == 409
    assert sender.part(address, data, 100).status_code == 409  # more than was announced
    assert sender.offset(address) == 100


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_part_with_a_wrong_checksum_is_thrown_away(
    sender: Sender, portraits: Collection, algorithm: str
) -> None:
    data = factories.tiff_bytes()
    address = begun(sender, portraits, data)
    right = base64.b64encode(hashlib.new(algorithm, data[:500]).digest()).decode()
    wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
    assert sender.part(address, data[:500], 0, upload_checksum=f"{algorithm} {wrong}").status_code == 460
    assert sender.offset(address) == 0
    assert sender.part(address, data[:500], 0, upload_checksum=f"{algorithm} {right}").status_code == 204
    assert sender.part(address, data[500:], 500, upload_checksum="md5 AAAA").status_code == 400
    assert sender.part(address, data[500:], 500, upload_checksum="sha1 %%%").status_code == 400
    assert sender.offset(address) == 500


def test_a_whole_file_that_is_not_the_announced_one_is_refused(sender: Sender, portraits: Collection) -> None:
    data = factories.tiff_bytes()
    address = begun(sender, portraits, data, sha256="0" * 64)
    sender.part(address, data, 0)
    upload = Upload.objects.get()
    assert (upload.state, upload.code) == ("refused", "store-digest-mismatch")
    assert not Item.objects.exists()


def test_a_file_that_is_no_picture_is_refused_with_a_sentence(sender: Sender, portraits: Collection) -> None:
    address = begun(sender, portraits, b"this is no picture at all")
    assert sender.part(address, b"this is no picture at all", 0).status_code == 204
    upload = Upload.objects.get()
    assert (upload.state, bool(upload.sentence)) == ("refused", True)


def test_asking_twice_to_begin_begins_once(sender: Sender, portraits: Collection) -> None:
    data, key = factories.tiff_bytes(), str(uuid4())
    said: dict[str, Any] = {"filename": "a.tif", "collection": portraits.ref, "key": key}
    first = sender.begin(len(data), data=data, **said)
    second = sender.begin(len(data), data=data, **said)
    assert first["Location"] == second["Location"]
    assert second["Upload-Offset"] == str(len(data))
    assert Item.objects.count() == 1


def test_an_upload_is_nobody_elses(sender: Sender, portraits: Collection, odo: User, cai: User) -> None:
    address = begun(sender, portraits, b"12345")
    for other in (odo, cai):
        assert Sender(other).client.head(address).status_code == 404
        assert Sender(other).part(address, b"123", 0).status_code == 404
        assert Sender(other).client.delete(address).status_code == 404
    assert sender.offset(address) == 0


def test_who_may_not_upload_there_gets_a_404(portraits: Collection, rea: User, max_: User) -> None:
    for person in (rea, max_):
        assert Sender(person).begin(5, collection=portraits.ref).status_code == 404
    anonymous = Client(headers={"tus-resumable": "1.0.0", "upload-length": "5"})
    assert anonymous.post(ADDRESS).status_code in {401, 403}
    assert not Upload.objects.exists()


def test_a_session_sends_the_token_and_without_it_nothing_is_begun(ada: User, portraits: Collection) -> None:
    client = Client(enforce_csrf_checks=True, headers={"tus-resumable": "1.0.0"})
    client.force_login(ada)
    data = factories.tiff_bytes()
    metadata = f"collection {base64.b64encode(portraits.ref.encode()).decode()}"
    headers = {"upload-length": str(len(data)), "upload-metadata": metadata}
    assert client.generic("POST", ADDRESS, data, content_type=PART, headers=headers).status_code == 403
    client.get("/upload/")
    headers["x-csrftoken"] = client.cookies["csrftoken"].value
    assert client.generic("POST", ADDRESS, data, content_type=PART, headers=headers).status_code == 201
    assert Upload.objects.get().state == "catalogued"


def test_termination_leaves_nothing(sender: Sender, portraits: Collection) -> None:
    address = begun(sender, portraits, b"12345")
    sender.part(address, b"123", 0)
    assert sender.client.delete(address).status_code == 204
    assert sender.client.head(address).status_code == 404
    assert list(incoming.folder().iterdir()) == []
    assert not Upload.objects.exists()


def test_what_was_left_too_long_is_given_up_and_says_so(sender: Sender, portraits: Collection) -> None:
    address = begun(sender, portraits, b"12345")
    sender.part(address, b"123", 0)
    assert "Upload-Expires" in sender.client.head(address)
    assert resumable.sweep().expired == 0
    long_ago = timezone.now() - timedelta(days=9)
    Upload.objects.update(expires=long_ago, changed=long_ago)
    assert resumable.sweep().expired == 1
    assert sender.client.head(address).status_code == 410
    assert (Upload.objects.get().code, list(incoming.folder().iterdir())) == ("upload-expired", [])


def test_an_upload_whose_bytes_lie_on_another_machine_is_left_alone_until_it_expires(
    sender: Sender, portraits: Collection
) -> None:
    address = begun(sender, portraits, b"12345")
    sender.part(address, b"123", 0)
    here, there = (incoming.path_of(Upload.objects.get().pk), incoming.folder().parent / "elsewhere")
    here.rename(there)
    Upload.objects.update(changed=timezone.now() - timedelta(minutes=5))
    assert resumable.sweep().expired == 0
    there.rename(here)
    assert sender.part(address, b"45", 3).status_code == 204


def test_who_begins_again_what_was_given_up_gets_a_new_upload(
    sender: Sender, portraits: Collection, ada: User
) -> None:
    what = resumable.Beginning("scan.tif", 5, portraits, key=uuid4())
    first = resumable.begin(what, by=ada)
    assert resumable.begin(what, by=ada) == first
    Upload.objects.update(expires=timezone.now() - timedelta(1), changed=timezone.now() - timedelta(1))
    assert resumable.sweep().expired == 1
    second = resumable.begin(what, by=ada)
    assert second.pk != first.pk
    assert second.state == Upload.State.UPLOADING
    assert resumable.begin(what, by=ada) == second
    assert Upload.objects.get(pk=first.pk).code == "upload-expired"  # its receipt stays


def test_a_sweep_finishes_what_a_dead_server_left(sender: Sender, portraits: Collection) -> None:
    data = factories.tiff_bytes()
    begun(sender, portraits, data)
    upload = Upload.objects.get()
    incoming.path_of(upload.pk).write_bytes(data)  # all bytes came, and then the lights went out
    assert resumable.sweep().finished == 0  # somebody may be at it
    Upload.objects.update(changed=timezone.now() - timedelta(minutes=5), state="checking")
    assert resumable.sweep().finished == 1
    assert resumable.sweep().finished == 0
    assert Item.objects.count() == 1


@pytest.mark.parametrize("state", ["checking", "uploading"])
def test_a_sender_that_comes_back_need_not_wait_for_a_sweep(
    sender: Sender, portraits: Collection, state: str
) -> None:
    """The server died between the last byte and the catalogue: asked how far it is, the next one finishes it."""
    data = factories.tiff_bytes()
    key = str(uuid4())
    address = begun(sender, portraits, data, key=key)
    upload = Upload.objects.get()
    incoming.path_of(upload.pk).write_bytes(data)
    assert sender.offset(address) == len(data)
    assert not Item.objects.exists()  # written just now: perhaps it still is
    Upload.objects.update(state=state)
    os.utime(incoming.path_of(upload.pk), (0, 0))
    with incoming.held(upload.pk):
        assert sender.offset(address) == len(data)
        assert not Item.objects.exists()  # somebody is at it
    if state == "checking":
        assert sender.offset(address) == len(data)
    else:
        again = sender.begin(len(data), data=data, filename="scan.tif", collection=portraits.ref, key=key)
        assert (again["Location"], again["Upload-Offset"]) == (address, str(len(data)))
    assert Upload.objects.get().state == "catalogued"
    assert Item.objects.count() == 1
    assert list(incoming.folder().iterdir()) == []


def test_a_full_disk_and_a_full_quota_are_told_before_the_bytes(
    sender: Sender, portraits: Collection, settings: Settings
) -> None:
    settings.SPARE_BYTES = 2**60
    answer = sender.begin(5, collection=portraits.ref)
    assert (answer.status_code, answer.json()["type"]) == (507, "/problems/upload-no-room")
    kept = StoredFile.objects.aggregate(n=Sum("size"))["n"] or 0  # the networks' weights lie in the store too
    settings.SPARE_BYTES, settings.STORE_QUOTA_BYTES = 0, kept + 100
    begun(sender, portraits, b"x" * 60)
    assert sender.begin(60, collection=portraits.ref).status_code == 507  # forty are left
    settings.STORE_QUOTA_BYTES, settings.MAX_FILE_BYTES = 0, 10
    assert sender.begin(11, collection=portraits.ref).status_code == 413
    assert sender.begin(0, collection=portraits.ref).status_code == 400
    assert Upload.objects.count() == 1


def test_an_item_gets_one_more_scan(sender: Sender, portraits: Collection) -> None:
    item = factories.master(portraits).scan.item
    data = factories.tiff_bytes()
    answer = sender.begin(len(data), data=data, filename="verso.tif", item=str(item.pk))
    assert answer.status_code == 201
    assert item.scans.count() == 2
    assert sender.begin(5, item=str(uuid4())).status_code == 404
    assert sender.begin(5, item="nonsense").status_code == 404


def test_the_same_file_twice_asks_the_person(sender: Sender, portraits: Collection) -> None:
    data = factories.tiff_bytes()
    for _ in range(2):
        sender.begin(len(data), data=data, filename="a.tif", collection=portraits.ref)
    assert sorted(Upload.objects.values_list("state", flat=True)) == ["catalogued", "duplicate"]
    sender.begin(len(data), data=data, filename="a.tif", collection=portraits.ref, on_duplicate="keep")
    assert Item.objects.count() == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"upload-length": "-1"}, {"upload-length": "many"}, {"upload-length": "9" * 40}, {"upload-length": "1.5"},
        {"upload-metadata": "filename %%%"}, {"upload-metadata": "a YQ==,a YQ=="}, {"upload-metadata": "a /////w=="},
    ],
)  # fmt: skip
def test_nonsense_is_a_400(sender: Sender, portraits: Collection, headers: dict[str, Any]) -> None:
    answer = sender.begin(5, collection=portraits.ref, headers=headers)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_a_form_or_a_wrong_type_is_no_part(sender: Sender, portraits: Collection) -> None:
    address = begun(sender, portraits, b"12345")
    answer = sender.client.generic(
        "PATCH", address, b"1", content_type="text/plain", headers={"upload-offset": "0"}
    )
    assert answer.status_code == 415
    assert sender.client.generic("PATCH", address, b"1", content_type=PART).status_code == 400


def test_the_method_may_be_hidden_from_a_proxy(sender: Sender, portraits: Collection) -> None:
    address = begun(sender, portraits, b"12345")
    headers = {"upload-offset": "0", "x-http-method-override": "PATCH"}
    answer = sender.client.generic("POST", address, b"123", content_type=PART, headers=headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (204, "3")


@given(st.dictionaries(st.text("abcdefgh", min_size=1), st.text(), max_size=5))
def test_metadata_is_read_as_it_was_written(said: dict[str, str]) -> None:
    header = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in said.items())
    assert tus.metadata(header) == said
