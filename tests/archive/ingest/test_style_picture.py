"""A style picture from a file: kept as an item by its digest, under the rules of an upload, never twice."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from archive.accounts.models import User
from archive.catalogue.models import Collection, Item, Version
from archive.catalogue.services import register_file, register_release
from archive.ingest.style_picture import SHELF, StylePictureRefused, keep
from archive.jobs.models import Job
from archive.store import get_store
from stylizer.cards import Card
from tests.archive import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return factories.tiff(tmp_path / "great wave.tif", seed=77)


@pytest.fixture
def scan(portraits: Collection) -> Version:
    for name, digit, more in [("restore", "d", {}), ("style/reference", "e", {"reference": True})]:
        weights = register_file(digit * 64, size=9, media_type="application/octet-stream")
        operation = "restore" if name == "restore" else "stylise"
        register_release(Card(name, "1", operation, "small", digit * 64, **more), weights)  # type: ignore[arg-type]
    return factories.master(portraits)


def ordered(scan: Version, *arguments: str, recipe: str = "style/reference") -> Job:
    call_command("order", recipe, "--version", str(scan.pk), *arguments)
    return Job.objects.latest("pk")


def test_an_order_keeps_the_file_before_it_names_its_digest(scan: Version, odo: User, file: Path) -> None:
    data = file.read_bytes()
    job = ordered(scan, "--reference", str(file))
    file.unlink()
    picture = job.reference
    assert picture is not None
    assert picture.file_id == hashlib.sha256(data).hexdigest()
    with get_store().open(picture.file_id) as kept:
        assert kept.read() == data
    item = picture.scan.item
    assert (item.title, item.collection.ref, item.collection.access) == ("great wave", SHELF, "staff")


def test_the_same_picture_again_is_the_same_version(scan: Version, odo: User, file: Path) -> None:
    first, again = (ordered(scan, "--reference", str(file)).reference for _n in range(2))
    assert first == again
    assert Item.objects.filter(collection__ref=SHELF).count() == 1


def test_a_picture_the_archive_has_is_used_where_it_lies(scan: Version, odo: User, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tif"
    with get_store().open(scan.file_id) as there:
        copy.write_bytes(there.read())
    assert ordered(scan, "--reference", str(copy)).reference == scan
    assert not Collection.objects.filter(ref=SHELF).exists()


def test_it_is_kept_where_one_says_and_only_where_one_may(
    scan: Version, ada: User, max_: User, file: Path, portraits: Collection
) -> None:
    with pytest.raises(StylePictureRefused, match="may not upload into “style-pictures”"):
        keep(file, by=ada)
    with pytest.raises(StylePictureRefused, match="may not upload into “portraits”"):
        keep(file, by=max_, into="portraits")
    assert keep(file, by=ada, into="portraits").scan.item.collection == portraits


def test_a_file_one_may_not_see_is_not_given_away(scan: Version, ada: User, file: Path) -> None:
    """Somebody else's private copy of the same bytes: Ada gets a version of her own."""
    from archive.ingest.services import receive

    theirs = factories.collection("closed", access="private")
    receive(file, filename="theirs.tif", collection=theirs, by=None)
    assert keep(file, by=ada, into="portraits").scan.item.collection.ref == "portraits"


@pytest.mark.parametrize(
    ("recipe", "reference", "sentence"),
    [
        ("restore", "wave", "takes no style picture"),
        ("style/reference", "missing.tif", "neither the id of a version nor a file"),
        ("style/reference", "broken", "."),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing(
    scan: Version, odo: User, file: Path, tmp_path: Path, recipe: str, reference: str, sentence: str
) -> None:
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"no picture")
    known: dict[str, Any] = {"wave": file, "broken": broken}
    items = Item.objects.count()
    with pytest.raises(CommandError, match=sentence):
        ordered(scan, "--reference", str(known.get(reference, tmp_path / reference)), recipe=recipe)
    assert Item.objects.count() == items
    assert not Job.objects.exists()
