"""What templates say of a derivative: where its model was least sure, what was decided of it."""

from typing import Any

import pytest
from django.test import Client

from archive.accounts.models import User
from archive.catalogue.models import Collection, Version
from archive.catalogue.search.facets import Bar
from archive.catalogue.templatetags.archive_tags import least_sure, year_bars
from tests.archive import factories


def derivative(trust: dict[str, Any] | None) -> Version:
    report = {} if trust is None else {"trust": trust}
    return Version(width=600, height=400, report=report)


def test_the_least_sure_tile_is_where_the_link_leads() -> None:
    found = least_sure(derivative({"columns": 3, "values": [1.0, 0.9, 0.8, 0.95, 0.61, 1.0], "least": 0.61}))
    assert found is not None
    assert found.sure == 0.61
    assert found.address.endswith("#xywh=200,200,200,200")


@pytest.mark.parametrize(
    "trust", [None, {}, {"columns": 1, "values": []}, {"columns": 2, "values": [1.0, 1.0]}]
)
def test_where_nothing_was_said_or_changed_there_is_no_link(trust: dict[str, Any] | None) -> None:
    assert least_sure(derivative(trust)) is None


@pytest.mark.django_db
def test_an_items_history_says_what_was_decided_of_which_version(
    client: Client, portraits: Collection, ada: User
) -> None:
    made = factories.derivative(factories.master(portraits), state="published")
    client.force_login(ada)
    page = client.get(f"/items/{made.scan.item_id}/").content.decode()
    for said in ("Published", "Approved", "Derivation"):
        assert f"<strong>{said}: AI restoration, version 2</strong>" in page
    assert "<strong>Ingestion: original scan, version 1</strong>" in page


def test_the_bars_of_the_years_stand_side_by_side_and_name_their_years() -> None:
    bars = [
        Bar(first=1890, last=1899, count=12, share=1000, inside=True),
        Bar(first=1900, last=1900, count=1, share=83, inside=False),
    ]
    drawn = year_bars(bars)
    assert '<g class="bar on" data-first="1890" data-last="1899"><title>1890–1899: 12</title>' in drawn
    assert '<g class="bar" data-first="1900" data-last="1900"><title>1900: 1</title>' in drawn
    assert [x.split('"')[0] for x in drawn.split(' x="')[1:]] == ["0000", "0080", "1000", "1080"]
    assert 'height="83"' in drawn
