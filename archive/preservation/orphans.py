"""Files without rows and rows without files: listed by the sweeper, removed only when old enough to be nobody's."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from archive.catalogue.models import StoredFile
from archive.catalogue.services import unknown_for_good
from archive.store import MissingObject, get_store
from archive.transactions import may_be_silent

BATCH = 500


@dataclass(frozen=True)
class Orphan:
    """Bytes no row knows. `age` in seconds: an upload or a worker may be about to write their row."""

    sha256: str
    age: float


def files_without_rows() -> Iterator[Orphan]:
    batch: list[tuple[str, float]] = []
    for found in get_store().iterate():
        batch.append(found)
        if len(batch) == BATCH:
            yield from _unknown(batch)
            batch = []
    yield from _unknown(batch)


def rows_without_files() -> Iterator[StoredFile]:
    store = get_store()
    rows = StoredFile.objects.exclude(condition=StoredFile.Condition.DISPOSED)
    for file in rows.iterator(chunk_size=BATCH):
        if not store.exists(file.sha256):
            yield file


@transaction.atomic
def remove(orphan: Orphan, *, older_than: float) -> bool:
    """Remove an orphan's bytes, unless a row has appeared meanwhile or is being written, or they were put again.

    The list may be hours old. What counts is looked at now, in a moment in which nobody can write their row.
    """
    may_be_silent()  # a bucket may take its time; the turn is kept until it has answered
    if not unknown_for_good(orphan.sha256):
        return False
    store = get_store()
    try:
        if time.time() - store.stored_at(orphan.sha256) <= older_than:
            return False
    except MissingObject:
        return False
    store.remove(orphan.sha256)
    return True


def _unknown(batch: list[tuple[str, float]]) -> Iterator[Orphan]:
    known = set(
        StoredFile.objects.filter(pk__in=[digest for digest, _at in batch]).values_list("pk", flat=True)
    )
    now = time.time()
    yield from (Orphan(digest, now - at) for digest, at in batch if digest not in known)
