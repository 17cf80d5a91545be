"""Taking a file in: facts from its bytes, into the store, into the catalogue, or refused with a reason.

File first, row second: what fails between the two leaves an orphaned file for the sweeper, never a row without bytes.
A refused file leaves nothing but its receipt (the `Upload` row).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection, Item, StoredFile, Version
from archive.iiif.services import want
from archive.ingest.models import Upload
from archive.ingest.names import plain_name, title_from
from archive.store import StoreError, get_store
from stylizer.errors import ImageError
from stylizer.imageio import Facts, Limits, page_facts

OnDuplicate = Upload.OnDuplicate


class DecidedAlready(Exception):
    """An upload that does not (or no longer) wait for a decision about a duplicate."""

    code = "upload-decided"


def receive(
    path: Path,
    *,
    filename: str,
    collection: Collection,
    by: User | None,
    on_duplicate: str = OnDuplicate.ASK,
    description: Mapping[str, Any] | None = None,
    date: str = "",
    given: bool = False,
) -> Upload:
    """Take in one finished file and return its receipt. With `given` the file is ours: a temporary one, which the
    store may keep as it lies and the caller only removes.

    The receipt's state is `catalogued`, `duplicate` (the person has to choose), or `refused` with code and sentence.

    Raises:
        StoreError: the store cannot take it just now; nothing was kept and trying again is safe.
    """
    name = plain_name(filename)
    upload = Upload(
        filename=name, collection=collection, by=by, on_duplicate=on_duplicate, size=path.stat().st_size
    )
    try:
        pages = _read(path)
    except ImageError as refusal:
        return _refused(upload, refusal.code, str(refusal))
    try:
        stored = get_store().put_path(path, given=given)
    except StoreError as problem:
        if problem.transient:
            raise
        return _refused(upload, problem.code, str(problem))
    with transaction.atomic():
        upload.file = catalogue.register_file(stored.sha256, size=stored.size, media_type=pages[0].mime)
        twin = _twin(upload.file)
        if twin is not None and on_duplicate != OnDuplicate.KEEP:
            upload.state = (
                Upload.State.CATALOGUED if on_duplicate == OnDuplicate.SKIP else Upload.State.DUPLICATE
            )
            upload.item = twin
            upload.code, upload.sentence = "duplicate", _("The archive has this very file already.")
        else:
            _catalogue(upload, pages, description or {"title": title_from(name)}, date)
        upload.save(force_insert=True)
    return upload


@transaction.atomic
def resolve_duplicate(upload: Upload, *, choice: str, by: User | None) -> Upload:
    """Carry out what the person chose for a file the archive has already: `skip` (use it) or `keep` (both).

    Raises:
        DecidedAlready: the upload does not wait for that decision.
    """
    upload = (
        Upload.objects.select_for_update(of=("self",)).select_related("collection", "file").get(pk=upload.pk)
    )
    if upload.state != Upload.State.DUPLICATE or upload.file is None:
        raise DecidedAlready(_("“%s” is not waiting for a decision.") % upload.filename)
    if choice == OnDuplicate.KEEP:
        with get_store().local_path(upload.file.sha256) as path:
            pages = _read(path)
        upload.code = upload.sentence = ""
        _catalogue(upload, pages, {"title": title_from(upload.filename)}, "")
    else:
        upload.state = Upload.State.CATALOGUED
    upload.on_duplicate = choice
    upload.by = by
    upload.save()
    return upload


def was_there_already(upload: Upload) -> bool:
    """Did this upload end with an item that was in the archive before?"""
    return upload.state == Upload.State.CATALOGUED and upload.code == "duplicate"


def _read(path: Path) -> list[Facts]:
    limits = Limits(pixels=settings.MAX_PIXELS, pages=settings.MAX_PAGES)
    return list(page_facts(path, limits=limits))


def _twin(file: StoredFile) -> Item | None:
    """The oldest item that has this very file as a master."""
    version = (
        Version.objects.filter(file=file, role=Version.Role.MASTER)
        .select_related("scan__item__collection")
        .order_by("pk")
        .first()
    )
    return version.scan.item if version else None


def _catalogue(upload: Upload, pages: list[Facts], description: Mapping[str, Any], date: str) -> None:
    """One item; every page of the file is a scan of it, all sharing the file."""
    assert upload.file is not None  # noqa: S101  (both callers have set it)
    item = catalogue.create_item(upload.collection, description=description, by=upload.by, date=date)
    versions = catalogue.add_masters(
        item,
        [
            catalogue.NewMaster(
                file=upload.file,
                facts=facts,
                page=facts.page,
                original_name=upload.filename,
                label=_("page %d") % number if len(pages) > 1 else "",
            )
            for number, facts in enumerate(pages, start=1)
        ],
        by=upload.by,
    )
    upload.item, upload.state = item, Upload.State.CATALOGUED
    want(version.pk for version in versions)


def _refused(upload: Upload, code: str, sentence: str) -> Upload:
    upload.state, upload.code, upload.sentence = Upload.State.REFUSED, code, sentence
    upload.save(force_insert=True)
    return upload
