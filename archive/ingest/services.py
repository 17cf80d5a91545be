"""Taking a file in: facts from its bytes, into the store, into the catalogue, or refused with a reason.

File first, row second: what fails between the two leaves an orphaned file for the sweeper, never a row without bytes.
A refused file leaves nothing but its receipt (the `Upload` row).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection, Item, StoredFile, Version
from archive.iiif.services import want, want_what_failed
from archive.ingest.models import Upload
from archive.ingest.names import plain_name, title_from
from archive.preservation.fixity import mend
from archive.store import StoreError, get_store
from archive.transactions import may_be_silent
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
    batch: UUID | None = None,
    given: bool = False,
) -> Upload:
    """Take in one finished file and return its receipt. With `given` the file is ours: a temporary one, which the
    store may keep as it lies and the caller only removes.

    The receipt's state is `catalogued`, `duplicate` (the person has to choose), or `refused` with code and sentence.

    Raises:
        StoreError: the store cannot take it just now; nothing was kept and trying again is safe.
    """
    upload = Upload(
        filename=plain_name(filename),
        collection=collection,
        by=by,
        on_duplicate=on_duplicate,
        batch=batch,
        size=path.stat().st_size,
    )
    return take_in(upload, path, description=description, date=date, given=given)


def take_in(
    upload: Upload,
    path: Path,
    *,
    description: Mapping[str, Any] | None = None,
    date: str = "",
    given: bool = False,
) -> Upload:
    """As `receive`, for a receipt that is there already or is about to be. Doing it twice takes the file in once.

    Raises:
        StoreError: as `receive`.
    """
    try:
        pages = _read(path)
    except ImageError as refusal:
        return refuse(upload, refusal.code, str(refusal))
    try:
        stored = get_store().put_path(path, expected=upload.sha256 or None, given=given)
        mended = mend(stored.sha256, path)
    except StoreError as problem:
        if problem.transient:
            raise
        return refuse(upload, problem.code, str(problem))
    with transaction.atomic():
        if not _still_open(upload):
            return Upload.objects.get(pk=upload.pk)
        upload.file = catalogue.register_file(
            stored.sha256, size=stored.size, media_type=pages[0].mime, new=stored.new
        )
        # Held to the end: the same file sent twice at the same time is noticed by the second.
        StoredFile.objects.select_for_update().get(pk=stored.sha256)
        twin = _twin(upload.file)
        if twin is not None and upload.on_duplicate != OnDuplicate.KEEP:
            skipped = upload.on_duplicate == OnDuplicate.SKIP
            upload.state = Upload.State.CATALOGUED if skipped else Upload.State.DUPLICATE
            upload.item = twin
            upload.code, upload.sentence = "duplicate", _("The archive has this very file already.")
        else:
            _catalogue(upload, pages, description or {"title": title_from(upload.filename)}, date)
        if mended:
            sentence = _("The stored bytes of this file were damaged; yours have mended them.")
            upload.sentence = f"{upload.sentence} {sentence}".strip()
        upload.save()
    if mended:
        want_what_failed(stored.sha256)
    return upload


def use_existing(
    twin: Version, *, filename: str, collection: Collection, by: User, batch: UUID | None = None
) -> Upload:
    """The receipt of a file that was not sent, since the archive has it. Who may see it is asked by the caller."""
    return Upload.objects.create(
        filename=plain_name(filename),
        collection=collection,
        by=by,
        batch=batch,
        state=Upload.State.CATALOGUED,
        on_duplicate=OnDuplicate.SKIP,
        size=twin.file.size,
        file=twin.file,
        item=twin.scan.item,
        code="duplicate",
        sentence=_("The archive has this very file already."),
    )


def refuse(upload: Upload, code: str, sentence: str) -> Upload:
    """Close a receipt with a reason; nothing of the file is kept."""
    upload.state, upload.code, upload.sentence = Upload.State.REFUSED, code, sentence
    upload.expires = None
    upload.save()
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
        may_be_silent()  # the file may lie in a bucket far away
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


def is_new(upload: Upload) -> bool:
    """Did this upload bring an item, or a scan of one, that was not there?"""
    return upload.state == Upload.State.CATALOGUED and upload.code != "duplicate"


def was_there_already(upload: Upload) -> bool:
    """Did this upload end with an item that was in the archive before?"""
    return upload.state == Upload.State.CATALOGUED and upload.code == "duplicate"


def _read(path: Path) -> list[Facts]:
    limits = Limits(pixels=settings.MAX_PIXELS, pages=settings.MAX_PAGES)
    return list(page_facts(path, limits=limits))


def _twin(file: StoredFile) -> Item | None:
    """The oldest item that has this very file as a master."""
    oldest = Version.objects.filter(file=file, role=Version.Role.MASTER).order_by("pk")
    item = oldest.values_list("scan__item", flat=True).first()
    return Item.objects.select_related("collection").get(pk=item) if item else None


def _catalogue(upload: Upload, pages: list[Facts], description: Mapping[str, Any], date: str) -> None:
    """One item, or one that is there already; every page of the file is a scan of it, all sharing the file."""
    assert upload.file is not None  # noqa: S101  (both callers have set it)
    item = upload.into_item or catalogue.create_item(
        upload.collection, description=description, by=upload.by, date=date
    )
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
    upload.item, upload.state, upload.expires = item, Upload.State.CATALOGUED, None
    want(version.pk for version in versions)


def _still_open(upload: Upload) -> bool:
    """Is there nobody who has finished it meanwhile? Holds the row, if there is one yet."""
    row = Upload.objects.select_for_update().filter(pk=upload.pk).first()
    return row is None or row.state in {Upload.State.UPLOADING, Upload.State.CHECKING}
