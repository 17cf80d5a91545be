"""The compare page where a step of the lineage is not to be seen: it leads to what is, and never to nowhere."""

import pytest
from django.test import Client
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue import queries
from archive.catalogue.models import Collection, Version
from archive.review.services import decide
from tests.archive import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(portraits: Collection, odo: User) -> list[Version]:
    """A scan; its restoration, withdrawn for an invented face; what was coloured from that, and published."""
    master = factories.master(portraits)
    restored = factories.derivative(master)
    coloured = factories.derivative(restored, state="published", of=factories.style())
    decide(restored, "withdraw", by=odo, note="a face was invented")
    return [master, restored, coloured]


def compared(client: Client, version: Version, **asked: str) -> str:
    answer = client.get(reverse("iiif:compare", args=[version.pk]), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def left(page: str) -> str:
    """The id of the picture on the left."""
    return page.split('data-left="', 1)[1].split("/info.json", 1)[0].rsplit("/", 1)[-1]


def test_a_reader_compares_with_the_scan_where_the_source_was_withdrawn(chain: list[Version]) -> None:
    master, restored, coloured = chain
    for asked in ({}, {"with": str(restored.pk)}):
        page = compared(Client(), coloured, **asked)
        assert left(page) == str(master.pk)
        assert str(restored.pk) not in page
        assert "data-difference" not in page  # it would be against the withdrawn one


def test_a_reader_is_not_told_how_much_was_changed_of_a_picture_they_may_not_see(
    chain: list[Version], cai: User
) -> None:
    _master, _restored, coloured = chain
    assert coloured.sidecars.exists()
    page = compared(Client(), coloured)
    for told in ("of the pixels", "dB PSNR", "change_map", "least sure"):
        assert told not in page
    assert "How much was changed is not told here" in page
    difference = reverse("iiif:difference-info", args=[coloured.pk])
    assert Client().get(difference).status_code == 404
    own = Client().get(reverse("catalogue:version", args=[coloured.pk])).content.decode()
    assert "Pixels changed" not in own
    maps = [
        reverse("catalogue:sidecar", args=[coloured.pk, "change_map"]),
        reverse("api:version-change-map", args=[coloured.pk]),
    ]
    provenance = reverse("api:version-provenance", args=[coloured.pk])
    assert [Client().get(address).status_code for address in maps] == [404, 404]
    assert Client().get(provenance).json()["report"] == {"fingerprint": "f" * 12, "seconds": 1.0}
    client = Client()
    client.force_login(cai)
    page = compared(client, coloured)
    assert "10.0 % of the pixels visibly changed" in page
    assert "change_map" in page
    assert "Pixels changed" in client.get(reverse("catalogue:version", args=[coloured.pk])).content.decode()
    assert [client.get(address).status_code for address in maps] == [200, 200]
    assert client.get(provenance).json()["report"]["changed_share"] == 0.1
    answer = client.get(difference)
    assert answer.status_code == 200
    assert (
        "private" in answer["Cache-Control"]
    )  # the source is for curators, though the derivative is for all


def test_how_much_was_changed_is_not_said_beside_a_picture_it_was_not_measured_against(
    portraits: Collection,
) -> None:
    restored = factories.derivative(factories.master(portraits), state="published")
    coloured = factories.derivative(restored, state="published", of=factories.style())
    beside = compared(Client(), coloured, **{"with": str(restored.derived_from_id)})
    assert "visibly changed" not in beside
    assert "of the pixels differ from the source" in beside
    assert "visibly changed" in compared(Client(), coloured)


def test_a_curator_still_compares_with_the_source(chain: list[Version], cai: User) -> None:
    _master, restored, coloured = chain
    client = Client()
    client.force_login(cai)
    page = compared(client, coloured)
    assert left(page) == str(restored.pk)
    assert "data-difference" in page


def test_the_page_of_a_version_leads_nobody_to_a_step_they_may_not_see(
    chain: list[Version], rea: User, cai: User
) -> None:
    master, restored, coloured = chain
    page = Client().get(reverse("catalogue:version", args=[coloured.pk])).content.decode()
    assert str(restored.pk) not in page
    assert f'href="/versions/{master.pk}/">See the original' in page
    assert queries.lineage(rea, coloured) == [master, coloured]
    assert queries.lineage(cai, coloured) == chain


def test_what_lies_before_is_not_called_the_original_where_it_is_another_interpretation(
    portraits: Collection, odo: User
) -> None:
    restored = factories.derivative(factories.master(portraits), state="published")
    coloured = factories.derivative(restored, of=factories.style())
    styled = factories.derivative(coloured, state="published", of=factories.style())
    decide(coloured, "withdraw", by=odo)
    page = Client().get(reverse("catalogue:version", args=[styled.pk])).content.decode()
    assert f'href="/versions/{restored.pk}/">See the nearest picture before it' in page
    assert "See the original" not in page
