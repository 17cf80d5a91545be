"""Bytes in a local folder: hashed into `incoming` on the same filesystem, synced, then linked to their name."""

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from archive.store.errors import (
    DigestMismatch,
    MissingObject,
    StoreError,
    StoreFull,
    StoreUnavailable,
    TooManyBytes,
)
from archive.store.port import Stored, key_of

CHUNK = 1 << 20


class LocalStore:
    """`Store` in a folder. A name never stands for half a file, and no name is ever given to other bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"

    def put(self, stream: IO[bytes], *, expected: str | None = None, limit: int | None = None) -> Stored:
        with _translated(), self._arriving() as path:
            digest, size = hashlib.sha256(), 0
            with path.open("xb") as out:
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    if limit is not None and size > limit:
                        raise TooManyBytes(
                            f"More than the {limit} bytes that are allowed. Ask an administrator."
                        )
                    digest.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            return self._keep(path, digest.hexdigest(), size, expected)

    def put_path(self, path: Path, *, expected: str | None = None, given: bool = False) -> Stored:
        with path.open("rb") as file:
            if not given or path.stat().st_dev != self._device():
                return self.put(file, expected=expected)
            with _translated(), self._arriving() as arrived:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
                os.link(path, arrived)  # the same bytes under a second name; the caller removes the first
                return self._keep(arrived, digest, path.stat().st_size, expected)

    def open(self, sha256: str) -> IO[bytes]:
        with _translated(sha256):
            return self._path(sha256).open("rb")

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        with self.open(sha256) as file:
            file.seek(start)
            return file.read(length)

    @contextlib.contextmanager
    def local_path(self, sha256: str) -> Iterator[Path]:
        if not self.exists(sha256):
            raise MissingObject(f"The bytes {sha256[:12]}… are not in the store. Run a fixity check.")
        yield self._path(sha256)

    def url(self, sha256: str, *, filename: str, media_type: str) -> str | None:
        return None

    def exists(self, sha256: str) -> bool:
        return self._path(sha256).is_file()

    def size(self, sha256: str) -> int:
        with _translated(sha256):
            return self._path(sha256).stat().st_size

    def stored_at(self, sha256: str) -> float:
        with _translated(sha256):
            return self._path(sha256).stat().st_mtime

    def iterate(self) -> Iterator[tuple[str, float]]:
        for path in sorted((self.root / "sha256").glob("??/??/*")):
            with contextlib.suppress(FileNotFoundError):
                yield path.name, path.stat().st_mtime

    def remove(self, sha256: str) -> None:
        with _translated():
            self._path(sha256).unlink(missing_ok=True)

    def free_bytes(self) -> int | None:
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free

    def _path(self, sha256: str) -> Path:
        return self.root / key_of(sha256)

    def _device(self) -> int:
        self.incoming.mkdir(parents=True, exist_ok=True)
        return self.incoming.stat().st_dev

    @contextlib.contextmanager
    def _arriving(self) -> Iterator[Path]:
        self.incoming.mkdir(parents=True, exist_ok=True)
        path = self.incoming / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _keep(self, path: Path, digest: str, size: int, expected: str | None) -> Stored:
        if expected not in {None, digest}:
            raise DigestMismatch(
                f"Expected bytes with SHA-256 {expected}, got {digest}. Send the file again."
            )
        target = self._path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.utime(path)  # it is stored now, however long it lay about: the sweeper takes what is old
        while True:
            try:
                os.link(path, target)
            except FileExistsError:
                if not _touched(target):
                    continue  # swept away between the two
                return Stored(digest, size, new=False)
            target.chmod(0o444)
            sync_folder(target.parent)
            return Stored(digest, size)


class LocalRenditions:
    """`Renditions` in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, path: Path) -> int:
        with _translated():
            target = self.root / key
            target.parent.mkdir(parents=True, exist_ok=True)
            size = path.stat().st_size
            if path.stat().st_dev == target.parent.stat().st_dev:
                path.replace(target)
            else:
                beside = target.with_name(f".{uuid.uuid4().hex}")
                shutil.copyfile(path, beside)
                beside.replace(target)
            return size

    @contextlib.contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        if not self.exists(key):
            raise MissingObject(f"The rendition {key} is gone. It is made again when somebody asks for it.")
        yield self.root / key

    def read_range(self, key: str, start: int, length: int) -> bytes:
        with _translated(key), (self.root / key).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def reader(self, key: str) -> "LocalReader":
        with _translated(key):
            return LocalReader(self.root / key)

    def exists(self, key: str) -> bool:
        return (self.root / key).is_file()

    def size(self, key: str) -> int | None:
        return (self.root / key).stat().st_size if self.exists(key) else None

    def remove(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)


class LocalReader:
    """`Reader` of a file: its descriptor is closed when nobody holds this any more, never under somebody's read."""

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.path: Path | None = path

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, start)

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


def _touched(path: Path) -> bool:
    """Say that a file was stored just now; False if it is not there. One that belongs to another user stays as old as
    it is: whoever writes its row looks for it again (`register_files`)."""
    try:
        with contextlib.suppress(PermissionError):
            os.utime(path)
    except FileNotFoundError:
        return False
    return True


def sync_folder(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _translated(what: str = "") -> Iterator[None]:
    """The system's errors as the store's."""
    try:
        yield
    except StoreError:
        raise
    except FileNotFoundError as error:
        if what:
            raise MissingObject(f"The bytes {what[:40]} are not in the store. Run a fixity check.") from error
        raise StoreUnavailable(f"The store's folder is not there ({error}). Is its disk mounted?") from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StoreFull("No room is left in the store. Free some, then try again.") from error
        raise StoreUnavailable(f"The store cannot be used just now: {error.strerror}.") from error
