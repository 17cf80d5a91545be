"""The port to bytes: one set of tests for a local folder and for S3."""

import hashlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

import boto3
import numpy as np
import pytest
import pyvips
from moto.server import ThreadedMotoServer
from pytest_django import Settings
from storages.backends.s3 import S3Storage

from archive.iiif.pyramid import TILE, Pyramid
from archive.store import CutOff, DigestMismatch, MissingObject, Renditions, Store, TooManyBytes
from archive.store.local import LocalRenditions, LocalStore
from archive.store.s3 import Bucket, S3Renditions, S3Store

DATA = b"some bytes of a scan" * 1000
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return LocalStore(tmp_path / "store")
    return S3Store(_bucket(request, tmp_path))


@pytest.fixture(params=["local", "s3"])
def renditions(request: pytest.FixtureRequest, tmp_path: Path) -> Renditions:
    if request.param == "local":
        return LocalRenditions(tmp_path / "renditions")
    return S3Renditions(_bucket(request, tmp_path))


def _bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    endpoint = request.getfixturevalue("moto")
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    name = f"b-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}"
    boto3.client("s3", endpoint_url=endpoint, **keys).create_bucket(Bucket=name)
    storage = S3Storage(
        bucket_name=name, endpoint_url=endpoint, access_key="x", secret_key="x", region_name="us-east-1",
        addressing_style="path",
    )  # fmt: skip
    return Bucket(storage, tmp_path / "scratch")


def test_bytes_are_named_by_what_they_are_and_kept_once(store: Store) -> None:
    first = store.put(io.BytesIO(DATA), expected=DIGEST)
    again = store.put(io.BytesIO(DATA))
    assert (first.sha256, first.size, first.new) == (DIGEST, len(DATA), True)
    assert (again.sha256, again.new) == (DIGEST, False)
    assert [digest for digest, _at in store.iterate()] == [DIGEST]


def test_what_was_put_comes_back_whole_in_parts_and_as_a_file(store: Store) -> None:
    store.put(io.BytesIO(DATA))
    with store.open(DIGEST) as stream:
        assert stream.read() == DATA
    assert store.read_range(DIGEST, 5, 9) == DATA[5:14]
    assert store.read_range(DIGEST, len(DATA) - 3, 100) == DATA[-3:]
    assert store.size(DIGEST) == len(DATA)
    with store.local_path(DIGEST) as path:
        assert path.read_bytes() == DATA


def test_other_bytes_than_announced_are_refused_and_leave_nothing(store: Store) -> None:
    with pytest.raises(DigestMismatch):
        store.put(io.BytesIO(DATA), expected="0" * 64)
    with pytest.raises(TooManyBytes):
        store.put(io.BytesIO(DATA), limit=100)
    assert list(store.iterate()) == []


def test_what_is_not_there_is_named(store: Store) -> None:
    assert not store.exists(DIGEST)
    with pytest.raises(MissingObject):
        store.open(DIGEST)
    with pytest.raises(MissingObject), store.local_path(DIGEST):
        pass
    store.remove(DIGEST)  # no error


