"""Bytes no row knows are swept, and never those that somebody is giving a row at that very moment."""

import io
import os
import threading
import time

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from archive.catalogue.models import StoredFile
from archive.catalogue.services import register_file, register_files, unknown_for_good
from archive.preservation import orphans
from archive.store import StoreUnavailable, get_store

DAY = 86_400.0
DATA = b"what a cancelled job made on Monday"


def stored(data: bytes = DATA, *, days_ago: float = 0) -> str:
    """Bytes without a row, put so many days ago."""
    sha256 = get_store().put(io.BytesIO(data)).sha256
    then = time.time() - days_ago * DAY
    with get_store().local_path(sha256) as path:
        os.utime(path, (then, then))
    return sha256


@pytest.mark.django_db
def test_what_is_put_again_after_the_list_was_made_is_not_removed() -> None:
    sha256 = stored(days_ago=2)
    [listed] = orphans.files_without_rows()
    assert listed.age > DAY
    again = get_store().put(io.BytesIO(DATA))  # the same recipe on Wednesday: the same bytes
    assert not again.new
    assert not orphans.remove(listed, older_than=DAY)
    register_file(sha256, size=again.size, media_type="image/tiff", new=again.new)
    assert get_store().exists(sha256)


@pytest.mark.django_db
def test_what_nobody_put_again_is_removed_and_asking_twice_is_no_error() -> None:
    stored(days_ago=2)
    [listed] = orphans.files_without_rows()
    assert orphans.remove(listed, older_than=DAY)
    assert not orphans.remove(listed, older_than=DAY)
    assert list(get_store().iterate()) == []


@pytest.mark.django_db
def test_no_row_is_written_for_bytes_that_were_swept_after_they_were_put() -> None:
    here, swept = stored(b"here"), stored(b"swept")
    get_store().remove(swept)
    files = [(sha256, 5, "image/tiff") for sha256 in (here, swept)]
    with pytest.raises(StoreUnavailable, match="Send them again"):
        register_files(files, old=[here, swept])
    assert not StoredFile.objects.filter(pk__in=[here, swept]).exists()
    assert set(register_files(files[:1], old=[here])) == {here}


@pytest.mark.django_db(transaction=True)
def test_bytes_whose_row_is_being_written_are_left_alone_until_it_is_there() -> None:
    sha256 = stored(days_ago=2)
    [listed] = orphans.files_without_rows()
    written, commit = threading.Event(), threading.Event()

    def record() -> None:
        with transaction.atomic():
            register_file(sha256, size=len(DATA), media_type="image/tiff", new=False)
            written.set()
            commit.wait(10)
        connection.close()

    recorder = threading.Thread(target=record)
    recorder.start()
    assert written.wait(10)
    assert not orphans.remove(
        listed, older_than=DAY
    )  # at once: a sweep keeps nobody waiting, and does not wait
    commit.set()
    recorder.join()
    assert not orphans.remove(listed, older_than=DAY)
    assert get_store().exists(sha256)


@pytest.mark.django_db(transaction=True)
def test_whoever_writes_a_row_while_bytes_are_swept_waits_and_then_learns_that_they_are_gone() -> None:
    sha256 = stored(days_ago=2)
    outcome: list[str] = []

    def record() -> None:
        try:
            register_file(sha256, size=len(DATA), media_type="image/tiff", new=False)
        except StoreUnavailable:
            outcome.append("put them again")
        connection.close()

    recorder = threading.Thread(target=record)
    with transaction.atomic():
        assert unknown_for_good(sha256)
        recorder.start()
        recorder.join(0.3)
        assert recorder.is_alive()
        get_store().remove(sha256)
    recorder.join(10)
    assert outcome == ["put them again"]
    assert not StoredFile.objects.filter(pk=sha256).exists()


@pytest.mark.django_db
def test_the_command_says_what_it_left_and_what_it_took() -> None:
    old, young = stored(b"old", days_ago=2), stored(b"young")
    out = io.StringIO()
    call_command("sweep", delete_orphans=True, stdout=out)
    assert f"{old} (removed)" in out.getvalue()
    assert f"{young} (young" in out.getvalue()
