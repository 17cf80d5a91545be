"""Fixity: are the stored bytes still those their digests name? One event a run, and one for each failure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.catalogue.models import Collection, Event, StoredFile, Version
from archive.catalogue.services import record
from archive.store import MissingObject, get_store

CHUNK = 1 << 20
FILE_BATCH = 200


@dataclass(frozen=True)
class Finding:
    """One file whose bytes are not what they should be."""

    file: StoredFile
    found: str  # what was found instead, as a sentence


@dataclass
class Run:
    """What a run has seen so far."""

    checked: int = 0
    total: int = 0
    repaired: int = 0
    failures: int = 0


def files_of(collection: Collection | None) -> QuerySet[StoredFile]:
    """All stored files, or those behind the versions and sidecars of a collection and everything below it."""
    files = StoredFile.objects.exclude(condition=StoredFile.Condition.DISPOSED).order_by("sha256")
    if collection is None:
        return files
    versions = Version.objects.filter(scan__item__collection__path__contains=[collection.pk])
    return files.filter(Q(versions__in=versions) | Q(sidecars__version__in=versions)).distinct()


def check(collection: Collection | None = None) -> Iterator[tuple[Run, Finding | None]]:
    """Verify every file, yielding after each; ends with the run's own event.

    A damaged file is no longer served; one found sound again is.
    """
    files = files_of(collection)
    run = Run(total=files.count())
    for file in files.iterator(chunk_size=FILE_BATCH):
        problem = examine(file)
        run.checked += 1
        if problem is None:
            run.repaired += file.condition == StoredFile.Condition.DAMAGED
            StoredFile.objects.filter(pk=file.pk).update(
                last_verified=timezone.now(), condition=StoredFile.Condition.INTACT
            )
            yield run, None
        else:
            run.failures += 1
            note_damage(file, found=problem)
            yield run, Finding(file, problem)
    record(
        Event.Type.FIXITY_CHECK,
        about=[("subject", collection)] if collection else [],
        outcome=Event.Outcome.FAILURE if run.failures else Event.Outcome.SUCCESS,
        detail={"checked": run.checked, "failures": run.failures, "repaired": run.repaired},
    )


def examine(file: StoredFile) -> str | None:
    """What is wrong with a file's bytes, or None. A store that does not answer is not the file's fault: it raises."""
    try:
        with get_store().open(file.sha256) as stream:
            digest, size = _measure(stream)
    except MissingObject:
        return "its bytes are gone"
    if digest != file.sha256:
        return f"its bytes changed: {size} bytes with SHA-256 {digest}, expected {file.size} bytes"
    return None


@transaction.atomic
def note_damage(file: StoredFile, *, found: str) -> None:
    """Mark a file as damaged, so that it is no longer served, and leave an event. Doing it twice leaves one event a
    discovery, which is what happened."""
    file.condition = StoredFile.Condition.DAMAGED
    file.save(update_fields=["condition"])  # not `update`: whoever remembers that it may be served is told
    record(
        Event.Type.FIXITY_CHECK,
        about=[("subject", file)],
        outcome=Event.Outcome.FAILURE,
        detail={"sha256": file.sha256, "found": found},
    )


def mend(sha256: str, path: Path) -> bool:
    """Put the sound bytes of `path` in the place of those that a check found damaged; True if there were such.

    Raises:
        StoreError: not now; what was damaged still is.
    """
    file = StoredFile.objects.filter(pk=sha256, condition=StoredFile.Condition.DAMAGED).first()
    if file is None:
        return False
    found = examine(file)
    if found is not None:
        store = get_store()
        store.remove(sha256)
        store.put_path(path, expected=sha256)
    with transaction.atomic():
        file.condition, file.last_verified = StoredFile.Condition.INTACT, timezone.now()
        file.save(update_fields=["condition", "last_verified"])
        record(
            Event.Type.FIXITY_CHECK,
            about=[("subject", file)],
            outcome=Event.Outcome.SUCCESS,
            detail={"sha256": sha256, "found": found or "sound", "mended": "by the same file, sent again"},
        )
    return True


def where_used(file: StoredFile) -> list[str]:
    """The pictures that rest on a file, in words: for the report of a failure."""
    versions = (
        Version.objects.filter(Q(file=file) | Q(sidecars__file=file)).select_related("scan__item").distinct()
    )
    return [
        f"version {v.pk} ({v.get_role_display()}) of item {v.scan.item_id} “{v.scan.item.title}”"
        for v in versions
    ]


def _measure(stream: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
