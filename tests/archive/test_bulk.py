"""Writing many rows at once keeps every value as it is, and refuses what an INSERT would refuse."""

import pytest
from django.db import DataError, IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.bulk import copy_in
from archive.catalogue.models import Collection, Item, ItemRevision
from archive.catalogue.services import NewItem, create_items

pytestmark = pytest.mark.django_db

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)


@given(
    titles=st.lists(TEXT, min_size=1, max_size=4),
    written=st.sampled_from(["", "ca. 1920", "民国二十六年七月", "\\N", "\\.", "a\tb\nc\r\\t"]),
    sensitive=st.booleans(),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_read_back_is_what_was_written(
    portraits: Collection, titles: list[str], written: str, sensitive: bool
) -> None:
    description = {"title": [{"value": title, "lang": ""} for title in titles]}
    items = [
        Item(
            collection=portraits,
            description=description,
            date_verbatim=written,
            sensitive=sensitive,
            sensitive_reason=written,
        )
        for _n in range(2)
    ]
    copy_in(Item, items)
    for item in items:
        kept = Item.objects.get(pk=item.pk)
        assert (kept.description, kept.date_verbatim, kept.sensitive_reason) == (
            description,
            written,
            written,
        )
        assert (kept.sensitive, kept.date_earliest, kept.created_by_id) == (sensitive, None, None)
        assert kept.created == item.created
        item.save(update_fields=["date_verbatim"])  # an UPDATE, not a second row


def test_rows_the_database_refuses_are_refused_together(portraits: Collection) -> None:
    first = create_items(portraits, [NewItem({"title": "One"})], by=None)[0]
    again = [ItemRevision(item=first, number=n, description={}) for n in (2, 1)]
    with pytest.raises(IntegrityError, match="one_number_per_item_revision"), transaction.atomic():
        copy_in(ItemRevision, again)
    assert first.revisions.count() == 1
    with pytest.raises(DataError), transaction.atomic():
        copy_in(Item, [Item(collection=portraits, date_verbatim="x" * 201)])


def test_a_value_without_a_notation_names_its_field(portraits: Collection) -> None:
    with pytest.raises(TypeError, match=r"date_verbatim: expected text.*got list"):
        copy_in(Item, [Item(collection=portraits, date_verbatim=[])])  # type: ignore[misc]
