"""The catalogue's non-trivial reads, each in a fixed number of SQL queries whatever the number of rows."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery
from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    Func,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Mod, RowNumber

from archive.accounts.permissions import Person, visible_collections, visible_items, visible_versions
from archive.catalogue.models import Collection, Event, EventAgent, EventObject, Item, Scan, Version
from archive.catalogue.search.asking import parse


def collections_for(person: Person) -> QuerySet[Collection]:
    """Visible collections with `items_count`: the items the person may see in each and below it."""
    counted = (
        Item.objects.filter(visible_items(person), collection__path__contains=_as_array(OuterRef("pk")))
        .order_by()
        .annotate(all=Value(1))
        .values("all")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return (
        Collection.objects.filter(visible_collections(person))
        .select_related("parent")
        .annotate(items_count=Coalesce(Subquery(counted), 0))
    )


def _as_array(id_: OuterRef) -> Func:
    return Func(id_, template="ARRAY[%(expressions)s]", output_field=ArrayField(UUIDField()))


def items_for(person: Person, *, within: Collection | None = None, text: str = "") -> QuerySet[Item]:
    """Visible items, newest first; in a collection and everything below it, and with these words."""
    items = Item.objects.filter(visible_items(person)).select_related("collection", "index")
    if within is not None:
        items = items.filter(collection__path__contains=[within.pk])
    if query := search_query(text):
        items = items.filter(index__document=query)
    return items.order_by("-pk")


def search_query(text: str) -> SearchQuery | None:
    """What was typed as a query of the index; None when there is nothing to look for."""
    found = parse(text).tsquery
    return SearchQuery(found, search_type="raw", config="simple") if found else None


def items_directly_in(person: Person, collection: Collection) -> QuerySet[Item]:
    """Visible items of the collection itself, not of those below it."""
    return Item.objects.filter(visible_items(person), collection=collection)


def part_starts(person: Person, collection: Collection, *, size: int) -> QuerySet[Item, UUID]:
    """The first item of each part of `size` items, in the order of their ids: where a long list may be cut."""
    numbered = items_directly_in(person, collection).annotate(place=Window(RowNumber(), order_by="pk"))
    return (
        numbered.annotate(within=Mod(F("place") - 1, size))
        .filter(within=0)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def tinted(versions: QuerySet[Version]) -> QuerySet[Version]:
    """Add `tint`: what stands in a thumbnail's place until it is there."""
    return versions.annotate(tint=_tint(OuterRef("pk")))


def _tint(version: OuterRef | Subquery) -> Subquery:
    small = Version.objects.filter(pk=version, renditions__kind="thumbnail").order_by("renditions__width")
    return Subquery(small.values("renditions__detail__tint")[:1])


def item_page(person: Person, item_id: UUID) -> Item | None:
    """One item with scans and visible versions loaded (`scan.shown`), or None where it is not there to be seen."""
    shown = (
        tinted(Version.objects.filter(visible_versions(person)))
        .select_related("file", "recipe", "review", "created_by", "derived_from")
        .order_by("number")
    )
    scans = (
        Scan.objects.select_related("current_master")
        .annotate(tint=_tint(OuterRef("current_master")))
        .prefetch_related(Prefetch("versions", queryset=shown, to_attr="shown"))
    )
    return (
        Item.objects.filter(visible_items(person), pk=item_id)
        .select_related("collection", "created_by")
        .prefetch_related(Prefetch("scans", queryset=scans))
        .first()
    )


def version_for(person: Person, version_id: UUID) -> Version | None:
    """One version with all a page needs, or None where it is not there to be seen."""
    return (
        Version.objects.filter(visible_versions(person), pk=version_id)
        .select_related(
            "file",
            "recipe",
            "review",
            "created_by",
            "derived_from__file",
            "derived_from__scan",
            "reference",
            "scan__item__collection",
            "scan__current_master",
        )
        .prefetch_related("sidecars__file")
        .first()
    )


def source_shown(person: Person, version: Version) -> bool:
    """May the person see what a derivative was made from? What it changed tells of that, and is told to nobody else."""
    return (
        version.derived_from_id is not None
        and Version.objects.filter(visible_versions(person), pk=version.derived_from_id).exists()
    )


def versions_of(person: Person, scan: Scan) -> QuerySet[Version]:
    """The versions of a scan the person may see, by number."""
    return (
        Version.objects.filter(visible_versions(person), scan=scan)
        .select_related("file", "recipe", "review", "derived_from")
        .order_by("number")
    )


def lineage(person: Person, version: Version) -> list[Version]:
    """From the master down to this version: every step it was derived through that the person may see."""
    shown = Case(When(visible_versions(person), then=True), default=False, output_field=BooleanField())
    rows = Version.objects.filter(scan=version.scan_id).select_related("recipe").annotate(is_shown=shown)
    versions = {row.pk: row for row in rows}
    steps: list[Version] = []
    at: UUID | None = version.pk
    while at is not None:
        steps += [versions[at]] if versions[at].is_shown else []
        at = versions[at].derived_from_id
    return steps[::-1]


def live_derivatives(sources: Sequence[UUID], recipe_digest: str, run: int) -> dict[UUID, UUID]:
    """`{source: derivative}` of what is made already, the newest; rejected and withdrawn ones are never used again.

    A later run stands for the first one too (it was made because that was rejected, or on purpose), not the other way.
    """
    rows = (
        Version.objects.filter(
            derived_from__in=sources, recipe=recipe_digest, run__gte=run, file__condition="intact"
        )
        .exclude(review__state__in=["rejected", "withdrawn"])
        .order_by("run")
        .values_list("derived_from_id", "pk")
    )
    return {source: made for source, made in rows if source is not None}


def history(item: Item, *, most: int = 100) -> QuerySet[Event]:
    """What happened to an item and its pictures, newest first, with agents loaded, and of its objects (there may be
    thousands) the versions that it was about or that came of it (`event.versions`)."""
    about = EventObject.objects.filter(
        Q(item=item) | Q(version__scan__item=item) | Q(scan__item=item)
    ).values("event")
    return (
        Event.objects.filter(pk__in=about)
        .order_by("-pk")
        .prefetch_related(
            Prefetch("agents_linked", queryset=EventAgent.objects.select_related("agent")),
            Prefetch(
                "objects_linked",
                queryset=EventObject.objects.filter(
                    version__scan__item=item, role__in=["subject", "outcome"]
                ).select_related("version"),
                to_attr="versions",
            ),
        )[:most]
    )
