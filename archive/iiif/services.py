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
