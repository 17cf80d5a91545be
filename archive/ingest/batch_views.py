"""Describing what was uploaded together: the table of exactly those items, with what they share said once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from archive.accounts import permissions
from archive.accounts.models import Role, User
from archive.catalogue import table
from archive.catalogue.describe_views import terms
from archive.catalogue.errors import CatalogueError
from archive.catalogue.faces import with_faces
from archive.catalogue.models import Collection, Item
from archive.catalogue.rights import RIGHTS
from archive.catalogue.search.finding import in_order
from archive.catalogue.search.indexing import TERMS
from archive.catalogue.search.lexemes import sort_key
from archive.catalogue.sheets.cells import joined
from archive.ingest.models import Upload

ROWS = 100
BOXES = 5  # that the upload page leads back to
LOOKED_AT = 1500  # newest uploads of a person: some full boxes, however many there ever were


@dataclass(frozen=True)
class Batch:
    """What came of one box: its new items in the order of their file names."""

    ids: list[UUID]
    names: dict[UUID, str]

    def page(self, number: int) -> list[UUID]:
        return self.ids[(number - 1) * ROWS : number * ROWS]


@dataclass(frozen=True)
class Box:
    """One of a person's last boxes, for the way back to its table."""

    batch: UUID
    when: datetime
    into: str
    count: int


def last_boxes(person: User) -> list[Box]:
    """What the person's newest uploads brought, box by box, newest first."""
    own = Collection.objects.filter(permissions.own_collections(person, Role.ARCHIVIST))
    rows = (
        Upload.objects.filter(by=person, batch__isnull=False, state=Upload.State.CATALOGUED)
        .filter(item__collection__in=own)
        .exclude(code="duplicate")
        .order_by("-pk")
        .values_list("batch", "created", "item__collection__title", "item")[:LOOKED_AT]
    )
    boxes: dict[UUID, tuple[datetime, str, set[UUID]]] = {}
    for batch, when, into, item in rows:
        assert batch is not None and item is not None  # noqa: S101, PT018  (filtered)
        boxes.setdefault(batch, (when, into, set()))[2].add(item)
    return [Box(batch, when, into, len(items)) for batch, (when, into, items) in boxes.items()][:BOXES]


@login_required
@require_http_methods(["GET", "POST"])
def describe(request: HttpRequest, batch: UUID) -> HttpResponse:
    """GET: the table. POST: the cells that were changed, and with `fill` what all share, where an item says nothing."""
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    box = _batch(request.user, batch)
    items = Item.objects.filter(pk__in=box.ids)
    problem = ""
    if request.method == "POST":
        shared = table.given_to_all(request.POST) if "fill" in request.POST else {}
        try:
            count = table.keep(items, table.changed_cells(request.POST), by=request.user, shared=shared)
            messages.success(
                request, ngettext("%d item was changed.", "%d items were changed.", count) % count
            )
            return redirect(request.get_full_path())
        except CatalogueError as error:
            problem = str(error)
    number = min(_whole(request.GET.get("page")), -(-len(box.ids) // ROWS))
    ids = box.page(number)
    shown = in_order(with_faces(items.filter(pk__in=ids).select_related("collection"), request.user), ids)
    context = {
        "collection": shown[0].collection,
        "total": len(box.ids),
        "named": True,
        "columns": table.headings(),
        "rows": table.rows(shown, files=box.names),
        "shared": _shared(request, shown[0].collection),
        "rights": RIGHTS.items(),
        "terms": terms(),
        "problem": problem,
        "pages": range(1, -(-len(box.ids) // ROWS) + 1),
        "number": number,
    }
    return render(request, "ingest/batch.html", context, status=400 if problem else 200)


def _batch(person: User, batch: UUID) -> Batch:
    """The new items of a batch in collections the person describes; 404 where there are none."""
    own = Collection.objects.filter(permissions.own_collections(person, Role.ARCHIVIST))
    found: QuerySet[Upload, tuple[UUID, str]] = (
        Upload.objects.filter(batch=batch, state=Upload.State.CATALOGUED, item__collection__in=own)
        .exclude(code="duplicate")
        .values_list("item", "filename")
    )
    names = dict(
        sorted(found, key=lambda pair: sort_key(pair[1]), reverse=True)
    )  # of several files, the first
    if not names:
        raise Http404
    return Batch(sorted(names, key=lambda pk: sort_key(names[pk])), names)


def _shared(request: HttpRequest, place: Collection) -> list[tuple[str, object, str, str]]:
    """`(property, label, text, list)`: what was just typed, else what the collection or one above it says of itself."""
    above = Collection.objects.filter(pk__in=place.path)
    said: dict[str, str] = {}
    for one in sorted(above, key=lambda one: len(one.path)):  # the nearest last: it has the last word
        said |= {name: joined([v["value"] for v in values]) for name, values in one.description.items()}
    return [
        (name, label, request.POST.get(f"all:{name}", said.get(name, "")), TERMS.get(name, ""))
        for name, label in table.headings(table.SHARED)
    ]


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text[:6]) > 0 else 1
