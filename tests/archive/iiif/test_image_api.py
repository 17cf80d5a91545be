"""The Image API over pyramids: the grammar, the pixels, and who may see them."""

from uuid import uuid4

import numpy as np
import pytest
import pyvips
import tifffile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms

from archive.accounts.models import User
from archive.catalogue import services
from archive.catalogue.models import Collection, Version
from archive.iiif.models import Rendition
from archive.iiif.parameters import BadRequest, parse
from archive.iiif.renditions import make
from archive.iiif.services import want
from archive.store import get_store
from stylizer.imageio import facts
from tests.archive import factories

WORDS = st.sampled_from(
    ["full", "max", "square", "^max", "pct:50", "default", "jpg", "0", "!90", "^!20,20", "10,", ",10"]
)
NUMBERS = st.lists(st.integers(-3, 500).map(str), min_size=1, max_size=4).map(",".join)
PART = st.one_of(WORDS, NUMBERS, NUMBERS.map(lambda text: f"pct:{text}"), st.text(max_size=12))


@given(PART, PART, PART, PART, PART, st.integers(1, 400), st.integers(1, 400))
def test_any_request_is_settled_or_refused_with_a_reason(
    region: str, size: str, rotation: str, quality: str, extension: str, width: int, height: int
) -> None:
    try:
        asked = parse(region, size, rotation, quality, extension, full=(width, height), most=10_000_000)
    except BadRequest:
        return
    else:
        assert 0 <= asked.region.x < asked.region.x + asked.region.width <= width
        assert 0 <= asked.region.y < asked.region.y + asked.region.height <= height
        assert asked.width >= 1
        assert asked.height >= 1


def stored_with(into: Collection, data: bytes, media_type: str = "image/tiff") -> Version:
    file = factories.stored(data, media_type)
    with get_store().local_path(file.sha256) as path:
        known = facts(path)
    version = services.add_master(factories.item(into), services.NewMaster(file=file, facts=known), by=None)
    want([version.pk])
    make(version.pk)
    row = Rendition.objects.get(version=version, kind="pyramid")
    assert row.state == "ready", row.problem
    return version


def tile(client: Client, version: Version, region: str = "full", size: str = "max") -> np.ndarray:
    address = reverse("iiif:region", args=[version.pk, region, size, "0", "default", "png"])
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return np.asarray(pyvips.Image.pngload_buffer(answer.content).numpy())


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a.astype(float) - b.astype(float)) ** 2) / 255**2 + 1e-12))


def picture(height: int = 300, width: int = 421) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 0.6, columns * 0.5, 200 - rows * 0.3], axis=2).astype(np.uint8)


def encoded(values: np.ndarray, **options: object) -> bytes:
    import io

    out = io.BytesIO()
    tifffile.imwrite(out, values, **{"photometric": "rgb", **options})  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.django_db
def test_what_is_delivered_is_the_picture_at_every_scale(portraits: Collection) -> None:
    values = picture()
    version, client = stored_with(portraits, encoded(values)), Client()
    assert psnr(tile(client, version), values) > 38
    assert psnr(tile(client, version, "256,256,165,44"), values[256:, 256:]) > 38  # the corner tile
    half = tile(client, version, "full", "210,150")
    assert (
        psnr(
            half,
            np.asarray(pyvips.Image.new_from_array(values).thumbnail_image(210, height=150, size="force")),
        )
        > 30
    )


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["16 bit", "grey", "turned", "cmyk", "jpeg 2000", "16-bit png"])
def test_every_kind_of_source_is_delivered_right(kind: str, portraits: Collection) -> None:
    import imagecodecs

    values = picture(96, 160)
    media, expected = "image/tiff", values
    if kind == "16 bit":
        data = encoded(values.astype(np.uint16) * 257)
    elif kind == "grey":
        data, expected = encoded(values[..., 0], photometric="minisblack"), values[..., :1]
    elif kind == "turned":
        data, expected = encoded(values, extratags=[(274, 3, 1, 6, True)]), np.rot90(values, -1)
    elif kind == "cmyk":
        ink = np.concatenate([255 - values, np.zeros((96, 160, 1), np.uint8)], axis=2)
        data = encoded(ink, photometric="separated")
    elif kind == "jpeg 2000":
        data, media = bytes(imagecodecs.jpeg2k_encode(values, level=0)), "image/jp2"
    else:
        data, media = bytes(imagecodecs.png_encode(values.astype(np.uint16) * 257)), "image/png"
    found = tile(Client(), stored_with(portraits, data, media))
    assert found.shape[:2] == expected.shape[:2]
    assert psnr(found.reshape(expected.shape), expected) > (13 if kind == "cmyk" else 36)


@pytest.mark.django_db
def test_the_description_says_what_can_be_asked_for(portraits: Collection) -> None:
    version, client = stored_with(portraits, encoded(picture())), Client()
    answer = client.get(reverse("iiif:info", args=[version.pk]))
    said = answer.json()
    assert (said["width"], said["height"], said["profile"], said["type"]) == (
        421,
        300,
        "level2",
        "ImageService3",
    )
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert client.get(reverse("iiif:image", args=[version.pk])).status_code == 303
    address = reverse("iiif:region", args=[version.pk, "full", "!100,100", "0", "default", "jpg"])
    first = client.get(address)
    assert client.get(address, headers={"if-none-match": first["ETag"]}).status_code == 304
    for size, status in [("0,", 400), ("5000,", 400), ("^500,", 200), ("pct:200", 400), ("max", 200)]:
        wanted = reverse("iiif:region", args=[version.pk, "full", size, "0", "default", "jpg"])
        assert client.get(wanted).status_code == status, size


@pytest.mark.django_db
def test_a_derivative_brings_the_image_of_its_difference(portraits: Collection) -> None:
    values = picture(120, 160)
    master = stored_with(portraits, encoded(values))
    changed = values.copy()
    changed[40:60, 40:60] += 40
    made = services.add_derivative(
        master,
        services.NewDerivative(
            file=factories.stored(encoded(changed)), width=160, height=120, bands=3, bits=8, report={},
            technical={"mime": "image/tiff"},
        ),
        recipe=factories.recipe(),
        by=None,
        agents={},
    )  # fmt: skip
    want([made.pk])
    make(made.pk)
    factories.publish(made)
    answer = Client().get(
        f"/iiif/difference/{made.pk}/full/max/0/default/png".replace("default/png", "default.png")
    )
    heat = pyvips.Image.pngload_buffer(answer.content).numpy().astype(int)
    assert heat[50, 50].sum() > 500
    assert heat[100, 100].sum() < 60


@pytest.mark.django_db
def test_an_outsider_learns_nothing_of_a_private_picture(max_: User, odo: User) -> None:
    version = stored_with(factories.collection(access="private"), encoded(picture(60, 60)))
    addresses = [
        reverse("iiif:info", args=[version.pk]),
        reverse("iiif:region", args=[version.pk, "full", "max", "0", "default", "jpg"]),
        reverse("iiif:thumbnail", args=[version.pk, 240, "webp"]),
        reverse("iiif:info", args=[uuid4()]),
    ]
    for person, expected in [(None, 404), (max_, 404), (odo, 200)]:
        client = Client()
        if person:
            client.force_login(person)
        assert [client.get(a).status_code for a in addresses] == [expected] * 3 + [404]


@pytest.mark.django_db
def test_a_colour_profile_is_honoured_on_the_way_out(portraits: Collection) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    values = picture(64, 64)
    version = stored_with(portraits, encoded(values, iccprofile=profile))
    assert psnr(tile(Client(), version), values) > 34
    assert version.technical["icc"].startswith("sRGB")
