"""Thumbnails: in two formats, in the sizes pages use, their place kept until they are there."""

import base64
import re

import numpy as np
import pytest
import pyvips
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from archive.catalogue.models import Collection
from archive.iiif.models import Rendition
from archive.iiif.renditions import make
from tests.archive import factories
from tests.archive.iiif.test_image_api import encoded, picture, psnr, stored_with

pytestmark = pytest.mark.django_db
READERS = {"webp": pyvips.Image.webpload_buffer, "jpg": pyvips.Image.jpegload_buffer}


@pytest.mark.parametrize("extension", ["webp", "jpg"])
@pytest.mark.parametrize("width", [240, 480, 960])
def test_a_thumbnail_fits_its_box_and_shows_the_picture(
    portraits: Collection, extension: str, width: int
) -> None:
    values = picture(600, 800)
    version = stored_with(portraits, encoded(values))
    answer = Client().get(reverse("iiif:thumbnail", args=[version.pk, width, extension]))
    assert answer["Content-Type"] == {"webp": "image/webp", "jpg": "image/jpeg"}[extension]
    made = READERS[extension](answer.content)
    assert max(made.width, made.height) == min(width, 800)
    expected = pyvips.Image.new_from_array(values).thumbnail_image(
        made.width, height=made.height, size="force"
    )
    assert psnr(made.numpy(), expected.numpy()) > 30
    again = Client().get(answer.wsgi_request.path, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_a_picture_smaller_than_every_box_is_never_enlarged(portraits: Collection) -> None:
    version = stored_with(portraits, encoded(picture(30, 20)))
    for extension, read in READERS.items():
        answer = Client().get(reverse("iiif:thumbnail", args=[version.pk, 960, extension]))
        made = read(answer.content)
        assert (made.width, made.height) == (20, 30)


def test_other_sizes_and_formats_are_not_there(portraits: Collection) -> None:
    version = stored_with(portraits, encoded(picture(30, 20)))
    for width, extension in [(241, "webp"), (240, "gif"), (240, "png")]:
        assert Client().get(f"/thumbnails/{version.pk}/{width}.{extension}").status_code == 404


def test_one_that_is_not_made_yet_says_when_to_ask_again(portraits: Collection) -> None:
    master = factories.master(portraits)
    for extension in READERS:
        answer = Client().get(reverse("iiif:thumbnail", args=[master.pk, 240, extension]))
        assert answer.status_code == 503
        assert answer["Retry-After"]


def test_one_that_nobody_was_asked_to_make_is_made_once_somebody_looks(portraits: Collection) -> None:
    master = factories.master(portraits)
    Rendition.objects.filter(version=master).delete()
    places = [
        reverse("iiif:thumbnail", args=[master.pk, 240, "webp"]),
        f"/iiif/3/{master.pk}/full/max/0/default.jpg",
    ]
    for place in places * 2:
        assert Client().get(place).status_code == 503
    assert [row.state for row in Rendition.objects.filter(version=master)] == ["wanted"]
    make(master.pk)
    assert [Client().get(place).status_code for place in places] == [200, 200]


def test_the_tint_is_the_picture_in_a_few_colours(portraits: Collection) -> None:
    values = np.zeros((300, 400, 3), np.uint8)
    values[:, 200:] = [200, 40, 40]
    version = stored_with(portraits, encoded(values))
    tint = Rendition.objects.get(version=version, kind="thumbnail", width=240).detail["tint"]
    assert len(tint) < 400
    small = pyvips.Image.webpload_buffer(base64.b64decode(tint)).numpy()[..., :3]
    assert small[:, 0].mean() < 20
    assert small[:, 7, 0].mean() > 160
    page = Client().get(reverse("catalogue:collection", args=[portraits.ref])).content.decode()
    assert f'data-tint="{tint}"' in page


def test_a_page_offers_each_size_with_its_true_width(portraits: Collection) -> None:
    shown = Template(
        "{% load thumbnails %}{% thumb id width=1000 height=2000 alt=alt place='view' %}"
    ).render(Context({"id": "018f3a5c-0000-7000-8000-000000000000", "alt": "<a>"}))
    assert re.findall(r"(\d+)\.webp (\d+)w", shown) == [("240", "120"), ("480", "240"), ("960", "480")]
    assert re.findall(r"(\d+)\.jpg (\d+)w", shown) == [("240", "120"), ("480", "240"), ("960", "480")]
    assert 'width="1000" height="2000"' in shown
    assert 'alt="&lt;a&gt;"' in shown
    assert 'loading="lazy"' not in shown


def test_a_jpeg_waits_for_the_pyramid_that_is_noted_after_the_thumbnails(portraits: Collection) -> None:
    version = stored_with(portraits, encoded(picture(30, 20)))
    Rendition.objects.filter(version=version, kind="pyramid").update(state="wanted", detail={}, key="")
    answer = Client().get(reverse("iiif:thumbnail", args=[version.pk, 480, "jpg"]))
    assert (answer.status_code, bool(answer["Retry-After"])) == (503, True)
