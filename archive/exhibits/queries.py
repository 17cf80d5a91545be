"""Exhibits and the pictures in them, as far as somebody may see them."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Q, QuerySet

from archive.accounts.permissions import Person, may_compose, visible_versions
from archive.catalogue.models import Version
from archive.catalogue.queries import search_query, tinted
from archive.exhibits.models import Entry, Exhibit

MOST_FOUND = 24


@dataclass(frozen=True)
class Shown:
    """One picture on an exhibit's page. `original` is the scan an AI picture was made from, None for a scan itself."""

    entry: Entry
    version: Version
    original: Version | None
    number: int


def exhibits_for(person: Person) -> QuerySet[Exhibit]:
    """Published exhibits; to those who compose them all others too."""
    rows = Exhibit.objects.annotate(pictures=Count("entries"))
    return rows if may_compose(person) else rows.filter(state=Exhibit.State.PUBLISHED)


def entries_for(person: Person, exhibit: Exhibit) -> list[Shown]:
    """The pictures of an exhibit that the person may see, in order; what was withdrawn since is not among them."""
    entries = list(Entry.objects.filter(exhibit=exhibit))
    versions = {
        version.pk: version
        for version in tinted(
            Version.objects.filter(
                visible_versions(person), showable(), pk__in=[entry.version_id for entry in entries]
            )
        ).select_related("scan__item__collection", "scan__current_master", "review", "derived_from")
    }
    shown = [(entry, versions[entry.version_id]) for entry in entries if entry.version_id in versions]
    return [
        Shown(entry, version, None if version.is_master else _original(version), number)
        for number, (entry, version) in enumerate(shown, start=1)
    ]


def faces_of(person: Person, exhibits: list[Exhibit]) -> dict[UUID, Version]:
    """The first picture of each exhibit that the person may see, in one query."""
    visible = Version.objects.filter(visible_versions(person), showable())
    entries = (
        Entry.objects.filter(exhibit__in=exhibits, version__in=visible)
        .select_related("version__scan__item")
        .order_by("exhibit_id", "position")
        .distinct("exhibit_id")
    )
    return {entry.exhibit_id: entry.version for entry in entries}


def showable() -> Q:
    """What may hang in an exhibit: originals, and derivatives that are published; all with sound bytes."""
    return (Q(role=Version.Role.MASTER) | Q(review__state="published")) & Q(file__condition="intact")


def not_public(exhibit: Exhibit) -> list[Entry]:
    """Entries that the public would not see: in a closed collection, sensitive, or no longer published."""
    public = {shown.entry.pk for shown in entries_for(AnonymousUser(), exhibit)}
    rows = Entry.objects.filter(exhibit=exhibit).exclude(pk__in=public).select_related("version__scan__item")
    return list(rows)


def find(person: Person, text: str, *, kind: str = "") -> list[Version]:
    """Pictures that may be hung, best match first, newest first without words; `kind`: `ai`, `scan` or both."""
    rows = Version.objects.filter(visible_versions(person), showable())
    if kind == "ai":
        rows = rows.exclude(role=Version.Role.MASTER)
    elif kind == "scan":
        rows = rows.filter(role=Version.Role.MASTER, superseded_by=None)
    if query := search_query(text):
        rows = rows.filter(scan__item__index__document=query)
    return list(tinted(rows).select_related("scan__item__collection", "review").order_by("-pk")[:MOST_FOUND])


def _original(version: Version) -> Version | None:
    """The scan itself, however long the chain that led from it."""
    source = version.derived_from
    while source is not None and not source.is_master:
        source = source.derived_from
    return source
