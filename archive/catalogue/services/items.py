"""Items: created with a description, and described again with every earlier description kept."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from archive.accounts.models import User
from archive.catalogue import dates
from archive.catalogue.description import clean
from archive.catalogue.indexing import index_items
from archive.catalogue.models import Collection, Event, Item, ItemRevision
from archive.catalogue.services.events import agent_of, record


@transaction.atomic
def create_item(
    collection: Collection, *, description: Mapping[str, Any], by: User | None, date: str = "", note: str = ""
) -> Item:
    """Create an item with its first description. `date` is kept as written; its bounds are derived where understood.

    Raises:
        DescriptionError: an unknown property or a value that is no text.
    """
    item = Item(collection=collection, description=clean(description), created_by=by)
    _set_date(item, date)
    item.save()
    _revise(item, number=1, by=by, note=note)
    return item


@transaction.atomic
def describe(
    item: Item,
    *,
    by: User | None,
    description: Mapping[str, Any] | None = None,
    date: str | None = None,
    note: str = "",
) -> Item:
    """Give an item a new description, a new date, or both; a change of nothing leaves no revision.

    Raises:
        DescriptionError: an unknown property or a value that is no text.
    """
    item = Item.objects.select_for_update().get(pk=item.pk)
    before = (item.description, item.date_verbatim)
    if description is not None:
        item.description = clean(description)
    if date is not None:
        _set_date(item, date)
    if before == (item.description, item.date_verbatim):
        return item
    item.save()
    newest = item.revisions.order_by("-number").values_list("number", flat=True).first() or 0
    _revise(item, number=newest + 1, by=by, note=note)
    record(
        Event.Type.METADATA_MODIFICATION,
        about=[("subject", item)],
        by=agent_of(by),
        detail={"revision": newest + 1},
    )
    return item


def _set_date(item: Item, written: str) -> None:
    item.date_verbatim = written.strip()[:200]
    bounds = dates.understand(item.date_verbatim)
    item.date_edtf = bounds.edtf if bounds else ""
    item.date_earliest = bounds.earliest if bounds else None
    item.date_latest = bounds.latest if bounds else None


def _revise(item: Item, *, number: int, by: User | None, note: str) -> None:
    ItemRevision.objects.create(
        item=item,
        number=number,
        description=item.description,
        date_verbatim=item.date_verbatim,
        note=note[:300],
        by=by,
    )
    index_items([item])
