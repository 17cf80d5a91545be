"""Asking for renditions: the rows say what is wanted, the io worker makes it, and a lost message loses nothing."""

from collections.abc import Iterable
from uuid import UUID

from archive.iiif.models import Rendition
from archive.jobs import dispatch


def want(versions: Iterable[UUID]) -> None:
    """Note that these versions need a pyramid (thumbnails are made with it), and nudge a worker after the commit."""
    ids = list(versions)
    Rendition.objects.bulk_create(
        [Rendition(version_id=version, kind=Rendition.Kind.PYRAMID) for version in ids], ignore_conflicts=True
    )
    dispatch.render(ids)


def want_if_never_asked(version: UUID) -> None:
    """A view is missing: have it made, should nobody have been asked to (its row was lost, or never noted)."""
    if not Rendition.objects.filter(version=version, kind=Rendition.Kind.PYRAMID).exists():
        want([version])