def test_a_file_is_taken_as_it_lies_there_and_stays_with_its_owner(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "scan"
    path.write_bytes(DATA)
    assert store.put_path(path).sha256 == DIGEST
    assert path.read_bytes() == DATA
    path.unlink()
    with store.open(DIGEST) as stream:
        assert stream.read() == DATA


def test_bytes_put_again_count_as_stored_now_and_stay_as_they_are(store: Store) -> None:
    store.put(io.BytesIO(DATA))
    if isinstance(store, LocalStore):
        with store.local_path(DIGEST) as path:
            os.utime(path, (1_000_000, 1_000_000))
    first = store.stored_at(DIGEST)
    time.sleep(1.1)  # a bucket tells whole seconds
    assert not store.put(io.BytesIO(DATA)).new
    assert store.stored_at(DIGEST) > first
    assert time.time() - store.stored_at(DIGEST) < 60
    assert list(store.iterate()) == [(DIGEST, store.stored_at(DIGEST))]
    assert store.read_range(DIGEST, 0, len(DATA)) == DATA
    store.remove(DIGEST)
    with pytest.raises(MissingObject):
        store.stored_at(DIGEST)


def test_a_file_that_lay_about_for_days_is_young_once_it_is_stored(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "scan"
    path.write_bytes(DATA)
    os.utime(path, (1_000_000, 1_000_000))
    store.put_path(path, given=True)
    assert time.time() - store.stored_at(DIGEST) < 60


def test_bytes_swept_away_while_they_are_put_again_are_kept_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(io.BytesIO(DATA))
    if isinstance(store, LocalStore):
        link = os.link

        def swept(source: Path, target: Path) -> None:
            monkeypatch.undo()
            try:
                link(source, target)
            finally:
                store.remove(DIGEST)

        monkeypatch.setattr(os, "link", swept)
    else:
        assert isinstance(store, S3Store)
        touch = store.bucket.touch

        def gone(key: str) -> None:
            monkeypatch.undo()
            store.remove(DIGEST)
            touch(key)

        monkeypatch.setattr(store.bucket, "touch", gone)
    assert store.put(io.BytesIO(DATA)).sha256 == DIGEST
    assert store.read_range(DIGEST, 0, len(DATA)) == DATA


def test_a_signed_download_keeps_a_name_in_any_script_in_a_header_of_plain_letters(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Settings
) -> None:
    settings.S3_SIGNED = True
    store = S3Store(_bucket(request, tmp_path))
    store.put(io.BytesIO(DATA))
    for name, said in [
        ("ἀρχή.v1.original.tif", f"attachment; filename*=utf-8''{quote('ἀρχή.v1.original.tif')}"),
        ('a "quoted" name.tif', r'attachment; filename="a \"quoted\" name.tif"'),
    ]:
        address = store.url(DIGEST, filename=name, media_type="image/tiff")
        assert address is not None
        asked = parse_qs(urlsplit(address).query)["response-content-disposition"]
        assert asked == [said]
        assert asked[0].isascii()
        with urlopen(address) as answer:
            assert answer.read() == DATA
            assert answer.headers["Content-Disposition"] == said


def test_stored_files_are_read_only_and_a_broken_stream_leaves_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.put(io.BytesIO(DATA))
    with store.local_path(DIGEST) as path:
        assert path.stat().st_mode & 0o777 == 0o444

    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(Exception):  # noqa: B017  (whatever it is, nothing may be left)
        store.put(Broken())  # type: ignore[arg-type]
    assert list(store.incoming.iterdir()) == []


def test_a_pyramid_is_read_where_it_lies_by_ranges_alone(renditions: Renditions, tmp_path: Path) -> None:
    values = np.random.default_rng(3).integers(0, 255, (600, 700, 3), dtype=np.uint8)
    path = tmp_path / "pyramid.tif"
    picture = pyvips.Image.new_from_array(values)
    picture.tiffsave(
        str(path), tile=True, tile_width=TILE, tile_height=TILE, pyramid=True, compression="jpeg", Q=80
    )
    whole = pyvips.Image.tiffload(str(path)).numpy().copy()
    size = renditions.put("ab/pyramid.tif", path)
    pyramid = Pyramid(
        renditions.reader("ab/pyramid.tif"), size, [[700, 600], [350, 300], [175, 150]], mark="one"
    )
    tile = pyramid.tile(0, 1, 1)
    assert tile is not None
    assert np.array_equal(pyvips.Image.jpegload_buffer(tile).numpy(), whole[256:512, 256:512])
    assert np.array_equal(pyramid.region(0, 0, 0, 700, 600).numpy(), whole)
    assert np.array_equal(pyramid.pixels(0, 100, 50, 560, 540), whole[50:590, 100:660])
    assert pyramid.tile(0, 2, 0) is None  # an edge
    with pytest.raises(MissingObject):
        renditions.reader("ab/nothing.tif")


def test_a_rendition_says_how_long_it_is_and_a_pyramid_cut_off_is_not_opened(
    renditions: Renditions, tmp_path: Path
) -> None:
    path = tmp_path / "pyramid.tif"
    picture = pyvips.Image.black(300, 300, bands=3)
    picture.tiffsave(
        str(path), tile=True, tile_width=TILE, tile_height=TILE, pyramid=True, compression="jpeg"
    )
    size = path.stat().st_size
    os.truncate(path, size - 1)
    renditions.put("ab/pyramid.tif", path)
    assert (renditions.size("ab/pyramid.tif"), renditions.size("ab/nothing.tif")) == (size - 1, None)
    with pytest.raises(CutOff, match=f"should be {size} bytes"):
        Pyramid(renditions.reader("ab/pyramid.tif"), size, [[300, 300], [150, 150]], mark="one")
