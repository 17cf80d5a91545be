"""Rows of stored bytes, and the sweeper that takes away bytes no row knows: never both at once for the same bytes."""

from collections.abc import Collection, Iterable

from django.db import connection, transaction
from django.utils import timezone

from archive.catalogue.models import StoredFile
from archive.store import StoreUnavailable, get_store

# PostgreSQL's advisory locks under this number, one for each first digit of a digest: whoever writes rows shares them
# until its commit, and the sweeper wants one for itself. Sixteen, so that a large batch holds no more than that.
TURN = 0x70616C69


def register_file(sha256: str, *, size: int, media_type: str, new: bool = True) -> StoredFile:
    """The row of bytes that lie in the store; the same bytes have one row, whoever brought them.

    `new` is what `put` said of them (`register_files`).

    Raises:
        StoreUnavailable: the sweeper took them meanwhile; put them again.
    """
    return register_files([(sha256, size, media_type)], old=[] if new else [sha256])[sha256]


@transaction.atomic
def register_files(
    files: Iterable[tuple[str, int, str]], *, old: Collection[str] = ()
) -> dict[str, StoredFile]:
    """The rows of bytes that lie in the store, `(sha256, size, media type)` each, by digest; in a few statements.

    `old` are those of them that lay there before they were put. Nobody may have known them, and the sweeper have taken
    them in that moment: they are looked for again, now that it cannot.

    Raises:
        StoreUnavailable: as `register_file`; no row is written.
    """
    wanted = {
        sha256: StoredFile(sha256=sha256, size=size, media_type=media, last_verified=timezone.now())
        for sha256, size, media in files
    }
    digits = sorted({_digit(sha256) for sha256 in wanted})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, d) FROM unnest(%s::int[]) d", [TURN, digits])
    store = get_store()
    if gone := [sha256 for sha256 in sorted(set(old)) if not store.exists(sha256)]:
        raise StoreUnavailable(f"The bytes {gone[0][:12]}… were just swept away. Send them again.")
    # In one order everywhere: two workers that store the same bytes must not wait for each other.
    StoredFile.objects.bulk_create([wanted[sha256] for sha256 in sorted(wanted)], ignore_conflicts=True)
    return StoredFile.objects.in_bulk(list(wanted))


def unknown_for_good(sha256: str) -> bool:
    """Whether no row knows these bytes, and none will before this transaction ends.

    False too where somebody is writing rows just now: what is swept can wait, people and workers cannot.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [TURN, _digit(sha256)])
        (alone,) = cursor.fetchone()
    return alone and not StoredFile.objects.filter(pk=sha256).exists()


def _digit(sha256: str) -> int:
    return int(sha256[0], 16)
