"""Items: created with a description, and described again with every earlier one kept; singly and by thousands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.bulk import copy_in
from archive.catalogue import dates
from archive.catalogue.description import PROPERTIES, clean
from archive.catalogue.errors import AllAtOnce, DescriptionError
from archive.catalogue.models import Collection, Edit, Event, EventObject, Item, ItemRevision
from archive.catalogue.search.indexing import index_items
from archive.catalogue.services.events import agent_of, record

CHUNK = 1000  # rows a statement


@dataclass(frozen=True)
class NewItem:
    """An item about to be. `date` is kept as written."""

    description: Mapping[str, Any]
    date: str = ""
    sensitive: bool = False
    sensitive_reason: str = ""


@dataclass(frozen=True)
class Change:
    """What an item is to become; None leaves a part as it is."""

    item: UUID
    description: Mapping[str, Any] | None = None
    date: str | None = None
    sensitive: bool | None = None
    sensitive_reason: str = field(default="")


def create_item(
    collection: Collection, *, description: Mapping[str, Any], by: User | None, date: str = "", note: str = ""
) -> Item:
    """Create an item with its first description. `date` is kept as written; its bounds are derived where understood.

    Raises:
        DescriptionError: an unknown property or a value that is no text.
    """
    return create_items(collection, [NewItem(description, date)], by=by, note=note)[0]


@transaction.atomic
def create_items(
    collection: Collection,
    new: Sequence[NewItem],
    *,
    by: User | None,
    note: str = "",
    edit: Edit | None = None,
) -> list[Item]:
    """Create many items, all or none, in a fixed number of statements.

    Raises:
        DescriptionError: as `create_item`; sensitive without a reason.
    """
    items = []
    for one in new:
        item = Item(collection=collection, description=clean(one.description), created_by=by)
        _set_date(item, one.date)
        _set_sensitive(item, one.sensitive, one.sensitive_reason)
        items.append(item)
    copy_in(Item, items)
    copy_in(ItemRevision, [_revision(item, number=1, by=by, note=note, edit=edit) for item in items])
    for start in range(0, len(items), CHUNK):
        index_items(items[start : start + CHUNK], new=True)
    return items


def describe(
    item: Item,
    *,
    by: User | None,
    description: Mapping[str, Any] | None = None,
    date: str | None = None,
    sensitive: bool | None = None,
    sensitive_reason: str = "",
    note: str = "",
) -> Item:
    """Give an item a new description, date or sensitivity; a change of nothing leaves no revision.

    Raises:
        DescriptionError: an unknown property, a value that is no text, sensitive without a reason.
    """
    change = Change(item.pk, description, date, sensitive, sensitive_reason)
    describe_items([change], by=by, note=note)
    return Item.objects.select_related("collection").get(pk=item.pk)


@transaction.atomic
def describe_items(
    changes: Sequence[Change], *, by: User | None, note: str = "", edit: Edit | None = None
) -> int:
    """Describe many items anew, all or none; returns how many changed. Nothing that stays as it is leaves a trace.

    Raises:
        DescriptionError: as `describe`.
    """
    by_item = {change.item: change for change in changes}
    changed = 0
    ids = sorted(by_item)
    for start in range(0, len(ids), CHUNK):
        rows = Item.objects.select_for_update().filter(pk__in=ids[start : start + CHUNK]).order_by("pk")
        altered = [item for item in rows if _apply(item, by_item[item.pk])]
        if altered:
            _keep(altered, by=by, note=note, edit=edit)
        changed += len(altered)
    return changed


@transaction.atomic
def change_table(changes: Sequence[Change], *, collection: Collection, by: User) -> int:
    """Describe many items as one change that can be undone; returns how many changed. None changed leaves no trace.

    Raises:
        DescriptionError: as `describe`.
    """
    note = _altered(changes)[:300]
    edit = Edit.objects.create(kind=Edit.Kind.TABLE, collection=collection, by=by, note=note)
    changed = describe_items(changes, by=by, edit=edit)
    if not changed:
        edit.delete()
    return changed


def _altered(changes: Sequence[Change]) -> str:
    """The names of the columns in which something changes: what tells one change of a table from another."""
    items = Item.objects.in_bulk([change.item for change in changes])
    altered = set()
    for change in changes:
        if (item := items.get(change.item)) is None:
            continue
        if change.description is not None:
            wanted = clean(change.description)
            altered |= {name for name in PROPERTIES if wanted.get(name) != item.description.get(name)}
        if change.date is not None and change.date != item.date_verbatim:
            altered.add("date")
        if change.sensitive is not None and change.sensitive != item.sensitive:
            altered.add("sensitive")
    labels = PROPERTIES | {"date": _("Date"), "sensitive": _("Sensitive")}
    return ", ".join(str(label) for name, label in labels.items() if name in altered)


def undo_edit(edit: Edit, *, by: User) -> Edit:
    """Take back a change of many items: each gets the description it had before, as a new revision.

    Items described again since are left as they are now; items the edit created stay (nothing is deleted).

    Raises:
        DescriptionError: it was undone already.
    """
    with transaction.atomic():
        Edit.objects.select_for_update().get(pk=edit.pk)
        if Edit.objects.filter(undoes=edit).exists():
            raise DescriptionError(_("undo"), _("an edit that still stands"), _("one undone already"))
        undoing = Edit.objects.create(
            kind=Edit.Kind.UNDO, collection=edit.collection, by=by, undoes=edit, note=edit.note
        )
        revisions = list(edit.revisions.filter(number__gt=1).values_list("item", "number"))
        for start in range(0, len(revisions), CHUNK):
            part = dict(revisions[start : start + CHUNK])
            newest = {
                row["item"]: row["number"]
                for row in ItemRevision.objects.filter(item__in=part)
                .order_by("item", "number")
                .values("item", "number")
            }
            before = ItemRevision.objects.filter(item__in=[i for i, n in part.items() if newest[i] == n])
            wanted = [row for row in before if row.number == part[row.item_id] - 1]
            describe_items(
                [Change(r.item_id, r.description, r.date_verbatim, r.sensitive, r.sensitive_reason) for r in wanted],
                by=by, note=edit.note, edit=undoing,
            )  # fmt: skip
    return undoing


def _apply(item: Item, change: Change) -> bool:
    """Write a change into the item (not yet the database); was anything different?"""
    before = (item.description, item.date_verbatim, item.sensitive, item.sensitive_reason)
    wrong = AllAtOnce()
    if change.description is not None:
        with wrong.trying():
            item.description = clean(change.description)
    if change.date is not None:
        _set_date(item, change.date)
    if change.sensitive is not None:
        with wrong.trying():
            _set_sensitive(item, change.sensitive, change.sensitive_reason)
    wrong.tell()
    return before != (item.description, item.date_verbatim, item.sensitive, item.sensitive_reason)


def _keep(items: Sequence[Item], *, by: User | None, note: str, edit: Edit | None) -> None:
    Item.objects.bulk_update(
        items,
        [
            "description",
            "date_verbatim",
            "date_edtf",
            "date_earliest",
            "date_latest",
            "sensitive",
            "sensitive_reason",
        ],
        batch_size=CHUNK,
    )
    ids = [item.pk for item in items]
    newest = dict(
        ItemRevision.objects.filter(item__in=ids).order_by("item", "number").values_list("item", "number")
    )
    ItemRevision.objects.bulk_create(
        [_revision(item, number=newest.get(item.pk, 0) + 1, by=by, note=note, edit=edit) for item in items]
    )
    index_items(items)
    detail = {"revision": newest.get(items[0].pk, 0) + 1} if len(items) == 1 else {"items": len(items)}
    if edit:
        detail["edit"] = str(edit.pk)  # type: ignore[assignment]
    event = record(Event.Type.METADATA_MODIFICATION, about=[], by=agent_of(by), detail=detail)
    EventObject.objects.bulk_create([EventObject(event=event, role="subject", item=item) for item in items])


def _set_date(item: Item, written: str) -> None:
    item.date_verbatim = written.replace("\x00", "").strip()[:200]
    bounds = dates.understand(item.date_verbatim)
    item.date_edtf = bounds.edtf[:100] if bounds else ""
    item.date_earliest = bounds.earliest if bounds else None
    item.date_latest = bounds.latest if bounds else None


def _set_sensitive(item: Item, sensitive: bool, reason: str) -> None:
    reason = reason.replace("\x00", "").strip()[:300]
    if sensitive and not reason:
        raise DescriptionError("sensitive", _("a reason why"), reason)
    item.sensitive, item.sensitive_reason = sensitive, reason if sensitive else ""


def _revision(item: Item, *, number: int, by: User | None, note: str, edit: Edit | None) -> ItemRevision:
    return ItemRevision(  # by ids: thousands are made at once, and each object would be looked at
        item_id=item.pk,
        number=number,
        description=item.description,
        date_verbatim=item.date_verbatim,
        sensitive=item.sensitive,
        sensitive_reason=item.sensitive_reason,
        edit_id=edit.pk if edit else None,
        note=note[:300],
        by_id=by.pk if by else None,
    )
