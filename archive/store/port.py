"""The one port to bytes. Two adapters keep it: a local folder (`local`) and S3 (`s3`), under the same tests.

Stored bytes are named by their SHA-256 and never rewritten; renditions are named by a key and may be made again.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol


@dataclass(frozen=True)
class Stored:
    """Bytes that lie in the store, whole and on the disk. `new` is False if they lay there before."""

    sha256: str
    size: int
    new: bool = True


class Store(Protocol):
    """Content-addressed bytes. Every method may raise StoreUnavailable."""

    def put(self, stream: IO[bytes], *, expected: str | None = None, limit: int | None = None) -> Stored:
        """Take bytes in, hashing while copying; they are on the disk before this returns, and count as stored now,
        also where they lay there before.

        Raises:
            DigestMismatch: `expected` names other bytes. TooManyBytes: more than `limit`. StoreFull.
        """

    def put_path(self, path: Path, *, expected: str | None = None, given: bool = False) -> Stored:
        """As `put`, of a finished file. With `given` it is ours to keep: the store may link it instead of copying,
        and the caller only removes it afterwards. A file somebody may still write to is never given."""

    def open(self, sha256: str) -> IO[bytes]:
        """The bytes from the start. Raises MissingObject."""

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`. Raises MissingObject."""

    def local_path(self, sha256: str) -> AbstractContextManager[Path]:
        """A local file with these bytes, read-only, for as long as the block lasts. Raises MissingObject."""

    def url(self, sha256: str, *, filename: str, media_type: str) -> str | None:
        """A signed, short-lived address for a download, or None where the web process has to send the bytes."""

    def exists(self, sha256: str) -> bool: ...

    def size(self, sha256: str) -> int:
        """In bytes. Raises MissingObject."""

    def stored_at(self, sha256: str) -> float:
        """When it was put last, in seconds since the epoch. Raises MissingObject."""

    def iterate(self) -> Iterator[tuple[str, float]]:
        """Every digest in the store, with the time it was put last (seconds since the epoch)."""

    def remove(self, sha256: str) -> None:
        """For the sweeper and for disposal only; removing what is not there is no error."""

    def free_bytes(self) -> int | None:
        """Room left, or None where that is not known."""


class Reader(Protocol):
    """One rendition held open for many small reads, by any thread. What is put under its key later, it does not see."""

    path: Path | None  # where it lies, if on this machine

    def read(self, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`. Raises StoreUnavailable."""


class Renditions(Protocol):
    """Disposable files by key, such as `0198…/pyramid.tif`."""

    def put(self, key: str, path: Path) -> int:
        """Move a finished file in, at once and whole; returns its size in bytes."""

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """A local file for as long as the block lasts. Raises MissingObject."""

    def read_range(self, key: str, start: int, length: int) -> bytes: ...

    def reader(self, key: str) -> Reader:
        """Raises MissingObject."""

    def exists(self, key: str) -> bool: ...

    def size(self, key: str) -> int | None:
        """In bytes; None where there is nothing."""

    def remove(self, key: str) -> None: ...


def key_of(sha256: str) -> str:
    """Where bytes lie: two levels of folders keep any one of them small."""
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"
