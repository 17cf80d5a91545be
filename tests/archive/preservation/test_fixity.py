"""One flipped bit on the disk: named by the command, recorded as an event, and no longer served."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from archive.catalogue.models import Collection, Event, Version
from archive.iiif.models import Rendition
from archive.iiif.renditions import make
from archive.iiif.services import want
from archive.ingest.services import receive
from archive.store import get_store
from tests.archive import factories

pytestmark = pytest.mark.django_db


def flip(version: Version) -> Path:
    with get_store().local_path(version.file.sha256) as path:
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    return path


def test_a_flipped_bit_is_named_recorded_and_no_longer_served(portraits: Collection) -> None:
    sound, hurt = factories.master(portraits, title="Sound"), factories.master(portraits, title="Hurt")
    for version in (sound, hurt):
        want([version.pk])
        make(version.pk)
    client = Client()
    addresses = [
        reverse("catalogue:file", args=[hurt.pk]),
        reverse("iiif:region", args=[hurt.pk, "full", "max", "0", "default", "jpg"]),
        reverse("iiif:thumbnail", args=[hurt.pk, 240, "webp"]),
    ]
    assert [client.get(address).status_code for address in addresses] == [200, 200, 200]
    path = flip(hurt)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("fixity", collection="portraits", stdout=out)
    assert f"WRONG {hurt.file.sha256}" in out.getvalue()
    assert f"version {hurt.pk}" in out.getvalue()
    assert "Hurt" in out.getvalue()
    assert "2 files checked, 1 wrong" in out.getvalue()
    failure = Event.objects.get(type="fixity check", outcome="failure", objects_linked__file=hurt.file)
    assert failure.detail["sha256"] == hurt.file.sha256
    assert [client.get(address).status_code for address in addresses] == [410, 404, 404]
    assert client.get(reverse("catalogue:file", args=[sound.pk])).status_code == 200

    flip(hurt)  # and back
    assert path.exists()
    call_command("fixity", collection="portraits", stdout=out)
    assert "1 sound again" in out.getvalue()
    assert client.get(addresses[0]).status_code == 200


@pytest.mark.parametrize("gone", [False, True])
def test_a_damaged_master_is_mended_by_sending_it_again(
    portraits: Collection, gone: bool, tmp_path: Path
) -> None:
    hurt = factories.master(portraits)
    with get_store().local_path(hurt.file.sha256) as path:
        sound = tmp_path / "kept.tif"
        sound.write_bytes(path.read_bytes())
    if gone:
        path.unlink()
    else:
        flip(hurt)
    with pytest.raises(SystemExit):
        call_command("fixity", stdout=io.StringIO())
    want([hurt.pk])
    Rendition.objects.filter(version=hurt).update(state="failed", tries=3)
    receipt = receive(sound, filename="kept.tif", collection=portraits, by=None)
    assert receipt.state == "duplicate"
    assert "mended" in receipt.sentence
    assert path.read_bytes() == sound.read_bytes()
    assert Client().get(reverse("catalogue:file", args=[hurt.pk])).status_code == 200
    told = Event.objects.filter(type="fixity check", objects_linked__file=hurt.file).latest("pk")
    assert (told.outcome, told.detail["mended"]) == ("success", "by the same file, sent again")
    assert Rendition.objects.get(version=hurt).state == "wanted"
    again = receive(sound, filename="kept.tif", collection=portraits, by=None)
    assert "mended" not in again.sentence


def test_missing_bytes_are_a_failure_too(portraits: Collection) -> None:
    master = factories.master(portraits)
    get_store().remove(master.file.sha256)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("fixity", stdout=out)
    assert "its bytes are gone" in out.getvalue()


def test_the_sweeper_lists_orphans_and_removes_only_old_ones(portraits: Collection) -> None:
    kept = factories.master(portraits)
    orphan = get_store().put(io.BytesIO(b"no row knows this")).sha256
    out = io.StringIO()
    call_command("sweep", delete_orphans=True, stdout=out)
    assert f"{orphan} (young" in out.getvalue()
    call_command("sweep", delete_orphans=True, older_than=-1.0, stdout=out)
    assert f"{orphan} (removed)" in out.getvalue()
    assert get_store().exists(kept.file.sha256)
    assert not get_store().exists(orphan)
