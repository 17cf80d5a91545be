"""A derivative beside its source, with all that who judges it has to know."""

import json
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from archive.catalogue.models import Collection, Sidecar, Version
from archive.review import kin
from archive.review.kin import Kin
from archive.review.models import Decision
from archive.review.policy import Policy, policies
from archive.review.standing import possible, warnings
from stylizer.recipe import Recipe

MOST_DECISIONS = 5  # of the history; the rest is on the version's own page


@dataclass(frozen=True)
class Pair:
    """One derivative to judge. `version` has its source, review and decisions loaded."""

    version: Version
    source: Version
    recipe: Recipe | None
    policy: Policy
    warnings: list[str]
    decisions: list[str]  # that can be taken now
    history: list[Decision]  # newest first
    maps: str
    kin: Kin  # what it was made from and what was made from it

    @property
    def approvals(self) -> int:
        """How many people have approved so far."""
        return len(self.version.review.approved_by)


def pairs(versions: list[Version]) -> list[Pair]:
    """Pairs of versions as `queries.shown` loads them, in the same order."""
    collections: dict[object, Collection] = {
        v.scan.item.collection_id: v.scan.item.collection for v in versions
    }
    asked = policies(list(collections.values()))
    related = kin.of(versions)
    return [
        _pair(version, asked[collections[version.scan.item.collection_id]], related[version.pk])
        for version in versions
    ]


def _pair(version: Version, policy: Policy, related: Kin) -> Pair:
    source = version.derived_from
    assert source is not None  # noqa: S101  (only derivatives are reviewed)
    return Pair(
        version=version,
        source=source,
        recipe=Recipe.from_json(version.recipe.canonical) if version.recipe else None,
        policy=policy,
        warnings=warnings(version.report, role=version.role),
        decisions=possible(version.review.state),
        history=list(version.review.decisions.all())[::-1][:MOST_DECISIONS],
        maps=json.dumps([overlay(sidecar) for sidecar in version.sidecars.all()]),
        kin=related,
    )


def overlay(sidecar: Sidecar) -> dict[str, str]:
    """What the viewer lays over the picture."""
    url = reverse("catalogue:sidecar", args=[sidecar.version_id, sidecar.kind])
    return {"url": url, "label": str(sidecar.get_kind_display()).capitalize()}


def done_words(decision: str) -> str:
    """What a decision makes of a derivative, in a word."""
    words = {
        "approve": _("approved"),
        "reject": _("rejected"),
        "publish": _("published"),
        "reopen": _("reopened"),
        "withdraw": _("withdrawn"),
    }
    return words.get(decision, decision)
