"""Forms with files are refused by the length they announce: not one of their bytes is read."""

import io
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from archive.accounts.models import User
from archive.catalogue.models import Collection
from archive.ingest.models import Upload
from tests.archive import factories

pytestmark = pytest.mark.django_db


class NeverRead(io.RawIOBase):
    """A body that nobody may touch."""

    def read(self, _size: int = -1) -> bytes:
        raise AssertionError("The body was read before the room was asked for.")


def announce(client: Client, path: str, length: int, *, accept: str = "text/html", **more: Any) -> Any:
    return client.request(
        **{
            "REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_TYPE": "multipart/form-data; boundary=x",
            "CONTENT_LENGTH": str(length), "wsgi.input": NeverRead(), "HTTP_ACCEPT": accept, **more,
        }
    )  # fmt: skip


@pytest.fixture
def hers(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def test_a_full_quota_refuses_the_plain_form_before_its_bytes_are_read(
    hers: Client, portraits: Collection, settings: Settings
) -> None:
    settings.STORE_QUOTA_BYTES = 1000
    answer = announce(hers, "/upload/", 2000)
    assert answer.status_code == 507
    assert "There is room for" in answer.content.decode()
    told = announce(hers, "/upload/", 2000, accept="application/json")
    assert (told.status_code, told.json()["problem"]["code"]) == (507, "upload-no-room")
    assert not Upload.objects.exists()


def test_a_full_quota_refuses_the_api_and_every_other_large_form(hers: Client, settings: Settings) -> None:
    settings.STORE_QUOTA_BYTES = 1000
    answer = announce(hers, "/api/v1/uploads/", 2000, accept="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (507, "application/problem+json")
    assert answer.json()["type"] == "/problems/upload-no-room"
    sheets = reverse("catalogue:sheets", args=["portraits"])
    assert announce(hers, sheets, 40 * 2**20).status_code == 507
    assert announce(Client(), "/accounts/login/", 2**40).status_code == 413  # whoever asks


def test_who_has_not_signed_in_sends_nothing_large(hers: Client) -> None:
    answer = announce(Client(), "/accounts/login/", 2 * 2**20)
    assert answer.status_code == 413
    assert "Sign in" in answer.content.decode()
    assert announce(Client(), "/upload/", 2 * 2**20, accept="application/json").status_code == 413


def test_only_uploads_may_be_as_large_as_a_scan(hers: Client) -> None:
    sheets = reverse("catalogue:sheets", args=["portraits"])
    answer = announce(hers, sheets, 600 * 2**20)
    assert answer.status_code == 413
    assert "512.0 MiB" in answer.content.decode()


def test_the_disk_that_bytes_arrive_on_is_asked_even_where_the_store_has_no_bounds(
    hers: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr("archive.store.local.LocalStore.free_bytes", lambda _self: None)
    settings.SPARE_BYTES = 2**62
    assert announce(hers, "/upload/", 2000).status_code == 507


def test_a_form_larger_than_any_file_may_be_is_refused(hers: Client, settings: Settings) -> None:
    settings.MAX_FILE_BYTES = 5000
    answer = announce(hers, "/upload/", 5001)
    assert answer.status_code == 413
    assert "at most" in answer.content.decode()


def test_a_form_there_is_room_for_goes_through_as_before(
    hers: Client, portraits: Collection, settings: Settings
) -> None:
    settings.STORE_QUOTA_BYTES = 100 * 2**20  # the weights of the models are stored too
    file = SimpleUploadedFile("scan.tif", factories.tiff_bytes())
    answer = hers.post("/upload/", {"collection": portraits.ref, "file": file})
    assert answer.status_code == 200
    assert Upload.objects.get().state == Upload.State.CATALOGUED


@pytest.mark.parametrize("length", ["", "-1", "x", "１２"])
def test_a_length_that_is_none_is_left_to_the_form_itself(length: str, settings: Settings) -> None:
    from django.test import RequestFactory

    from archive.ingest.room import announced

    request = RequestFactory().post("/upload/")
    request.META["CONTENT_LENGTH"] = length
    assert announced(request) is None


def test_the_room_is_asked_for_before_anything_reads_a_form() -> None:
    order = configured.MIDDLEWARE
    assert order.index("archive.ingest.room.RoomFirst") < order.index(
        "django.middleware.csrf.CsrfViewMiddleware"
    )
