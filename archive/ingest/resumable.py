"""Uploads in parts: begun, written to from any connection, finished once, given up when nobody goes on."""

import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.catalogue.models import Collection, Item, StoredFile
from archive.ingest import incoming
from archive.ingest.models import Upload
from archive.ingest.names import plain_name
from archive.ingest.services import refuse, take_in
from archive.store import StoreError, get_store

State = Upload.State
OPEN = (State.UPLOADING, State.CHECKING)
LEFT_ALONE = timedelta(seconds=60)  # a finisher that has not been heard of for so long is taken for dead
TOUCHED = timedelta(minutes=5)
SETTLED = 2.0  # seconds after its last byte: a part's checksum is compared at once, so by then it was right
STRAY = timedelta(hours=1)
GIBIBYTE = 2**30


class UploadRefused(Exception):
    """An upload that is not begun. `status` is the HTTP status that says so."""

    status = 400
    code = "upload-refused"


class TooLarge(UploadRefused):
    status = 413
    code = "upload-too-large"


class NoRoom(UploadRefused):
    status = 507
    code = "upload-no-room"


class Empty(UploadRefused):
    code = "upload-empty"


@dataclass(frozen=True)
class Beginning:
    """What is known of a file before its first byte."""

    filename: str
    length: int
    collection: Collection
    item: Item | None = None
    sha256: str = ""
    key: UUID | None = None
    batch: UUID | None = None
    on_duplicate: str = Upload.OnDuplicate.ASK


def begin(what: Beginning, *, by: User) -> Upload:
    """Open an upload; refuse before any byte is sent what could not be kept. A key begins one upload, however often.

    Raises:
        Empty, TooLarge, NoRoom.
    """
    if what.key and (begun := Upload.objects.filter(by=by, key=what.key).first()):
        if begun.state != State.REFUSED:
            return begun
        # Given up or refused: who begins again wants it after all, and gets a new receipt beside the old one.
        Upload.objects.filter(pk=begun.pk, state=State.REFUSED).update(key=None)
    if what.length < 1:
        raise Empty(_("“%s” is empty.") % what.filename)
    check_size(what.length, name=what.filename)
    upload = Upload(
        filename=plain_name(what.filename),
        collection=what.collection,
        by=by,
        size=what.length,
        sha256=what.sha256,
        key=what.key,
        batch=what.batch,
        into_item=what.item,
        on_duplicate=what.on_duplicate,
        expires=_expiry(),
    )
    incoming.create(upload.pk)  # file first, row second
    try:
        with transaction.atomic():
            upload.save(force_insert=True)
    except IntegrityError:  # the same request, twice at the same time
        incoming.remove(upload.pk)
        return Upload.objects.get(by=by, key=what.key)
    return upload


def check_size(length: int, *, name: str) -> None:
    """Could `length` bytes be kept?

    Raises:
        TooLarge, NoRoom.
    """
    if length > settings.MAX_FILE_BYTES:
        raise TooLarge(
            _("“%(name)s” has %(got)s; at most %(most)s are taken.")
            % {"name": name, "got": in_words(length), "most": in_words(settings.MAX_FILE_BYTES)}
        )
    if length > (room := room_left()):
        raise NoRoom(
            _("There is room for %(room)s, and “%(name)s” has %(got)s. Ask an administrator to make room.")
            % {"room": in_words(max(room, 0)), "name": name, "got": in_words(length)}
        )


def room_left() -> int:
    """Bytes that may still be promised: of the disks and of the quota, less what open uploads have yet to send."""
    # The disk the bytes arrive on may be another than the store's, or the store a bucket without a limit of its own.
    free = [shutil.disk_usage(incoming.folder()).free, get_store().free_bytes()]
    limits = [min(known for known in free if known is not None) - settings.SPARE_BYTES]
    if settings.STORE_QUOTA_BYTES:
        kept = StoredFile.objects.exclude(condition=StoredFile.Condition.DISPOSED).aggregate(n=Sum("size"))
        limits.append(settings.STORE_QUOTA_BYTES - (kept["n"] or 0))
    return min(limits) - _promised()


def touch(upload: Upload) -> None:
    """Somebody goes on with it: it waits anew. Said every few minutes, not with every part: each costs a commit."""
    if timezone.now() - upload.changed < TOUCHED:
        return
    upload.expires = _expiry()
    Upload.objects.filter(pk=upload.pk, state=State.UPLOADING).update(
        expires=upload.expires, changed=timezone.now()
    )


def finish(upload: Upload) -> Upload:
    """Take a complete file in; by one finisher at a time, and once however often it is asked.

    Raises:
        StoreError: not now; the bytes are kept and a sweep tries again.
    """
    with incoming.held(upload.pk) as path:
        upload = Upload.objects.select_related("collection", "by", "into_item").get(pk=upload.pk)
        if path is None or upload.state not in OPEN or path.stat().st_size != upload.size:
            return upload
        upload.state = State.CHECKING
        upload.save(update_fields=["state", "changed"])
        upload = take_in(upload, path, given=True)
    incoming.remove(upload.pk)
    return upload


def is_left(upload: Upload) -> bool:
    """Is all of it here, and neither taken in nor still being written? Whoever is taking it in holds it: `finish` then
    does nothing."""
    if upload.state == State.CHECKING:
        return True
    quiet = incoming.quiet_for(upload.pk)
    return (
        upload.state == State.UPLOADING
        and incoming.offset(upload.pk) == upload.size
        and quiet is not None
        and quiet > SETTLED
    )


def abandon(upload: Upload) -> None:
    """The sender does not want it any more: its bytes go, its receipt too, unless it was taken in meanwhile."""
    with incoming.held(upload.pk):
        Upload.objects.filter(pk=upload.pk, state=State.UPLOADING).delete()
    incoming.remove(upload.pk)


@dataclass(frozen=True)
class Swept:
    """What a sweep did."""

    finished: int
    expired: int
    strays: int


def sweep() -> Swept:
    """Finish what is complete and left alone, give up what has expired, remove bytes without a receipt."""
    finished = expired = strays = 0
    now = timezone.now()
    for upload in Upload.objects.filter(state__in=OPEN, expires__isnull=False, changed__lt=now - LEFT_ALONE):
        arrived = incoming.offset(upload.pk)
        if arrived == upload.size:
            try:
                finished += finish(upload).state not in OPEN
            except StoreError:
                continue  # not now; the bytes stay
        elif upload.expires and upload.expires < now:
            # Only then: that there is no file here may mean that it arrives on another machine.
            refuse(upload, "upload-expired", _("It was not sent to its end in time. Send it again."))
            incoming.remove(upload.pk)
            expired += 1
    for found in incoming.strays(time.time() - STRAY.total_seconds()):
        if not Upload.objects.filter(pk=found, state__in=OPEN).exists():
            incoming.remove(found)
            strays += 1
    return Swept(finished, expired, strays)


def _promised() -> int:
    """What open uploads have yet to send."""
    rows = Upload.objects.filter(state__in=OPEN, expires__isnull=False).values_list("pk", "size")
    return sum(size - (incoming.offset(pk) or 0) for pk, size in rows)


def _expiry() -> datetime:
    return timezone.now() + timedelta(hours=settings.UPLOAD_HOURS)


def in_words(count: int) -> str:
    """Bytes in words."""
    if count >= GIBIBYTE:
        return f"{count / GIBIBYTE:.1f} GiB"
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count} B"
