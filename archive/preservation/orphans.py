"""Files without rows and rows without files: listed by the sweeper, removed only when old enough to be nobody's."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from archive.catalogue.models import StoredFile
from archive.store import get_store

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


def remove(orphan: Orphan) -> bool:
    """Remove an orphan's bytes, unless a row has appeared meanwhile."""
    if StoredFile.objects.filter(pk=orphan.sha256).exists():
        return False
    get_store().remove(orphan.sha256)
    return True


def _unknown(batch: list[tuple[str, float]]) -> Iterator[Orphan]:
    known = set(
        StoredFile.objects.filter(pk__in=[digest for digest, _at in batch]).values_list("pk", flat=True)
    )
    now = time.time()
    yield from (Orphan(digest, now - at) for digest, at in batch if digest not in known)
