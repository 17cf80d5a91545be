"""Asking for renditions: the rows say what is wanted, the io worker makes it, and a lost message loses nothing."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from archive.catalogue.models import StoredFile, Version
from archive.iiif.models import Rendition
from archive.jobs import dispatch
from archive.store import get_renditions

BATCH = 2000
PYRAMIDS = Rendition.objects.filter(kind=Rendition.Kind.PYRAMID)


def want(versions: Iterable[UUID]) -> None:
    """Note that these versions need a pyramid (thumbnails are made with it), and nudge a worker after the commit."""
    ids = list(versions)
    Rendition.objects.bulk_create(
        [Rendition(version_id=version, kind=Rendition.Kind.PYRAMID) for version in ids], ignore_conflicts=True
    )
    dispatch.render(ids)


def want_again(version: UUID) -> None:
    """A view that was made is not there any more (a restore, a disk that was cleared): have all of them made again.

    Many tiles are missed at once; the first that is noticed asks.
    """
    if _again(PYRAMIDS.filter(version=version, state=Rendition.State.READY), changed=Now()):
        dispatch.render([version])


def want_if_never_asked(version: UUID) -> None:
    """A view is missing: have it made, should nobody have been asked to (its row was lost, or never noted)."""
    if not Rendition.objects.filter(version=version, kind=Rendition.Kind.PYRAMID).exists():
        want([version])


def want_what_failed(sha256: str) -> None:
    """Bytes that were damaged are sound again: views that were given up over them have their tries again."""
    rows = PYRAMIDS.filter(version__file=sha256, state=Rendition.State.FAILED)
    versions = list(rows.values_list("version_id", flat=True))
    _again(rows)
    dispatch.render(versions)


def given_up(version: UUID) -> bool:
    """Has it been tried often enough?"""
    return PYRAMIDS.filter(version=version, state=Rendition.State.FAILED).exists()


# ---- by the thousand, for `manage.py renditions`: no messages, the sweeper hands them out little by little ----


def failed_again() -> int:
    """What was given up has its tries again; returns how many."""
    return _again(PYRAMIDS.filter(state=Rendition.State.FAILED))


def all_again() -> int:
    """Also what is there, and is not shown until it is made again."""
    return _again(PYRAMIDS.filter(state=Rendition.State.READY))


def gone_again() -> int:
    """What was made and does not lie where it should, or not all of it."""
    area, count = get_renditions(), 0
    ready = Rendition.objects.filter(state=Rendition.State.READY).values_list("version_id", "key", "size")
    gone: set[UUID] = set()
    for version, key, size in ready.iterator(chunk_size=BATCH):
        if area.size(key) != size:
            gone.add(version)
        if len(gone) == BATCH:
            count += _again(PYRAMIDS.filter(version__in=gone, state=Rendition.State.READY))
            gone.clear()
    return count + _again(PYRAMIDS.filter(version__in=gone, state=Rendition.State.READY))


def never_asked() -> int:
    """Pictures without a row."""
    intact = Version.objects.filter(file__condition=StoredFile.Condition.INTACT)
    missing = intact.filter(~Exists(PYRAMIDS.filter(version=OuterRef("pk")))).values_list("pk", flat=True)
    count = 0
    while batch := list(missing[:BATCH]):
        Rendition.objects.bulk_create(
            [Rendition(version_id=version, kind=Rendition.Kind.PYRAMID) for version in batch],
            ignore_conflicts=True,
        )
        count += len(batch)
    return count


def _again(rows: QuerySet[Rendition], **more: Any) -> int:
    return rows.update(state=Rendition.State.WANTED, tries=0, problem="", **more)
