"""Composing exhibits: begun, filled, ordered, captioned, published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.accounts.permissions import visible_versions
from archive.catalogue.models import Version
from archive.exhibits.models import Entry, Exhibit
from archive.exhibits.queries import not_public, showable

MOST = 200
RESERVED = {"new", "find"}


class ExhibitProblem(Exception):
    """Something that cannot be done to an exhibit, with a sentence that says what to do instead."""

    code = "exhibit"


@dataclass(frozen=True)
class Said:
    """What is said of one picture."""

    heading: str
    caption: str
    layout: str


def begin(title: str, *, by: User) -> Exhibit:
    """A new, empty exhibit, at an address made from its title.

    Raises:
        ExhibitProblem: no title.
    """
    title = " ".join(title.split())[:200]
    if not title:
        raise ExhibitProblem(_("An exhibit needs a title."))
    base = slugify(title, allow_unicode=True)[:70] or "exhibit"
    for number in range(1, 1000):
        slug = base if number == 1 else f"{base}-{number}"
        if slug in RESERVED:
            continue
        try:
            with transaction.atomic():
                return Exhibit.objects.create(slug=slug, title=title, created_by=by)
        except IntegrityError:
            continue  # the next number
    raise ExhibitProblem(_("There are too many exhibits called “%s”.") % title)


@transaction.atomic
def write(
    exhibit: Exhibit,
    *,
    title: str,
    subtitle: str,
    introduction: str,
    order: Sequence[int],
    said: Mapping[int, Said],
) -> Exhibit:
    """Give an exhibit its texts and its order. Entries the order does not name keep their turn, after the others.

    Raises:
        ExhibitProblem: no title, or an unknown layout.
    """
    exhibit = Exhibit.objects.select_for_update().get(pk=exhibit.pk)
    if not title.strip():
        raise ExhibitProblem(_("An exhibit needs a title."))
    exhibit.title, exhibit.subtitle = title.strip()[:200], subtitle.strip()[:300]
    exhibit.introduction = introduction.strip()
    exhibit.save()
    entries = {entry.pk: entry for entry in exhibit.entries.all()}
    for key, words in said.items():
        if key not in entries:
            continue
        if words.layout not in Entry.Layout.values:
            raise ExhibitProblem(_("There is no layout “%s”.") % words.layout[:40])
        entries[key].heading, entries[key].caption = words.heading.strip()[:200], words.caption.strip()
        entries[key].layout = words.layout
    places = {key: place for place, key in enumerate(dict.fromkeys(order))}
    for place, entry in enumerate(
        sorted(entries.values(), key=lambda e: (places.get(e.pk, MOST), e.position))
    ):
        entry.position = place
    Entry.objects.bulk_update(entries.values(), ["heading", "caption", "layout", "position"])
    return exhibit


@transaction.atomic
def hang(exhibit: Exhibit, version_id: UUID, *, by: User) -> Entry:
    """Add a picture at the end: an original, or a derivative that is published.

    Raises:
        ExhibitProblem: not such a picture, one the person may not see, or too many.
    """
    exhibit = Exhibit.objects.select_for_update().get(pk=exhibit.pk)
    version = Version.objects.filter(visible_versions(by), showable(), pk=version_id).first()
    if version is None:
        raise ExhibitProblem(_("Only originals and published derivatives can be hung. Publish it first."))
    entries = exhibit.entries.order_by("-position")
    if len(entries) >= MOST:
        raise ExhibitProblem(_("An exhibit has at most %d pictures.") % MOST)
    last = entries.first()
    return Entry.objects.create(exhibit=exhibit, version=version, position=last.position + 1 if last else 0)


def take_down(entry: Entry) -> None:
    entry.delete()


@transaction.atomic
def move(entry: Entry, *, by: int) -> None:
    """Move a picture so many places on (or back), as far as there are places."""
    Exhibit.objects.select_for_update().get(pk=entry.exhibit_id)
    rows = list(Entry.objects.filter(exhibit=entry.exhibit_id))
    at = next(n for n, row in enumerate(rows) if row.pk == entry.pk)
    rows.insert(min(max(at + by, 0), len(rows) - 1), rows.pop(at))
    for place, row in enumerate(rows):
        row.position = place
    Entry.objects.bulk_update(rows, ["position"])


@transaction.atomic
def publish(exhibit: Exhibit) -> Exhibit:
    """Open an exhibit to everybody.

    Raises:
        ExhibitProblem: it is empty, or holds pictures the public may not see; they are named.
    """
    exhibit = Exhibit.objects.select_for_update().get(pk=exhibit.pk)
    if not exhibit.entries.exists():
        raise ExhibitProblem(_("There is no picture in it yet."))
    if hidden := not_public(exhibit):
        names = ", ".join(f"“{entry.version.scan.item.title}”" for entry in hidden[:5])
        raise ExhibitProblem(
            _("%(n)d pictures are not public: %(names)s. Open them first, or take them down.")
            % {"n": len(hidden), "names": names}
        )
    exhibit.state, exhibit.published = Exhibit.State.PUBLISHED, exhibit.published or timezone.now()
    exhibit.save()
    return exhibit


def close(exhibit: Exhibit) -> Exhibit:
    """Take an exhibit back from the public; nothing in it is lost."""
    exhibit.state = Exhibit.State.DRAFT
    exhibit.save()
    return exhibit
