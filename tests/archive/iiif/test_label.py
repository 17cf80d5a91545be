"""Whatever an AI made says so in its bytes and in its name, on every way out; a scan is sent as it is."""

import io

import numpy as np
import pytest
import pyvips
from django.test import Client
from django.urls import reverse
from PIL import Image

from archive.catalogue import services
from archive.catalogue.models import Collection, Version
from archive.iiif.label import in_webp, jpeg_segment
from archive.iiif.models import Rendition
from archive.iiif.pyramid import JFIF, START, Pyramid
from archive.iiif.renditions import make
from archive.iiif.services import want
from archive.store import get_renditions
from stylizer.imageio.disclosure import SOURCE_TYPE, xmp
from tests.archive import factories
from tests.archive.iiif.test_image_api import encoded, stored_with
from tests.archive.iiif.test_tiles import _listening, _one_connection, ask, large, remembered

__all__ = ["_listening", "_one_connection"]  # fixtures of the tile server's tests
pytestmark = pytest.mark.django_db
READERS = {
    "jpg": pyvips.Image.jpegload_buffer,
    "png": pyvips.Image.pngload_buffer,
    "webp": pyvips.Image.webpload_buffer,
}
GRID, EDGE = "256,0,256,256/256,256/0/default", "512,256,88,44/88,/0/default"
REQUESTS = [
    f"{part}.{extension}"
    for part in (GRID, EDGE, "full/120,/!90/gray", "full/50,/0/bitonal", "full/max/0/default")
    for extension in READERS
]


def restored(into: Collection, *, title: str = "A photograph") -> Version:
    """A published restoration, 600 × 300, with its views."""
    values = large(300, 600)
    master = factories.master_of(into, values, title=title)
    made = services.NewDerivative(
        file=factories.stored(encoded(255 - values)), width=600, height=300, bands=3, bits=8, report={},
        technical={"mime": "image/tiff"},
    )  # fmt: skip
    version = services.add_derivative(master, made, recipe=factories.recipe(), by=None, agents={})
    for each in (master, version):
        want([each.pk])
        make(each.pk)
    factories.publish(version)
    return version


def packet(version: Version) -> bytes:
    """What the derivative's own file says of itself."""
    assert version.derived_from is not None
    return xmp(recipe=str(version.recipe_id), source=version.derived_from.file_id)


def said(body: bytes, extension: str) -> bytes:
    image = READERS[extension](body)
    return bytes(image.get("xmp-data")) if image.get_typeof("xmp-data") else b""


def test_every_region_size_and_format_of_a_restoration_says_what_it_is(portraits: Collection) -> None:
    version = restored(portraits)
    assert SOURCE_TYPE.encode() in packet(version)
    for request in REQUESTS:
        answer = Client().get(f"/iiif/3/{version.pk}/{request}")
        extension = request.rpartition(".")[2]
        assert said(answer.content, extension) == packet(version), request
        name = f'inline; filename="a-photograph.v2.AI-restored.{extension}"'
        assert answer["Content-Disposition"] == name, request


def test_what_it_says_changes_no_pixel(portraits: Collection) -> None:
    version = restored(portraits)
    row = Rendition.objects.get(version=version, kind="pyramid")
    plain = Pyramid(get_renditions().reader(row.key), row.size, row.detail["levels"], mark="plain")
    tile = plain.tile(0, 1, 0)
    assert tile is not None
    answer = Client().get(f"/iiif/3/{version.pk}/{GRID}.jpg")
    assert answer.content.replace(jpeg_segment(packet(version)), b"") == tile
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), READERS["jpg"](tile).numpy())


def test_tiles_answered_before_django_say_it_too(portraits: Collection) -> None:
    version = restored(portraits, title="Ἀρχή")
    remembered(f"/iiif/3/{version.pk}/{GRID}.jpg")
    for request in REQUESTS:
        answer = ask(f"/iiif/3/{version.pk}/{request}")
        assert not answer.by_django
        extension = request.rpartition(".")[2]
        assert said(answer.body, extension) == packet(version), request
        name = answer.headers["Content-Disposition"]
        assert name.startswith("inline; filename*=utf-8''%E1%BC%80")
        assert name.endswith(f".v2.AI-restored.{extension}")


@pytest.mark.parametrize("extension", ["webp", "jpg"])
def test_thumbnails_say_it_those_made_before_this_was_so_included(
    extension: str, portraits: Collection
) -> None:
    version = restored(portraits)
    for row in Rendition.objects.filter(version=version, kind="thumbnail"):
        stored = get_renditions().read_range(row.key, 0, row.size)
        assert said(stored, "webp") == b""
        answer = Client().get(reverse("iiif:thumbnail", args=[version.pk, row.width, extension]))
        assert said(answer.content, extension) == packet(version)
        assert f".AI-restored.{extension}" in answer["Content-Disposition"]
        assert '-ai"' in answer["ETag"]
        if extension == "webp":
            shown = np.asarray(Image.open(io.BytesIO(answer.content)))
            assert np.array_equal(shown, np.asarray(Image.open(io.BytesIO(stored))))


@pytest.mark.parametrize("lossless", [False, True])
def test_a_packet_of_any_length_fits_a_webp_of_any_kind(lossless: bool) -> None:
    values = large(31, 50)
    plain = pyvips.Image.new_from_array(values).webpsave_buffer(lossless=lossless, keep="none")
    for told in (b"odd", b"even"):
        labelled = in_webp(plain, told, width=50, height=31)
        assert said(labelled, "webp") == told
        with Image.open(io.BytesIO(labelled)) as one, Image.open(io.BytesIO(plain)) as other:
            assert (one.size, one.mode) == ((50, 31), "RGB")
            assert one.tobytes() == other.tobytes()
            assert one.info["xmp"] == told
        assert in_webp(labelled, told, width=50, height=31) == labelled
    assert in_webp(plain, b"", width=50, height=31) == plain


def test_a_scan_is_sent_without_a_word(portraits: Collection) -> None:
    master = stored_with(portraits, encoded(large(300, 600)))
    addresses = [f"/iiif/3/{master.pk}/{request}" for request in REQUESTS]
    addresses += [
        reverse("iiif:thumbnail", args=[master.pk, 240, extension]) for extension in ("webp", "jpg")
    ]
    for address in addresses:
        answer = Client().get(address)
        assert said(answer.content, address.rpartition(".")[2]) == b"", address
        assert "Content-Disposition" not in answer
        assert "-ai" not in answer["ETag"]
    tile = Client().get(f"/iiif/3/{master.pk}/{GRID}.jpg").content
    assert tile.startswith(START + JFIF + b"\xff\xdb")


def test_a_map_of_differences_is_no_ai_picture_and_is_called_what_it_is(portraits: Collection) -> None:
    version = restored(portraits)
    answer = Client().get(f"/iiif/difference/{version.pk}/full/max/0/default.png")
    assert said(answer.content, "png") == b""
    assert answer["Content-Disposition"] == 'inline; filename="a-photograph.v2.difference.png"'


def test_the_description_of_a_restoration_leads_to_where_it_comes_from(portraits: Collection) -> None:
    version = restored(portraits)
    info = Client().get(reverse("iiif:info", args=[version.pk])).json()
    [link] = info["seeAlso"]
    assert "made by an AI" in link["label"]["en"][0]
    assert (link["type"], link["format"]) == ("Dataset", "application/json")
    told = Client().get(link["id"].removeprefix("http://testserver"))
    assert told.status_code == 200
    assert str(version.recipe_id) in told.content.decode()
    assert "seeAlso" not in Client().get(reverse("iiif:info", args=[version.derived_from_id])).json()
