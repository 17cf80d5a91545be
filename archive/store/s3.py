"""Bytes in an S3 bucket, through django-storages; put under a condition, so that nothing is ever overwritten."""

import contextlib
import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage

from archive.store.errors import DigestMismatch, MissingObject, StoreUnavailable, TooManyBytes
from archive.store.port import Stored, key_of

CHUNK = 1 << 20
ADDRESS_SECONDS = 300
ABSENT = {"404", "NoSuchKey", "NotFound"}
THERE_ALREADY = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
ONE_PUT = 64 << 20  # up to this many bytes one conditional request; above, parts


class Bucket:
    """A bucket and the errors of talking to it, shared by both kinds of objects."""

    def __init__(self, storage: S3Storage, scratch: Path) -> None:
        self.storage, self.scratch = storage, scratch

    @property
    def client(self) -> Any:
        return self.storage.connection.meta.client

    @property
    def name(self) -> str:
        return str(self.storage.bucket_name)

    @contextlib.contextmanager
    def asking(self, what: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                raise MissingObject(
                    f"The bytes {what[:60]} are not in the store. Run a fixity check."
                ) from error
            raise StoreUnavailable(f"The store refused: {error}.") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"The store does not answer: {error}.") from error

    def head(self, key: str) -> dict[str, Any]:
        with self.asking(key):
            answer: dict[str, Any] = self.client.head_object(Bucket=self.name, Key=key)
            return answer

    def there(self, key: str) -> bool:
        try:
            self.head(key)
        except MissingObject:
            return False
        return True

    def upload(self, path: Path, key: str, *, only_if_absent: bool) -> bool:
        """Put a file; False if the name was taken already."""
        size = path.stat().st_size
        condition = {"IfNoneMatch": "*"} if only_if_absent else {}
        try:
            with path.open("rb") as file:
                if size <= ONE_PUT:
                    self.client.put_object(Bucket=self.name, Key=key, Body=file, **condition)
                else:
                    if only_if_absent and self.there(key):
                        return False
                    self.client.upload_fileobj(file, self.name, key)
        except ClientError as error:
            if only_if_absent and error.response["Error"]["Code"] in THERE_ALREADY:
                return False
            raise StoreUnavailable(f"The store refused: {error}.") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"The store does not answer: {error}.") from error
        return True

    def touch(self, key: str) -> None:
        """Say that an object was stored just now: it is copied onto itself, which takes a change of its metadata."""
        told = {"Metadata": {"put-again": str(time.time_ns())}, "MetadataDirective": "REPLACE"}
        with self.asking(key):
            self.client.copy({"Bucket": self.name, "Key": key}, self.name, key, ExtraArgs=told)

    def range(self, key: str, start: int, length: int) -> bytes:
        with self.asking(key):
            try:
                answer = self.client.get_object(
                    Bucket=self.name, Key=key, Range=f"bytes={start}-{start + length - 1}"
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == "InvalidRange":
                    return b""
                raise
            data: bytes = answer["Body"].read()
            return data

    @contextlib.contextmanager
    def copy(self, key: str) -> Iterator[Path]:
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            path = Path(folder) / "object"
            with self.asking(key):
                self.client.download_file(self.name, key, str(path))
            yield path


class S3Store:
    """`Store` in a bucket. Bytes are hashed into a scratch file first: their name is not known before their end."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def put(self, stream: IO[bytes], *, expected: str | None = None, limit: int | None = None) -> Stored:
        self.bucket.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.bucket.scratch) as out:
            size = 0
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if limit is not None and size > limit:
                    raise TooManyBytes(f"More than the {limit} bytes that are allowed. Ask an administrator.")
                out.write(chunk)
            out.flush()
            return self.put_path(Path(out.name), expected=expected)

    def put_path(self, path: Path, *, expected: str | None = None, given: bool = False) -> Stored:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if expected not in {None, digest}:
            raise DigestMismatch(
                f"Expected bytes with SHA-256 {expected}, got {digest}. Send the file again."
            )
        key, size = key_of(digest), path.stat().st_size
        while not self.bucket.upload(path, key, only_if_absent=True):
            with contextlib.suppress(MissingObject):  # swept away between the two
                self.bucket.touch(key)
                return Stored(digest, size, new=False)
        return Stored(digest, size)

    def open(self, sha256: str) -> IO[bytes]:
        with self.bucket.asking(sha256):
            body: IO[bytes] = self.bucket.client.get_object(Bucket=self.bucket.name, Key=key_of(sha256))[
                "Body"
            ]
            return body

    def read_range(self, sha256: str, start: int, length: int) -> bytes:
        return self.bucket.range(key_of(sha256), start, length)

    def local_path(self, sha256: str) -> contextlib.AbstractContextManager[Path]:
        return self.bucket.copy(key_of(sha256))

    def url(self, sha256: str, *, filename: str, media_type: str) -> str | None:
        if not settings.S3_SIGNED:
            return None
        address: str = self.bucket.client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket.name,
                "Key": key_of(sha256),
                # A header is Latin-1: AWS refuses a signed address with other letters in it.
                "ResponseContentDisposition": content_disposition_header(True, filename) or "attachment",
                "ResponseContentType": media_type,
            },
            ExpiresIn=ADDRESS_SECONDS,
        )
        return address

    def exists(self, sha256: str) -> bool:
        return self.bucket.there(key_of(sha256))

    def size(self, sha256: str) -> int:
        return int(self.bucket.head(key_of(sha256))["ContentLength"])

    def stored_at(self, sha256: str) -> float:
        at: float = self.bucket.head(key_of(sha256))["LastModified"].timestamp()
        return at

    def iterate(self) -> Iterator[tuple[str, float]]:
        with self.bucket.asking("listing"):
            pages = self.bucket.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket.name, Prefix="sha256/"):
                for found in page.get("Contents", []):
                    yield found["Key"].rsplit("/", 1)[-1], found["LastModified"].timestamp()

    def remove(self, sha256: str) -> None:
        with self.bucket.asking(sha256):
            self.bucket.client.delete_object(Bucket=self.bucket.name, Key=key_of(sha256))

    def free_bytes(self) -> int | None:
        return None


class S3Renditions:
    """`Renditions` in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def put(self, key: str, path: Path) -> int:
        size = path.stat().st_size
        self.bucket.upload(path, key, only_if_absent=False)
        path.unlink()
        return size

    def local_path(self, key: str) -> contextlib.AbstractContextManager[Path]:
        return self.bucket.copy(key)

    def read_range(self, key: str, start: int, length: int) -> bytes:
        return self.bucket.range(key, start, length)

    def reader(self, key: str) -> "S3Reader":
        if not self.exists(key):
            raise MissingObject(f"The rendition {key} is gone. It is made again when somebody asks for it.")
        return S3Reader(self.bucket, key)

    def exists(self, key: str) -> bool:
        return self.bucket.there(key)

    def size(self, key: str) -> int | None:
        try:
            return int(self.bucket.head(key)["ContentLength"])
        except MissingObject:
            return None

    def remove(self, key: str) -> None:
        with self.bucket.asking(key):
            self.bucket.client.delete_object(Bucket=self.bucket.name, Key=key)


class S3Reader:
    """`Reader` by range requests."""

    path: Path | None = None

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket, self._key = bucket, key

    def read(self, start: int, length: int) -> bytes:
        return self._bucket.range(self._key, start, length)
