"""Ordering: what is wanted is checked and noted at once; the list of a large order is frozen by the io worker."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Collection, Recipe, Version
from archive.catalogue.templatetags.archive_tags import recipe_title
from archive.jobs import dispatch
from archive.jobs.freezing import freeze
from archive.jobs.judging import Terms, forbidden_by_policy
from archive.jobs.masks import Mask, keep_mask
from archive.jobs.models import Job, JobItem, StandingOrder, Worker
from archive.jobs.recipes import reference_of, resolved
from archive.jobs.scope import Scope
from archive.transactions import may_be_silent

__all__ = ["NotAllowed", "Terms", "forbidden_by_policy", "order"]

AT_ONCE = 200  # so many sources are frozen while the person waits; more by the io worker
MOST_SAMPLED = 200


class NotAllowed(Exception):
    """The person may not order this, or not so much of it."""

    code = "order-not-allowed"


@transaction.atomic
def order(
    scope: Scope,
    spec: str | Mapping[str, Any],
    *,
    by: User,
    title: str = "",
    reference: Version | None = None,
    again: bool = False,
    mask: Mask | None = None,
    terms: Terms = Terms(),  # noqa: B008  (frozen)
    standing: StandingOrder | None = None,
) -> Job:
    """Order derivatives of everything in the scope and return the job: running (or, with nothing to do, finished) when
    it is small, else freezing until the io worker has written down its list.

    Args:
        spec: a preset, a chain of presets, the name of a saved recipe, or a recipe as a mapping.
        again: as `Terms(mode="again")`.
        reference: the style picture, for a recipe that takes one.
        mask: where it may act; for one scan only, since a mask fits one picture.

    Raises:
        RecipeError, ScopeError, NotAllowed: nothing was ordered.
    """
    sources = scope.sources(by)
    count = sources.order_by().count()
    _allow(by, sources, count)
    _check(terms)
    if mask is not None and count != 1:
        raise NotAllowed(_("Marked areas and masks fit one scan; order this scan by itself."))
    reference = reference or reference_of(spec)
    if reference is not None and not permissions.may_see_version(by, reference):
        raise NotAllowed(_("The style picture is not among those you may see."))
    if mask is not None:
        may_be_silent()  # it is drawn and stored
    kept = keep_mask(mask, sources.values_list("pk", flat=True)[0]) if mask else None
    recipe = resolved(spec, reference=reference, mask=kept)
    mode = Job.Mode.AGAIN if again else terms.mode
    start, end = terms.hours or (None, None)
    job = Job.objects.create(
        title=title[:200] or f"{_called(spec, recipe)}: {scope.title()}"[:200],
        recipe=recipe,
        preset=spec[:200] if isinstance(spec, str) else "",
        reference=reference,
        scope=scope.to_dict(),
        expected=count,
        mode=mode,
        run=_next_run(recipe, sources) if mode == Job.Mode.AGAIN else 1,
        ordered_by=by,
        sample_size=terms.sample,
        auto_start=terms.auto_start,
        with_sensitive=terms.with_sensitive,
        hours_from=start,
        hours_to=end,
        stop_after=terms.stop_after,
        stop_share=terms.stop_share,
        allow_cpu=not gpu_known() if terms.allow_cpu is None else terms.allow_cpu,
        standing=standing,
    )
    if count <= AT_ONCE:
        freeze(job.pk)
        job.refresh_from_db()
    else:
        dispatch.fan_out(job.pk)
    return job


def _called(spec: str | Mapping[str, Any], recipe: Recipe) -> str:
    """A recipe as a list of jobs names it."""
    if not isinstance(spec, str):
        return str(recipe)
    return " + ".join(recipe_title(part.strip()) for part in spec.split("+"))


def _allow(by: User, sources: QuerySet[Version], count: int) -> None:
    limit = settings.ORDER_LIMIT
    if count == 0:
        raise NotAllowed(_("There is nothing in this scope to make derivatives of."))
    if count > limit and not permissions.may_order(by, [], count, limit=limit):
        raise NotAllowed(
            ngettext(
                "This is an order of %(count)d picture; more than %(limit)d at once is for administrators.",
                "This is an order of %(count)d pictures; more than %(limit)d at once is for administrators.",
                count,
            )
            % {"count": count, "limit": limit}
        )
    if permissions.is_admin(by):
        return
    places = Collection.objects.filter(pk__in=sources.order_by().values("scan__item__collection"))
    if not permissions.may_order(by, places, count, limit=limit):
        raise NotAllowed(_("You may order only in collections you work in."))


def allow_again(items: QuerySet[JobItem], *, by: User) -> None:
    """May the person still order these items? Asked whenever more of a job is begun: a right may be taken back.

    Raises:
        NotAllowed: not in their collections any more, or not so many of them.
    """
    if permissions.is_admin(by):
        return
    places = Collection.objects.filter(pk__in=items.order_by().values("source__scan__item__collection"))
    if not permissions.may_order(by, places, items.count(), limit=settings.ORDER_LIMIT):
        raise NotAllowed(
            _("%(person)s may not order these pictures any more; an administrator can go on with them.")
            % {"person": by}
        )


def _check(terms: Terms) -> None:
    """Terms come from forms and programs: what they say is checked where it is used.

    Raises:
        NotAllowed: a number out of its range.
    """
    if not 0 <= terms.sample <= MOST_SAMPLED:
        raise NotAllowed(
            _("A sample has 0 to %(most)d pictures, not %(n)d.") % {"most": MOST_SAMPLED, "n": terms.sample}
        )
    if terms.stop_after is not None and terms.stop_after < 1:
        raise NotAllowed(_("Stop after at least one failure, not %d.") % terms.stop_after)
    if terms.stop_share is not None and not 0 < terms.stop_share <= 1:
        raise NotAllowed(_("Stop at a share of failures between 0 and 100 %%, not %s.") % terms.stop_share)
    if terms.mode not in Job.Mode.values:
        modes = ", ".join(Job.Mode.values)
        raise NotAllowed(_("Order one of %(modes)s, not %(mode)s.") % {"modes": modes, "mode": terms.mode})


def gpu_known() -> bool:
    """Did a worker with a GPU show itself lately? Then falling back to a processor has to be allowed."""
    seen = Worker.objects.filter(kind="gpu", last_seen__gt=timezone.now() - timedelta(days=1))
    return seen.exclude(device="").exclude(device__startswith="cpu").exists()


def _next_run(recipe: Recipe, sources: QuerySet[Version]) -> int:
    newest = (
        Version.objects.filter(recipe=recipe, derived_from__in=sources.order_by().values("pk"))
        .order_by("-run")
        .values_list("run", flat=True)
        .first()
    )
    return (newest or 0) + 1
