"""Views that are gone, cannot be made just now, or take their worker with them: made again, waited for, given up."""

import errno
import io
import os
import shutil
import threading
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
import pyvips
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from tifffile import TiffFile, TiffPage

from archive.accounts.models import Role
from archive.catalogue.models import Collection, StoredFile, Version
from archive.iiif import renditions, views
from archive.iiif.models import Rendition
from archive.iiif.renditions import MOST_TRIES, make
from archive.iiif.services import want
from archive.iiif.trouble import Rest
from archive.jobs import dispatch
from archive.jobs.sweep import sweep
from archive.proofs.models import Proof
from archive.store import StoreFull, StoreUnavailable, get_renditions, get_store
from tests.archive import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rest(monkeypatch: pytest.MonkeyPatch) -> Rest:
    """A worker that is not resting."""
    fresh = Rest()
    monkeypatch.setattr(renditions, "rest", fresh)
    return fresh


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The versions an io worker was told of."""
    told: list[UUID] = []
    monkeypatch.setattr(dispatch, "render", told.extend)
    return told


def shown(version: Version) -> list[int]:
    """The status of a tile, of thumbnails in both formats, and of the difference."""
    kinds = [f"/iiif/3/{version.pk}"] + [f"/iiif/difference/{version.pk}"] * (not version.is_master)
    addresses = [f"{kind}/full/max/0/default.jpg" for kind in kinds]
    addresses += [
        reverse("iiif:thumbnail", args=[version.pk, 240, extension]) for extension in ("webp", "jpg")
    ]
    return [Client().get(address).status_code for address in addresses]


def made(into: Collection) -> Version:
    version = factories.master(into)
    want([version.pk])
    make(version.pk)
    return version


def state(version: Version) -> tuple[str, int]:
    row = Rendition.objects.get(version=version, kind="pyramid")
    return row.state, row.tries


@pytest.mark.parametrize("lost", ["pyramid", "thumbnail", "difference"])
def test_a_view_that_is_gone_after_a_restore_is_made_again_once_somebody_looks(
    lost: str, portraits: Collection, nudged: list[UUID]
) -> None:
    version = factories.derivative(factories.master(portraits), state="published")
    want([version.pk])
    make(version.pk)
    assert shown(version) == [200] * 4
    nudged.clear()
    for row in Rendition.objects.filter(version=version, kind=lost):
        get_renditions().remove(row.key)
    views.pyramids._open.clear()  # another process, or this one after a restart
    assert 503 in shown(version)
    assert 503 in shown(version)
    assert nudged == [version.pk]  # once, however many tiles are missed
    assert state(version) == ("wanted", 0)
    make(version.pk)
    assert shown(version) == [200] * 4


@pytest.mark.parametrize("lost", ["pyramid", "thumbnail", "difference"])
@pytest.mark.parametrize("left", [0.0, 0.5, 0.999], ids=["nothing left", "half left", "nearly all left"])
def test_a_view_that_is_cut_off_is_found_out_and_made_again_like_one_that_is_gone(
    lost: str, left: float, portraits: Collection, nudged: list[UUID]
) -> None:
    version = factories.derivative(factories.master(portraits), state="published")
    want([version.pk])
    make(version.pk)
    nudged.clear()
    for row in Rendition.objects.filter(version=version, kind=lost):
        os.truncate(Path(settings.RENDITIONS) / row.key, int(row.size * left))
    views.pyramids._open.clear()
    assert set(shown(version)) == {200, 503}
    assert nudged == [version.pk]
    assert state(version) == ("wanted", 0)
    make(version.pk)
    assert shown(version) == [200] * 4


def test_a_pyramid_cut_off_while_it_is_open_sends_no_half_a_tile(
    portraits: Collection, nudged: list[UUID]
) -> None:
    version = factories.master_of(portraits, factories.pixels(300, 300))
    want([version.pk])
    make(version.pk)
    address = f"/iiif/3/{version.pk}/0,0,256,256/256,256/0/default.jpg"
    assert Client().get(address).status_code == 200
    row = Rendition.objects.get(version=version, kind="pyramid")
    os.truncate(Path(settings.RENDITIONS) / row.key, 2000)
    assert Client().get(address).status_code == 503
    assert state(version) == ("wanted", 0)


def test_a_pyramid_of_other_bytes_is_found_out_too(portraits: Collection, nudged: list[UUID]) -> None:
    version = made(portraits)
    row = Rendition.objects.get(version=version, kind="pyramid")
    (Path(settings.RENDITIONS) / row.key).write_bytes(bytes(row.size))  # the disk lost what it promised
    views.pyramids._open.clear()
    assert 503 in shown(version)
    assert state(version) == ("wanted", 0)


def test_a_hole_in_a_pyramid_is_found_out_by_a_tile_in_it(portraits: Collection, nudged: list[UUID]) -> None:
    version = factories.master_of(portraits, factories.pixels(300, 300))
    want([version.pk])
    make(version.pk)
    row = Rendition.objects.get(version=version, kind="pyramid")
    path = Path(settings.RENDITIONS) / row.key
    with TiffFile(path) as file:
        page = cast(TiffPage, file.pages[0])
        offset, length = page.dataoffsets[0], page.databytecounts[0]
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\0" * length)
    views.pyramids._open.clear()
    assert Client().get(f"/iiif/3/{version.pk}/0,0,256,256/256,256/0/default.jpg").status_code == 503
    assert state(version) == ("wanted", 0)


def test_a_whole_disk_of_views_is_made_again_by_one_command(portraits: Collection) -> None:
    versions = [made(portraits) for _ in range(4)]
    kept = made(portraits)
    for version in versions[:2]:
        shutil.rmtree(Path(settings.RENDITIONS) / str(version.pk)[-2:] / str(version.pk))
    Rendition.objects.filter(version=versions[2], kind="pyramid").update(state="failed", tries=MOST_TRIES)
    cut = Rendition.objects.get(version=versions[3], kind="pyramid")
    os.truncate(Path(settings.RENDITIONS) / cut.key, cut.size - 1)
    never = factories.master(portraits)
    Rendition.objects.filter(version=never).delete()
    out = io.StringIO()
    call_command("renditions", stdout=out)
    assert out.getvalue() == "0 wanted, 4 ready, 1 failed\n"
    call_command("renditions", again=True, stdout=out)
    assert "5 pictures" in out.getvalue()
    assert state(kept)[0] == "ready"
    for version in [*versions, never]:
        assert state(version) == ("wanted", 0)
        make(version.pk)
        assert shown(version) == [200] * 3


def test_a_view_that_was_given_up_says_so_instead_of_being_made_for_ever(portraits: Collection) -> None:
    version = made(portraits)
    Rendition.objects.filter(version=version).exclude(kind="pyramid").delete()
    Rendition.objects.filter(version=version).update(state="failed", tries=MOST_TRIES, problem="no light")
    for address in (
        reverse("iiif:thumbnail", args=[version.pk, 240, "webp"]),
        reverse("iiif:region", args=[version.pk, "full", "max", "0", "default", "jpg"]),
    ):
        answer = Client().get(address)
        assert (answer.status_code, b"could not be made" in answer.content) == (404, True)
        assert answer["Cache-Control"] == "no-store"
    odo = factories.user("odo-of-views", Role.ADMIN)
    admin = Client()
    admin.force_login(odo)
    assert "the last since: no light" in admin.get("/system/").content.decode()


def test_only_what_failed_or_everything_may_be_asked_for(portraits: Collection) -> None:
    failed, ready = made(portraits), made(portraits)
    Rendition.objects.filter(version=failed, kind="pyramid").update(state="failed", tries=MOST_TRIES)
    call_command("renditions", again=True, failed=True, stdout=io.StringIO())
    assert [state(failed)[0], state(ready)[0]] == ["wanted", "ready"]
    call_command("renditions", again=True, all=True, stdout=io.StringIO())
    assert state(ready) == ("wanted", 0)
    with pytest.raises(CommandError, match="--again"):
        call_command("renditions", failed=True)


def test_the_sweeper_asks_at_once_for_what_the_command_found(
    portraits: Collection, nudged: list[UUID]
) -> None:
    version = made(portraits)
    Rendition.objects.filter(version=version).update(changed="2020-01-01T00:00:00Z")
    call_command("renditions", again=True, all=True, stdout=io.StringIO())
    nudged.clear()
    sweep()
    assert nudged == [version.pk]


FULL_DISK = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
FULL_DISK_IN_LIBVIPS = pyvips.Error("unable to call tiffsave", "system error: No space left on device\n")


@pytest.mark.parametrize(
    "trouble",
    [StoreFull("No room."), StoreUnavailable("Away."), FULL_DISK, FULL_DISK_IN_LIBVIPS],
    ids=["store full", "store away", "scratch full", "scratch full in libvips"],
)
def test_what_is_no_fault_of_the_picture_is_no_try_and_the_worker_rests(
    trouble: Exception, portraits: Collection, monkeypatch: pytest.MonkeyPatch, rest: Rest
) -> None:
    version = factories.master(portraits)
    want([version.pk])
    asked = []

    def refuse(*_any: Any) -> None:
        asked.append(1)
        raise trouble

    with monkeypatch.context() as away:
        away.setattr(renditions, "_make_all", refuse)
        for _ in range(MOST_TRIES + 2):
            make(version.pk)
            assert not rest.is_over
            make(version.pk)  # resting: nothing is even tried
            rest._until = 0.0
        assert len(asked) == MOST_TRIES + 2
        assert state(version) == ("wanted", 0)
        assert Rendition.objects.get(version=version, kind="pyramid").problem == str(trouble)
    make(version.pk)
    assert shown(version) == [200] * 3
    assert rest.is_over


def test_rests_grow_up_to_five_minutes_and_end_with_success(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    lasted = []
    for _ in range(7):
        rest.begin(StoreFull("No room."))
        lasted.append(rest._until - now)
    assert lasted == [10, 20, 40, 80, 160, 300, 300]
    rest.end()
    assert rest.is_over
    rest.begin(StoreFull("No room."))
    assert rest._until - now == 10


def test_a_store_that_is_not_mounted_is_no_fault_of_the_picture(portraits: Collection) -> None:
    version = factories.master(portraits)
    want([version.pk])
    place = Path(settings.STORE)
    place.rename(place.with_name("elsewhere"))
    place.mkdir()
    make(version.pk)
    assert state(version) == ("wanted", 0)


def test_a_scan_whose_bytes_are_gone_is_given_up_after_its_tries(portraits: Collection) -> None:
    version, other = factories.master(portraits), factories.master(portraits)
    want([version.pk])
    get_store().remove(version.file_id)
    StoredFile.objects.exclude(pk__in=[version.file_id, other.file_id]).update(condition="disposed")
    for _ in range(MOST_TRIES):
        make(version.pk)
    assert state(version) == ("failed", MOST_TRIES)


def test_a_scan_that_kills_its_worker_is_given_up_after_its_tries(
    portraits: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = factories.master(portraits)
    want([version.pk])

    def killed(*_any: Any) -> None:
        raise SystemExit  # as far as the row is concerned: nobody is left to note anything

    monkeypatch.setattr(renditions, "_make_all", killed)
    for _ in range(MOST_TRIES):
        with pytest.raises(SystemExit):
            make(version.pk)
        assert state(version)[0] == "wanted"
    make(version.pk)
    assert state(version) == ("failed", MOST_TRIES)
    assert "memory" in Rendition.objects.get(version=version, kind="pyramid").problem


@pytest.mark.django_db(transaction=True)
def test_a_scan_somebody_is_at_is_not_begun_again_when_the_sweeper_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = factories.master()
    want([version.pk])
    begun, go_on = threading.Event(), threading.Event()
    make_all = renditions._make_all

    def slowly(*given: Any) -> None:
        begun.set()
        go_on.wait(10)
        make_all(*given)

    monkeypatch.setattr(renditions, "_make_all", slowly)

    def work() -> None:
        make(version.pk)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(10)
    for _ in range(MOST_TRIES + 1):
        make(version.pk)
    assert state(version) == ("wanted", 1)
    go_on.set()
    worker.join()
    assert state(version) == ("ready", 1)


def test_a_proof_that_is_gone_is_made_again(
    portraits: Collection, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudges: list[int] = []
    monkeypatch.setattr(dispatch, "proof", lambda: nudges.append(1))
    master = factories.master(portraits)
    proof = Proof.objects.create(
        version=master, recipe="a" * 64, canonical="{}", state="ready", tries=2, key="ab/proof.webp"
    )
    client = Client()
    client.force_login(ada)
    address = reverse("proofs:picture", args=[master.pk, proof.pk])
    assert [client.get(address).status_code for _ in range(2)] == [404, 404]
    proof.refresh_from_db()
    assert (proof.state, proof.tries, nudges) == ("wanted", 0, [1])
