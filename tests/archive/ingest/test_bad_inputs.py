"""Ten bad inputs, three ways in. Each is refused, or taken, with a sentence; a refusal leaves nothing behind."""

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from archive.accounts.models import User
from archive.catalogue.models import Collection, Item, StoredFile, Version
from archive.ingest.models import Upload
from archive.ingest.services import receive, resolve_duplicate
from archive.store import get_store
from tests.archive import factories

pytestmark = pytest.mark.django_db


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"x"))
        + chunk(b"IEND", b"")
    )


@dataclass(frozen=True)
class Case:
    """`code` is the refusal's, empty where the file is taken; `shown` is the name it is kept under."""

    name: str
    data: bytes
    code: str = ""
    shown: str = ""


GOOD = factories.tiff_bytes(seed=4242)
CASES = {
    "empty": Case("empty.tif", b"", "image-empty"),
    "truncated": Case("cut.tif", GOOD[: len(GOOD) // 2], "image-unreadable"),
    "wrong extension": Case("really-a-tiff.jpg", GOOD),
    "HTML in disguise": Case(
        "photo.jpg", b"<!DOCTYPE html><html><body>not found</body></html>", "image-not-an-image"
    ),
    "SVG": Case(
        "drawing.tif", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image-unsupported"
    ),
    "a bomb by declared size": Case("bomb.png", png_that_claims(60_000, 60_000), "image-too-large"),
    "a path as a name": Case("../../etc/x.tif", GOOD, shown="x.tif"),
    "a name in Chinese": Case("外滩老照片 1920.tif", GOOD, shown="外滩老照片 1920.tif"),
}


def nothing_is_left() -> bool:
    rows = (
        StoredFile.objects.filter(model_release=None).count() + Item.objects.count() + Version.objects.count()
    )
    return rows == 0 and list(get_store().iterate()) == []


def judge(case: Case, upload: Upload) -> None:
    if case.code:
        assert upload.state == "refused"
        assert upload.code == case.code
        assert upload.sentence.endswith(".")
        assert nothing_is_left()
    else:
        assert upload.state == "catalogued"
        assert upload.filename == (case.shown or case.name)
        assert Version.objects.get().technical["mime"] == "image/tiff"


@pytest.mark.parametrize("what", CASES)
def test_by_the_service(what: str, portraits: Collection, ada: User, tmp_path: Path) -> None:
    case = CASES[what]
    path = tmp_path / "arrived"
    path.write_bytes(case.data)
    judge(case, receive(path, filename=case.name, collection=portraits, by=ada))


@pytest.mark.parametrize("address", ["/upload/", "/api/v1/uploads/"])
@pytest.mark.parametrize("what", CASES)
def test_by_browser_and_by_api(what: str, address: str, portraits: Collection, ada: User) -> None:
    case = CASES[what]
    client = Client()
    client.force_login(ada)
    file = SimpleUploadedFile("x", case.data)
    file._name = case.name  # type: ignore[attr-defined]  # what a hostile client sends, past Django's own cleaning
    answer = client.post(
        address, {"file": file, "collection": "portraits"}, headers={"accept": "application/json"}
    )
    assert answer.status_code == 201
    said = answer.json()
    judge(case, Upload.objects.get(pk=said["id"]))
    assert (said["problem"] or {}).get("code", "") == case.code


def test_by_command(portraits: Collection, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    for case in CASES.values():
        if case.code:
            (folder / Path(case.name).name).write_bytes(case.data)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("ingest", str(folder), collection="portraits", stdout=out)
    assert "0 new, 0 already there, 5 refused" in out.getvalue()
    assert "bomb.png: The picture says it has 60000 × 60000 pixels" in out.getvalue()
    assert nothing_is_left()


def test_a_folder_of_none_is_said_to_be_one(portraits: Collection, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no file in this folder"):
        call_command("ingest", str(tmp_path), collection="portraits")


def test_a_duplicate_is_a_choice(portraits: Collection, ada: User, tmp_path: Path) -> None:
    path = factories.tiff(tmp_path / "one.tif")
    first = receive(path, filename="one.tif", collection=portraits, by=ada)
    again = receive(path, filename="two.tif", collection=portraits, by=ada)
    assert (again.state, again.item) == ("duplicate", first.item)
    assert Item.objects.count() == 1
    resolve_duplicate(again, choice="keep", by=ada)
    assert Item.objects.count() == 2
    assert StoredFile.objects.filter(model_release=None).count() == 1
    skipped = receive(path, filename="three.tif", collection=portraits, by=ada, on_duplicate="skip")
    assert skipped.item == first.item
    assert Item.objects.count() == 2


def test_a_folder_taken_in_twice_adds_nothing(portraits: Collection, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    for number in range(3):
        factories.tiff(folder / f"{number}.tif")
    out = io.StringIO()
    call_command("ingest", str(folder), collection="a-new-one", stdout=out)
    call_command("ingest", str(folder), collection="a-new-one", stdout=out)
    assert "3 new, 0 already there" in out.getvalue()
    assert "0 new, 3 already there" in out.getvalue()
    assert Collection.objects.get(ref="a-new-one").access == "private"


def test_the_pages_of_a_file_are_scans_of_one_item(portraits: Collection, ada: User, tmp_path: Path) -> None:
    import tifffile

    path = tmp_path / "album.tif"
    with tifffile.TiffWriter(path) as out:
        for number in range(5):
            out.write(factories.pixels(seed=number), photometric="rgb", contiguous=False)
    upload = receive(path, filename="album.tif", collection=portraits, by=ada)
    versions = Version.objects.filter(scan__item=upload.item).order_by("scan__position")
    assert [v.page for v in versions] == [0, 1, 2, 3, 4]
    assert {v.file_id for v in versions} == {upload.file_id}
    assert versions[0].scan.current_master == versions[0]


def test_the_masters_bytes_are_kept_exactly(portraits: Collection, ada: User, tmp_path: Path) -> None:
    path = factories.tiff(tmp_path / "one.tif", bits=16)
    upload = receive(path, filename="one.tif", collection=portraits, by=ada)
    assert upload.file is not None
    with get_store().open(upload.file.sha256) as stored:
        assert stored.read() == path.read_bytes()


def test_a_sheet_describes_and_its_errors_are_named_by_row(portraits: Collection, tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    factories.tiff(folder / "a.tif")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("file,title,subject,date\na.tif,The harbour,ships | piers,ca. 1903\n", encoding="utf-8")
    call_command("ingest", str(folder), collection="portraits", sheet=sheet, stdout=io.StringIO())
    item = Item.objects.get()
    assert item.title == "The harbour"
    assert [v["value"] for v in item.description["subject"]] == ["ships", "piers"]
    assert item.date_edtf == "1903~"
    sheet.write_text("file,title\na.tif,x\na.tif,y\n", encoding="utf-8")
    with pytest.raises(CommandError, match="row 3, column file"):
        call_command("ingest", str(folder), collection="portraits", sheet=sheet)


def test_a_file_in_somebodys_folder_stays_theirs(portraits: Collection, tmp_path: Path) -> None:
    """The store keeps a copy: what its owner does with the file later must not reach a master."""
    path = factories.tiff(tmp_path / "theirs.tif")
    before, mode = path.read_bytes(), path.stat().st_mode
    upload = receive(path, filename="theirs.tif", collection=portraits, by=None)
    path.write_bytes(b"something else entirely")
    assert path.stat().st_mode == mode
    assert upload.file is not None
    with get_store().open(upload.file.sha256) as stored:
        assert stored.read() == before
