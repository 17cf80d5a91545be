"""Stored tiles: the picture itself at each level, answered before Django, and never after access has changed."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
import pyvips
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client, RequestFactory

from archive.accounts.models import Membership, Role, User
from archive.catalogue.models import Collection, Item, Version
from archive.catalogue.services import change_collection
from archive.iiif import epoch as epochs
from archive.iiif.models import Rendition
from archive.iiif.pyramid import TILE, Pyramid
from archive.iiif.tile_server import TileServer, grid_place
from archive.preservation.fixity import note_damage
from archive.review.services import decide
from archive.store import get_renditions
from tests.archive import factories
from tests.archive.iiif.test_image_api import encoded, psnr, stored_with

HOST = "testserver"


class Asked:
    """One answer of the WSGI application, and whether Django had to give it."""

    def __init__(self, status: str, headers: dict[str, str], body: bytes, *, by_django: bool) -> None:
        self.status, self.headers, self.body, self.by_django = int(status[:3]), headers, body, by_django


def ask(path: str, *, client: Client | None = None, **more: str) -> Asked:
    """GET through the tile server, as `client` is signed in."""
    cookie = "; ".join(f"{name}={value.value}" for name, value in (client.cookies if client else {}).items())
    environ = RequestFactory().get(path).environ | {"HTTP_HOST": HOST, "HTTP_COOKIE": cookie, **more}
    django, seen = get_wsgi_application(), []

    def counted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(1)
        return django(environ, start_response)

    told: list[Any] = []
    body = b"".join(TileServer(counted)(environ, lambda status, headers: told.extend([status, headers])))
    return Asked(told[0], dict(told[1]), body, by_django=bool(seen))


def remembered(path: str, *, client: Client | None = None) -> None:
    """Until the tile is answered without Django. The echo of what the test itself changed may still be on its way."""
    for _ in range(50):
        answer = ask(path, client=client)
        assert answer.status == 200
        if not answer.by_django:
            return
        time.sleep(0.02)
    raise AssertionError("Django answers every time")


def address(version: Version, column: int = 0, row: int = 0, scale: int = 1) -> str:
    side = TILE * scale
    return f"/iiif/3/{version.pk}/{column * side},{row * side},{side},{side}/256,256/0/default.jpg"


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Django's handler closes connections between requests; within a test it must not (as in Django's own client)."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    """The epoch of this process hears Redis before the test begins, and forgets nothing of it afterwards."""
    until = time.monotonic() + 10
    while epochs.epoch().now() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert epochs.epoch().now() is not None
    yield
    epochs.epoch().end()


def large(height: int = 1100, width: int = 1333) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    waves = 128 + 40 * np.sin(rows / 37) + 30 * np.cos(columns / 53)
    return np.stack([waves, 60 + rows * 120 / height, 70 + columns * 120 / width], axis=2).astype(np.uint8)


def _sources() -> dict[str, tuple[bytes, np.ndarray]]:
    values = large()
    ink = np.concatenate([255 - values, np.zeros((*values.shape[:2], 1), np.uint8)], axis=2)
    return {
        "colour": (encoded(values), values),
        "16 bit": (encoded(values.astype(np.uint16) * 257), values),
        "grey": (encoded(values[..., 0], photometric="minisblack"), values[..., :1]),
        "turned": (encoded(values, extratags=[(274, 3, 1, 6, True)]), np.rot90(values, -1)),
        "cmyk": (encoded(ink, photometric="separated"), values),
        "odd": (encoded(values[:777, :515]), values[:777, :515]),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["colour", "16 bit", "grey", "turned", "cmyk", "odd"])
def test_every_stored_tile_is_the_picture_at_its_level(kind: str, portraits: Collection) -> None:
    data, values = _sources()[kind]
    version = stored_with(portraits, data)
    row = Rendition.objects.get(version=version, kind="pyramid")
    pyramid = Pyramid(get_renditions().reader(row.key), row.size, row.detail["levels"], mark=row.key)
    limit = (
        13 if kind == "cmyk" else 31
    )  # inks come back through a profile of the press, not through arithmetic
    passed = 0
    for number, level in enumerate(pyramid.levels):
        scale = 2**number
        whole = pyvips.Image.new_from_array(np.ascontiguousarray(values))
        reduced = whole.crop(0, 0, level.width * scale, level.height * scale).shrink(scale, scale).numpy()
        reduced = reduced.reshape(level.height, level.width, values.shape[2])
        for down in range(level.down):
            for across in range(level.across):
                part = reduced[down * TILE : (down + 1) * TILE, across * TILE : (across + 1) * TILE]
                body = pyramid.tile(number, across, down)
                if body is None:
                    assert not level.whole(across, down)
                    size = f"{part.shape[1]},{part.shape[0]}"
                    region = f"{across * TILE * scale},{down * TILE * scale}"
                    region += f",{part.shape[1] * scale},{part.shape[0] * scale}"
                    answer = Client().get(f"/iiif/3/{version.pk}/{region}/{size}/0/default.jpg")
                    assert answer.status_code == 200, answer.content
                    body = answer.content
                else:
                    passed += 1
                    assert ask(address(version, across, down, scale)).body == body
                found = np.asarray(pyvips.Image.jpegload_buffer(body).numpy())
                assert psnr(found.reshape(part.shape), part) > limit, (number, across, down)
    assert passed >= 4


@pytest.mark.django_db
def test_a_tile_is_handed_on_without_being_decoded(portraits: Collection) -> None:
    version = stored_with(portraits, encoded(large()))
    with get_renditions().local_path(Rendition.objects.get(version=version, kind="pyramid").key) as path:
        level = pyvips.Image.tiffload(str(path), page=1)
        expected = level.crop(TILE, 0, TILE, TILE).numpy()
    passed = ask(address(version, 1, 0, 2))
    assert np.array_equal(pyvips.Image.jpegload_buffer(passed.body).numpy(), expected)
    with pyvips_counting():
        assert ask(address(version, 1, 0, 2)).body == passed.body


class pyvips_counting:
    """Nothing within may open a picture."""

    def __enter__(self) -> None:
        self.before = pyvips.Image.tiffload
        pyvips.Image.tiffload = self.refuse

    def __exit__(self, *_more: object) -> None:
        pyvips.Image.tiffload = self.before

    @staticmethod
    def refuse(*_more: object, **_options: object) -> None:
        raise AssertionError("a stored tile was decoded")


@pytest.mark.django_db
def test_the_second_tile_of_a_picture_needs_neither_django_nor_the_database(
    portraits: Collection, django_assert_num_queries: Any
) -> None:
    version = stored_with(portraits, encoded(large()))
    first = ask(address(version))
    assert (first.status, first.by_django) == (200, True)
    with django_assert_num_queries(0):
        second = ask(address(version, 1, 1))
        known = ask(address(version, 1, 1), HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert (second.status, second.by_django) == (200, False)
    assert (known.status, known.body, known.by_django) == (304, b"", False)
    for name in ("ETag", "Cache-Control", "Access-Control-Allow-Origin", "X-Content-Type-Options"):
        assert second.headers[name] == first.headers[name], name
    assert second.headers["Link"].endswith(f'{address(version, 1, 1)}>;rel="canonical"')


@pytest.mark.django_db
def test_edges_other_sizes_and_other_people_go_to_django(max_: User) -> None:
    version = stored_with(factories.collection(access="private"), encoded(large()))
    archivist, outsider = Client(), Client()
    archivist.force_login(factories.user("boss", Role.ADMIN))
    outsider.force_login(max_)
    assert ask(address(version), client=archivist).status == 200
    assert not ask(address(version), client=archivist).by_django
    for client in (None, outsider):
        refused = ask(address(version), client=client)
        assert (refused.status, refused.by_django) == (404, True)
    session = archivist.cookies[settings.SESSION_COOKIE_NAME].value
    twice = f"{settings.SESSION_COOKIE_NAME}=other; {settings.SESSION_COOKIE_NAME}={session}"
    assert ask(address(version), HTTP_COOKIE=twice).by_django
    assert ask(address(version), client=archivist, HTTP_AUTHORIZATION="Token x").by_django
    assert ask(address(version, 5, 4), client=archivist).by_django  # an edge
    assert ask(address(version) + "?x=1", client=archivist).by_django


def _private(version: Version, **_who: User) -> None:
    change_collection(version.scan.item.collection, by=None, access="private")


def _withdrawn(version: Version, *, odo: User, **_who: User) -> None:
    decide(version, "withdraw", by=odo)


def _sensitive(version: Version, **_who: User) -> None:
    item: Item = version.scan.item
    item.sensitive = True
    item.save()


def _damaged(version: Version, **_who: User) -> None:
    note_damage(version.file, found="a flipped bit")


def _expelled(version: Version, *, ada: User, **_who: User) -> None:
    Membership.objects.filter(user=ada).delete()


def _disabled(version: Version, *, ada: User, **_who: User) -> None:
    ada.is_active = False
    ada.save()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [_private, _withdrawn, _sensitive, _damaged])
def test_a_change_of_access_ends_the_tiles_of_the_public_at_once(
    change: Callable[..., None], portraits: Collection, odo: User
) -> None:
    version = _published(portraits)
    remembered(address(version))
    change(version, odo=odo)
    assert ask(address(version)).status == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [_private, _expelled, _disabled, _damaged])
def test_a_change_of_access_ends_the_tiles_of_an_archivist_at_once(
    change: Callable[..., None], ada: User, odo: User
) -> None:
    within = Membership.objects.get(user=ada).collection
    assert within is not None
    change_collection(within, by=None, access="private")
    version = stored_with(within, encoded(large()))
    client = Client()
    client.force_login(ada)
    remembered(address(version), client=client)
    if change is _private:
        client.logout()
    else:
        change(version, ada=ada, odo=odo)
    assert ask(address(version), client=client).status == 404


def _published(portraits: Collection) -> Version:
    from archive.catalogue import services
    from archive.iiif.renditions import make
    from archive.iiif.services import want

    master = stored_with(portraits, encoded(large()))
    with transaction.atomic():
        made = services.add_derivative(
            master,
            services.NewDerivative(
                file=factories.stored(encoded(255 - large())), width=1333, height=1100, bands=3, bits=8,
                report={}, technical={"mime": "image/tiff"},
            ),
            recipe=factories.recipe(), by=None, agents={},
        )  # fmt: skip
    want([made.pk])
    make(made.pk)
    factories.publish(made)
    return made


def test_another_process_hears_of_a_change_within_a_tenth_of_a_second() -> None:
    other = epochs.Epoch(settings.REDIS_URL)
    while other.now() is None:
        time.sleep(0.01)
    before = other.now()
    epochs.epoch().end()
    time.sleep(0.1)
    assert other.now() != before


def test_without_redis_nothing_is_remembered() -> None:
    deaf = epochs.Epoch("unix:///nowhere/redis.sock")
    assert deaf.now() is None
    deaf.end()  # says so in the log, and goes on
    time.sleep(0.1)
    assert deaf.now() is None


@pytest.mark.django_db
def test_many_may_read_one_pyramid_at_once(portraits: Collection) -> None:
    version = stored_with(portraits, encoded(large()))
    row = Rendition.objects.get(version=version, kind="pyramid")
    pyramid = Pyramid(get_renditions().reader(row.key), row.size, row.detail["levels"], mark=row.key)
    places = [(0, column, line) for column in range(5) for line in range(4)]
    expected = [pyramid.tile(*place) for place in places]
    wrong: list[int] = []

    def read() -> None:
        wrong.extend(n for n in range(50) if [pyramid.tile(*place) for place in places] != expected)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.django_db
def test_only_regions_of_the_stored_grid_are_places_in_it(portraits: Collection) -> None:
    version = stored_with(portraits, encoded(large()))
    row = Rendition.objects.get(version=version, kind="pyramid")
    pyramid = Pyramid(get_renditions().reader(row.key), row.size, row.detail["levels"], mark=row.key)
    assert grid_place(pyramid, 256, 512, 256, 256) == (0, 1, 2)
    assert grid_place(pyramid, 512, 0, 512, 512) == (1, 1, 0)
    for odd in [(1, 0, 256, 256), (0, 0, 256, 512), (0, 0, 768, 768), (256, 0, 512, 512), (1280, 0, 256, 256),
                (0, 0, 0, 0), (0, 0, 128, 128), (2560, 0, 256, 256), (0, 0, 2048, 2048)]:  # fmt: skip
        assert grid_place(pyramid, *odd) is None, odd
