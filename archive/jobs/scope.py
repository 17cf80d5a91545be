"""What an order is for: a collection with everything below it, what a search finds, items, or single versions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.accounts.permissions import Person, visible_versions
from archive.catalogue import queries
from archive.catalogue.models import Collection, ItemIndex, Scan, Version
from archive.jobs.models import JobItem, StandingOrder

KINDS = ("collection", "search", "items", "versions")


class ScopeError(Exception):
    """An order is for nothing, or for something the person cannot see."""

    code = "scope-invalid"


@dataclass(frozen=True)
class Scope:
    """One of the four is set. All but versions mean the current masters of scans.

    `below` goes with a collection: with everything under it; so does `new_for`: only what came since this standing
    order was given and is in no job of it yet. `within` goes with a search: only in this collection.
    """

    collection: str | None = None
    items: tuple[UUID, ...] = ()
    versions: tuple[UUID, ...] = ()
    search: str | None = None
    within: str | None = None
    below: bool = True
    new_for: int | None = None

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Scope":
        """From JSON: `{"collection": ref, "below": true, "new_for": id}`, `{"search": text, "within": ref}`,
        `{"items": […]}` or `{"versions": […]}`.

        Raises:
            ScopeError: none of them, several, or ids that are none.
        """
        given = [key for key in KINDS if data.get(key)]
        if len(given) != 1 or data.keys() - {*KINDS, "below", "within", "new_for"}:
            raise ScopeError(_("Name one scope: a collection, a search, items, or versions."))
        if given == ["search"] and queries.search_query(str(data["search"])) is None:
            raise ScopeError(_("“%s” holds no word to search for.") % data["search"])
        try:
            return cls(
                collection=str(data["collection"]) if given == ["collection"] else None,
                search=str(data["search"])[:500] if given == ["search"] else None,
                within=str(data["within"]) if data.get("within") else None,
                below=data.get("below") is not False,
                new_for=int(data["new_for"]) if data.get("new_for") else None,
                items=_ids(data.get("items") or ()),
                versions=_ids(data.get("versions") or ()),
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise ScopeError(_("An id in the scope is not one of this archive.")) from error

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {}
        if self.collection:
            data |= {"collection": self.collection} | ({} if self.below else {"below": False})
            data |= {"new_for": self.new_for} if self.new_for else {}
        if self.search:
            data |= {"search": self.search} | ({"within": self.within} if self.within else {})
        if self.items:
            data["items"] = [str(item) for item in self.items]
        if self.versions:
            data["versions"] = [str(version) for version in self.versions]
        return data

    def title(self) -> str:
        """A few words for a list of jobs."""
        if self.search:
            place = f" ({_named(self.within)})" if self.within else ""
            return _("what “%s” finds") % self.search + place
        if self.collection and self.new_for:
            return _("new in %s") % _named(self.collection)
        if self.collection:
            return _named(self.collection)
        count = len(self.items or self.versions)
        if count == 1 and (named := self._only()):
            return named
        if self.items:
            return ngettext("%d item", "%d items", count) % count
        return ngettext("%d version", "%d versions", count) % count

    def _only(self) -> str:
        """The title of what is ordered alone."""
        rows = ItemIndex.objects.filter(item__in=self.items)
        if self.versions:
            rows = ItemIndex.objects.filter(item__scans__versions__in=self.versions)
        return rows.values_list("title", flat=True).first() or ""

    def sources(self, person: Person) -> QuerySet[Version]:
        """The source versions the person may see, in the order of the catalogue.

        Raises:
            ScopeError: an unknown collection, or ids that are not there to be seen.
        """
        seen = Version.objects.filter(visible_versions(person))
        # Not `scan__current_master=F("pk")`: PostgreSQL then expects one row, and looks fifty thousand up one by one.
        current = seen.filter(pk__in=Scan.objects.values("current_master"))
        if self.collection:
            root = _place(self.collection)
            if self.below:
                found = current.filter(scan__item__collection__path__contains=[root.pk])
            else:
                found = current.filter(scan__item__collection=root)
            if self.new_for:
                found = _new(found, self.new_for)
        elif self.search:
            place = _place(self.within) if self.within else None
            items = queries.items_for(person, within=place, text=self.search).order_by().values("pk")
            found = current.filter(scan__item__in=items)
        elif self.items:
            found = current.filter(scan__item__in=self.items)
            self._all_there(len(set(self.items)), found.values("scan__item").distinct().count())
        else:
            found = seen.filter(pk__in=self.versions)
            self._all_there(len(set(self.versions)), found.count())
        return found.order_by("scan__item", "scan__position", "pk")

    def _all_there(self, expected: int, found: int) -> None:
        if found < expected:
            raise ScopeError(
                ngettext("%d of them is not there to be ordered.", "%d of them are not there to be ordered.",
                         expected - found) % (expected - found)
            )  # fmt: skip


def _new(found: QuerySet[Version], standing: int) -> QuerySet[Version]:
    """What the standing order has not seen yet; what was left out is looked at again, since a policy may change."""
    order = StandingOrder.objects.filter(pk=standing).first()
    if order is None:
        raise ScopeError(_("There is no standing order %d.") % standing)
    seen = JobItem.objects.filter(job__standing=order, source=OuterRef("pk"))
    found = found.filter(~Exists(seen.exclude(state=JobItem.State.EXCLUDED)))
    return found.filter(created__gte=order.since) if order.since else found


def _place(ref: str) -> Collection:
    found = Collection.objects.filter(ref=ref).first()
    if found is None:
        raise ScopeError(_("There is no collection “%s”.") % ref)
    return found


def _named(ref: str | None) -> str:
    return str(Collection.objects.filter(ref=ref).values_list("title", flat=True).first() or ref)


def _ids(values: Iterable[Any]) -> tuple[UUID, ...]:
    return tuple(value if isinstance(value, UUID) else UUID(str(value)) for value in values)
