"""Bytes on their way in: one file an unfinished upload, as long as what has arrived of it.

The file is the truth about how far an upload is. Whoever sends last has the turn: a connection that hangs somewhere (a
closed laptop, a cut cable) never keeps the next one waiting, and what it may still deliver later is not written.
"""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

from django.conf import settings

from archive.store import StoreFull, StoreUnavailable

CHUNK = 1 << 19  # what is held in memory of an upload, whatever its size
FULL = {28, 122}  # ENOSPC, EDQUOT


class IncomingError(Exception):
    """A part that could not be written. `status` is what tus 1.0 answers."""

    status = 409


class WrongOffset(IncomingError):
    """The part does not begin where the last one ended."""


class NotMyTurn(IncomingError):
    """Another connection has taken over."""

    status = 423


class WrongChecksum(IncomingError):
    """The part's bytes are not those its checksum speaks of; they were thrown away."""

    status = 460


class CutShort(IncomingError):
    """The connection ended early; what arrived is kept, unless its checksum could not be checked."""

    status = 400


class Gone(IncomingError):
    """Its bytes were given up."""

    status = 410


@dataclass(frozen=True)
class Checksum:
    """Of one part: a name `hashlib` knows and the expected digest."""

    algorithm: str
    digest: bytes


def folder() -> Path:
    """Where they lie: on the same filesystem as the store's own incoming folder, unless the store is a bucket."""
    place = Path(settings.INCOMING) / "uploads"
    place.mkdir(parents=True, exist_ok=True)
    return place


def path_of(upload: UUID) -> Path:
    return folder() / upload.hex


def create(upload: UUID) -> None:
    path_of(upload).touch(exist_ok=False)


def offset(upload: UUID) -> int | None:
    """How many bytes have arrived; None where the file is gone."""
    try:
        return path_of(upload).stat().st_size
    except FileNotFoundError:
        return None


def quiet_for(upload: UUID) -> float | None:
    """Seconds since its last byte was written; None where there is no file."""
    try:
        return time.time() - path_of(upload).stat().st_mtime
    except FileNotFoundError:
        return None


def remove(upload: UUID) -> None:
    path_of(upload).unlink(missing_ok=True)
    _turn_of(upload).unlink(missing_ok=True)


def append(
    upload: UUID,
    read: Callable[[int], bytes],
    *,
    at: int,
    length: int,
    announced: int,
    checksum: Checksum | None = None,
) -> int:
    """Write a part and return the new offset. `announced` bytes follow, of a file of `length` in all.

    Raises:
        WrongOffset, NotMyTurn, WrongChecksum, CutShort, Gone; StoreFull.
    """
    if offset(upload) is None:
        raise Gone("What had arrived of this upload was given up. Begin again.")
    turn = _take_turn(upload)
    digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
    with _open(upload) as file:
        if (now := os.fstat(file.fileno()).st_size) != at:
            raise WrongOffset(f"Expected the part that begins at byte {now}, got one that begins at {at}.")
        if at + announced > length:
            raise WrongOffset(f"Expected at most {length - at} more bytes, got {announced}.")
        done, complete = at, False
        try:
            while done < at + announced:
                chunk = _received(read, min(CHUNK, at + announced - done))
                _write(file, chunk, turn, upload, at=done)
                if digest:
                    digest.update(chunk)
                done += len(chunk)
            if digest and checksum and digest.digest() != checksum.digest:
                raise WrongChecksum(
                    "The checksum of this part is not that of the bytes that arrived. Send it again."
                )
            complete = True
        finally:
            # Without the rest a checksum says nothing: what came under one is kept only whole.
            if checksum and not complete and _has_turn(upload, turn):
                os.ftruncate(file.fileno(), at)
            with contextlib.suppress(OSError):
                os.fdatasync(file.fileno())  # what is acknowledged survives a power cut
    return done


@contextlib.contextmanager
def held(upload: UUID) -> Iterator[Path | None]:
    """The file, for one finisher at a time; None where it is gone or somebody else holds it."""
    try:
        file = path_of(upload).open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield path_of(upload)


def strays(older_than: float) -> Iterator[UUID]:
    """Ids of files last written before a time (seconds since the epoch): candidates for removal."""
    for path in sorted(folder().iterdir()):
        with contextlib.suppress(ValueError, FileNotFoundError):
            found = UUID(path.stem)
            if path.stat().st_mtime < older_than:
                yield found


def _turn_of(upload: UUID) -> Path:
    return path_of(upload).with_suffix(".turn")


def _take_turn(upload: UUID) -> str:
    turn = uuid4().hex
    beside = _turn_of(upload).with_suffix(f".{turn}")
    try:
        beside.write_text(turn)
        beside.replace(_turn_of(upload))
    except OSError as error:
        raise _translated(error) from error
    return turn


def _has_turn(upload: UUID, turn: str) -> bool:
    try:
        return _turn_of(upload).read_text() == turn
    except FileNotFoundError:
        return False


def _received(read: Callable[[int], bytes], most: int) -> bytes:
    try:
        chunk = read(most)
    except Exception as error:  # each server has an error of its own for a connection that is gone
        raise CutShort("The connection was lost.") from error
    if not chunk:
        raise CutShort("The connection ended before all announced bytes had arrived.")
    return chunk


def _open(upload: UUID) -> IO[bytes]:
    return path_of(upload).open("r+b", buffering=0)


def _write(file: IO[bytes], chunk: bytes, turn: str, upload: UUID, *, at: int) -> None:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        if not _has_turn(upload, turn):
            raise NotMyTurn("Another connection goes on with this upload.")
        view = memoryview(chunk)
        while view:
            written = os.pwrite(file.fileno(), view, at)
            view, at = view[written:], at + written
    except OSError as error:
        raise _translated(error) from error
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _translated(error: OSError) -> Exception:
    if error.errno in FULL:
        return StoreFull(
            "No room is left for incoming files. What has arrived is kept; go on when there is room."
        )
    return StoreUnavailable(f"Incoming files cannot be written just now: {error.strerror}.")
