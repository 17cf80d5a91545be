"""What becomes of each source of an order: made, found made already, or left out and why. One SELECT says it for fifty
thousand of them; it is counted before an order is given, and written down (`freezing`) when it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext as _

from archive.catalogue.models import Collection, Version
from archive.jobs.models import Job, JobItem

RESTORING = {"restore"}

# What people decided about a source, in the order in which it is asked: asked of a whole order, and again of each item
# just before the engine, since an order may lie for a night in which somebody decides otherwise.
FORBIDDEN = """
    WHEN s.policy = 'none' THEN 'policy'
    WHEN s.policy = 'restore-only' AND NOT %(restoring)s THEN 'policy-restore-only'
    WHEN s.sensitive AND NOT %(with_sensitive)s THEN 'sensitive'
    WHEN concat_ws(' ', s.said #>> '{rights,0,value}', s.said #>> '{license,0,value}') ~* %(nd)s THEN 'rights'
    WHEN s.standing IN ('rejected', 'withdrawn') THEN 'source-withdrawn'
"""

# The newest live derivative of a source stands for the order, unless it is to be made again (a later run).
JUDGED = """
SELECT s.src, s.itm, s.place, made.id AS made, left_out.code
FROM ({sources}) s
LEFT JOIN LATERAL (
    SELECT v.id FROM catalogue_version v
    JOIN catalogue_storedfile f ON f.sha256 = v.file_id AND f.condition = 'intact'
    LEFT JOIN review_review r ON r.version_id = v.id
    WHERE v.derived_from_id = s.src AND v.recipe_id = %(recipe)s AND v.run >= %(run)s
      AND (r.state IS NULL OR r.state NOT IN ('rejected', 'withdrawn'))
    ORDER BY v.run DESC LIMIT 1
) made ON true
CROSS JOIN LATERAL (SELECT CASE {forbidden}
    WHEN s.condition <> 'intact' THEN 'source-damaged'
END AS code) left_out
WHERE CASE %(mode)s
    WHEN 'missing' THEN made.id IS NULL
    WHEN 'failed' THEN made.id IS NULL AND 'failed' = (
        SELECT i.state FROM jobs_jobitem i JOIN jobs_job j ON j.id = i.job_id
        WHERE i.source_id = s.src AND j.recipe_id = %(recipe)s AND j.id <> %(job)s
        ORDER BY i.id DESC LIMIT 1)
    ELSE true END
""".replace("{forbidden}", FORBIDDEN)
NO_DERIVATIVES = "(^|[^a-z])by(-nc)?-nd([^a-z]|$)|noderiv"  # Creative Commons, as an address or in words
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Terms:
    """On which terms an order is given. `sample` pictures are tried first; a share is of 0…1."""

    mode: str = Job.Mode.ALL
    sample: int = 0
    auto_start: bool = False
    with_sensitive: bool = False
    hours: tuple[Any, Any] | None = None  # two datetime.time
    stop_after: int | None = None
    stop_share: float | None = None
    allow_cpu: bool | None = None  # None: as long as no GPU worker is known


@dataclass(frozen=True)
class Judged:
    """How many of an order are made, found made already, and left out, by reason."""

    queued: int
    reused: int
    excluded: Mapping[str, int]

    @property
    def left_out(self) -> int:
        return sum(self.excluded.values())

    @property
    def total(self) -> int:
        return self.queued + self.reused + self.left_out

    @property
    def reasons(self) -> list[tuple[str, int, str]]:
        """`(code, how many, in a few words)`."""
        return [(code, n, REASONS()[code]) for code, n in sorted(self.excluded.items())]


def REASONS() -> dict[str, str]:
    return {
        "policy": _("their collection allows no AI derivatives"),
        "policy-restore-only": _("their collection allows restoration only"),
        "sensitive": _("they are marked as sensitive"),
        "rights": _("their licence allows no derivatives"),
        "source-withdrawn": _("they were rejected or withdrawn, and are not used again"),
        "style-withdrawn": _("the style picture was rejected or withdrawn since"),
        "source-damaged": _("the bytes of the scan are damaged or gone"),
    }


def sentences() -> dict[str, str]:
    """For each code the sentence of one item; `{collection}` is filled in by the database."""
    return {
        "policy": _("The collection “{collection}” allows no AI derivatives."),
        "policy-restore-only": _("The collection “{collection}” allows restoration only."),
        "sensitive": _("The item is marked as sensitive, and sensitive ones were not ordered."),
        "rights": _("The item's licence allows no derivatives."),
        "source-withdrawn": _("This version was rejected or withdrawn, and is not used again."),
        "style-withdrawn": _("The style picture was rejected or withdrawn, and is not used again."),
        "source-damaged": _("The scan's bytes are damaged or gone: restore them, then run a fixity check."),
    }


def select(
    sources: QuerySet[Version], *, recipe: str, operations: Sequence[str], run: int, mode: str,
    with_sensitive: bool, job: UUID = NOBODY,
) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """The SELECT of what becomes of each source, with its named parameters."""
    wanted = sources.annotate(
        src=F("pk"), itm=F("scan__item"), place=F("scan__position"), sensitive=F("scan__item__sensitive"),
        policy=F("scan__item__collection__effective_ai_policy"), condition=F("file__condition"),
        said=F("scan__item__description"), standing=F("review__state"),
    ).values("src", "itm", "place", "sensitive", "policy", "condition", "said", "standing")  # fmt: skip
    sql, values = wanted.query.sql_with_params()
    named = {f"p{n}": value for n, value in enumerate(values)}
    inner = sql % tuple(f"%({name})s" for name in named)
    return JUDGED.replace("{sources}", inner), named | {
        "recipe": recipe, "run": run, "mode": mode, "job": job,
    } | terms_asked(operations, with_sensitive=with_sensitive)  # fmt: skip


def terms_asked(operations: Sequence[str], *, with_sensitive: bool) -> dict[str, Any]:
    """The parameters of `FORBIDDEN`."""
    restoring = not set(operations) - RESTORING
    return {"nd": NO_DERIVATIVES, "restoring": restoring, "with_sensitive": with_sensitive}


def judge(sources: QuerySet[Version], *, recipe: str, operations: Sequence[str], terms: Terms) -> Judged:
    """Count what would become of an order, without giving it."""
    again = terms.mode == Job.Mode.AGAIN
    sql, values = select(
        sources.order_by(), recipe=recipe, operations=operations, run=2**31 - 1 if again else 1, mode=terms.mode,
        with_sensitive=terms.with_sensitive,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT code, made IS NOT NULL, count(*) FROM ({sql}) x GROUP BY 1, 2", values  # noqa: S608
        )  # fmt: skip
        rows = cursor.fetchall()
    excluded: dict[str, int] = {}
    counts = {True: 0, False: 0}
    for code, made, n in rows:
        if code:
            excluded[code] = excluded.get(code, 0) + n
        else:
            counts[made] += n
    return Judged(queued=counts[False], reused=counts[True], excluded=excluded)


def examples(
    sources: QuerySet[Version], *, recipe: str, operations: Sequence[str], terms: Terms, most: int = 200
) -> list[tuple[Version, str]]:
    """The first sources that would be left out, each with the reason."""
    sql, values = select(
        sources,
        recipe=recipe,
        operations=operations,
        run=1,
        mode=terms.mode,
        with_sensitive=terms.with_sensitive,
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT src, code FROM ({sql}) x WHERE code IS NOT NULL LIMIT {int(most)}", values)  # noqa: S608
        codes = dict(cursor.fetchall())
    words = REASONS()
    rows = Version.objects.filter(pk__in=codes).select_related("scan__item").order_by("scan__item", "pk")
    return [(version, words[codes[version.pk]]) for version in rows]


def forbidden_by_policy(operations: Sequence[str], collection: Collection) -> str | None:
    """Why the collection's AI policy leaves a source out, or None."""
    if collection.effective_ai_policy == Collection.AIPolicy.NONE:
        return sentences()["policy"].format(collection=collection)
    if collection.effective_ai_policy == Collection.AIPolicy.RESTORE_ONLY and set(operations) - RESTORING:
        return sentences()["policy-restore-only"].format(collection=collection)
    return None


def left_out(job: Job) -> list[tuple[str, int, str]]:
    """`(code, how many, in a few words)` of what was left out of a frozen order."""
    rows = (
        job.items.filter(state=JobItem.State.EXCLUDED).order_by().values_list("code").annotate(n=Count("pk"))
    )
    return [(code, n, REASONS().get(code, code)) for code, n in sorted(rows)]
