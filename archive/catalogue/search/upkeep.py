"""Keeping the derived rows whole: after an upgrade, and on demand."""

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from archive.catalogue.models import Item
from archive.catalogue.search.indexing import index_items, stale

BATCH = 500


def reindex(*, everything: bool = False) -> Iterator[int]:
    """Write derived rows again, those that are stale or all; yields how many are done after each batch."""
    rows = Item.objects.order_by("pk") if everything else stale()
    done, last = 0, None
    while batch := list((rows.filter(pk__gt=last) if last else rows)[:BATCH]):
        with transaction.atomic():
            index_items(batch)
        last, done = batch[-1].pk, done + len(batch)
        yield done


def after_migrate(**_: Any) -> None:
    """An older archive is searchable as soon as it is migrated."""
    if "catalogue_placeset" not in connection.introspection.table_names():
        return  # migrated backwards, to before there was anything to write
    for _done in reindex():
        pass
