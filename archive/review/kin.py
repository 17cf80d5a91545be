"""What a decision means for a derivative's kin: what it was made from, and what was made from it.

Nothing is refused for its sake. A withdrawal may be needed at once, whatever was made from the picture, and whoever
publishes the last step of a chain may have reasons; but nobody should find out from a reader.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.catalogue.models import Version
from archive.review.models import Review

S = Review.State
GONE = (S.REJECTED, S.WITHDRAWN)


@dataclass(frozen=True)
class Kin:
    """`source` is the number and state of the derivative it was made from (None: of a scan); `below` the numbers of the
    live derivatives made from it, at whatever distance."""

    source: tuple[int, str] | None = None
    below: tuple[int, ...] = ()

    @property
    def hidden_source(self) -> str:
        """What readers will not see, if it is published."""
        if self.source is None or self.source[1] == S.PUBLISHED:
            return ""
        number, state = self.source
        return _("It was made from version %(number)d, which is %(state)s: readers do not see that step.") % {
            "number": number,
            "state": S(state).label,
        }

    @property
    def left_below(self) -> str:
        """What stays as it is, if this one is taken back."""
        if not self.below:
            return ""
        return ngettext(
            "Version %(numbers)s was made from it and stays as it is: look at it too.",
            "Versions %(numbers)s were made from it and stay as they are: look at them too.",
            len(self.below),
        ) % {"numbers": ", ".join(str(number) for number in self.below)}

    @property
    def remarks(self) -> list[str]:
        """All there is to say before a decision."""
        return [remark for remark in (self.hidden_source, self.left_below) if remark]

    def after(self, decision: str) -> list[str]:
        """What there is to say of a decision that was taken."""
        if decision == "publish":
            return [self.hidden_source] if self.hidden_source else []
        if decision in {"reject", "withdraw", "unpublish"}:
            return [self.left_below] if self.left_below else []
        return []


def with_family(rows: QuerySet[Version]) -> QuerySet[Version]:
    """With the derivatives of each one's scan, so that `of` needs no query of its own."""
    family = Version.objects.filter(scan=OuterRef("scan"), derived_from__isnull=False).order_by("number")
    member = JSONObject(id="pk", source="derived_from", number="number", state="review__state")
    return rows.annotate(family=ArraySubquery(family.values(member=member)))


def of(versions: Iterable[Version]) -> dict[UUID, Kin]:
    """The kin of each, in one query, or none where `with_family` has loaded them."""
    known = {version.pk: getattr(version, "family", None) for version in versions}
    if missing := [pk for pk, family in known.items() if family is None]:
        rows = with_family(Version.objects.filter(pk__in=missing)).order_by()
        known |= {row.pk: getattr(row, "family") for row in rows}  # noqa: B009  (mypy knows no annotation)
    return {pk: _kin(str(pk), family or []) for pk, family in known.items()}


def _kin(me: str, family: Iterable[dict[str, Any]]) -> Kin:
    members = {member["id"]: member for member in family}
    below: dict[str, list[str]] = {}
    for pk, member in members.items():
        below.setdefault(member["source"], []).append(pk)
    live, stack = [], list(below.get(me, []))
    while stack:
        member = members[pk := stack.pop()]
        if member["state"] not in GONE:
            live.append(member["number"])
        stack += below.get(pk, [])
    source = members.get(members[me]["source"]) if me in members else None
    above = (source["number"], source["state"] or str(S.DRAFT)) if source else None
    return Kin(above, tuple(sorted(live)))
