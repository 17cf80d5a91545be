"""What templates say of a derivative: where its model was least sure."""

from typing import Any

import pytest

from archive.catalogue.models import Version
from archive.catalogue.templatetags.archive_tags import least_sure


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
