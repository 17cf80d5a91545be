"""What a grid shows of each item beside its description: its picture, and how many stand behind it."""

from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from archive.accounts.permissions import Person, visible_versions
from archive.catalogue.models import Item, Version

# Written out: a page of results asks this each time, and composing it took longer than answering it. An album may have
# thousands of scans; of each item only the first is looked at, the others are counted.
FACES = """
SELECT first.item_id, first.scans, master.id, master.width, master.height,
       (SELECT detail ->> 'tint' FROM iiif_rendition
         WHERE version_id = master.id AND kind = 'thumbnail' ORDER BY width LIMIT 1)
  FROM (SELECT DISTINCT ON (item_id) item_id, current_master_id, count(*) OVER (PARTITION BY item_id) AS scans
          FROM catalogue_scan WHERE item_id = ANY(%s::uuid[]) ORDER BY item_id, position) AS first
  LEFT JOIN catalogue_version AS master ON master.id = first.current_master_id
"""


def with_faces(items: QuerySet[Item], person: Person) -> list[Item]:
    """These items, each with `face_id`, `face_width`, `face_height` and `face_tint` of its first scan's current master
    (None where there is none), `scans_count`, and `derivatives_count` of those the person may see. Two queries."""
    behind = (
        Version.objects.filter(visible_versions(person), scan__item=OuterRef("pk"))
        .exclude(role=Version.Role.MASTER)
        .exclude(review__state__in=["rejected", "withdrawn"])
        .order_by()
        .values("scan__item")
        .annotate(n=Count("pk"))
        .values("n")
    )
    found: list[Item] = list(items.annotate(derivatives_count=Coalesce(Subquery(behind), 0)))
    with connection.cursor() as cursor:
        cursor.execute(FACES, [[item.pk for item in found]])
        faces = {row[0]: row[1:] for row in cursor.fetchall()}
    for item in found:
        scans, *face = faces.get(item.pk, (0, None, None, None, None))
        item.scans_count = scans  # type: ignore[attr-defined]
        item.face_id, item.face_width, item.face_height, item.face_tint = face  # type: ignore[attr-defined]
    return found
