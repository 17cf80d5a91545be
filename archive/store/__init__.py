"""Bytes: content-addressed and never rewritten (`get_store`), or disposable (`get_renditions`)."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from archive.store.errors import (
    CutOff,
    DigestMismatch,
    MissingObject,
    StoreError,
    StoreFull,
    StoreUnavailable,
    TooManyBytes,
)
from archive.store.local import LocalRenditions, LocalStore
from archive.store.port import Reader, Renditions, Store, Stored

__all__ = [
    "CutOff",
    "DigestMismatch",
    "MissingObject",
    "Reader",
    "Renditions",
    "Store",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "Stored",
    "TooManyBytes",
    "get_renditions",
    "get_store",
]

S3 = "s3://"


def get_store() -> Store:
    """The store the settings name; tests may change the settings at any time."""
    return _store(settings.STORE)


def get_renditions() -> Renditions:
    return _renditions(settings.RENDITIONS)


@lru_cache(maxsize=8)
def _store(place: str) -> Store:
    if place.startswith(S3):
        from archive.store.s3 import S3Store

        return S3Store(_bucket(place))
    return LocalStore(Path(place))


@lru_cache(maxsize=8)
def _renditions(place: str) -> Renditions:
    if place.startswith(S3):
        from archive.store.s3 import S3Renditions

        return S3Renditions(_bucket(place))
    return LocalRenditions(Path(place))


def _bucket(place: str):  # type: ignore[no-untyped-def]  # its type lives in a module only S3 users load
    from storages.backends.s3 import S3Storage

    from archive.store.s3 import Bucket

    storage = S3Storage(
        bucket_name=place.removeprefix(S3).strip("/"),
        endpoint_url=settings.S3_ENDPOINT or None,
        access_key=settings.S3_ACCESS_KEY or None,
        secret_key=settings.S3_SECRET_KEY or None,
        region_name=settings.S3_REGION,
        signature_version="s3v4",
        addressing_style="path",
    )
    return Bucket(storage, settings.SCRATCH)
