"""Ordering: a scope frozen into a list, once, with what is left out and what is there already said of each."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Collection, Recipe, Version
from archive.catalogue.queries import live_derivatives
from archive.jobs import dispatch
from archive.jobs.masks import Mask, keep_mask
from archive.jobs.models import Job, JobItem
from archive.jobs.recipes import resolved
from archive.jobs.scope import Scope

BATCH = 2_000
RESTORING = {"restore"}


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
) -> Job:
    """Order derivatives of everything in the scope and return the running (or, with nothing to do, finished) job.

    Args:
        spec: a preset, a chain of presets, or a recipe as a mapping.
        again: make what is made already once more, as a new run.
        mask: where it may act; for one scan only, since a mask fits one picture.

    Raises:
        RecipeError, ScopeError, NotAllowed: nothing was ordered.
    """
    sources = list(scope.sources(by).select_related(None).values_list("pk", "scan__item__collection"))
    collections = {c.pk: c for c in Collection.objects.filter(pk__in={where for _pk, where in sources})}
    _allow(by, collections.values(), len(sources))
    if mask is not None and len(sources) != 1:
        raise NotAllowed(_("Marked areas and masks fit one scan; order this scan by itself."))
    recipe = resolved(spec, reference=reference, mask=keep_mask(mask, sources[0][0]) if mask else None)
    job = Job.objects.create(
        title=title[:200] or f"{spec if isinstance(spec, str) else recipe}: {scope.title()}"[:200],
        recipe=recipe,
        preset=spec[:200] if isinstance(spec, str) else "",
        reference=reference,
        scope=scope.to_dict(),
        run=_next_run(recipe, [pk for pk, _where in sources]) if again else 1,
        ordered_by=by,
    )
    freeze(job, sources, collections)
    return job


def freeze(job: Job, sources: list[tuple[UUID, UUID]], collections: Mapping[UUID, Collection]) -> None:
    """Write one item for each source and start the job."""
    for start in range(0, len(sources), BATCH):
        batch = sources[start : start + BATCH]
        made = live_derivatives([pk for pk, _where in batch], job.recipe_id, job.run)
        JobItem.objects.bulk_create(
            [
                _item(job, pk, start + i, collections[where], made.get(pk))
                for i, (pk, where) in enumerate(batch, start=1)
            ]
        )
    open_items = job.items.filter(state=JobItem.State.QUEUED).exists()
    job.state = Job.State.RUNNING if open_items else Job.State.FINISHED
    job.started = timezone.now()
    job.ended = None if open_items else job.started
    job.save(update_fields=["state", "started", "ended"])
    if open_items:
        dispatch.work()


def forbidden_by_policy(operations: Sequence[str], collection: Collection) -> str | None:
    """Why the collection's AI policy leaves a source out, or None."""
    if collection.effective_ai_policy == Collection.AIPolicy.NONE:
        return _("The collection “%s” allows no AI derivatives.") % collection
    if collection.effective_ai_policy == Collection.AIPolicy.RESTORE_ONLY and set(operations) - RESTORING:
        return _("The collection “%s” allows restoration only.") % collection
    return None


def _item(job: Job, source: UUID, position: int, collection: Collection, made: UUID | None) -> JobItem:
    if reason := forbidden_by_policy(job.recipe.operations, collection):
        return JobItem(
            job=job,
            source_id=source,
            position=position,
            state=JobItem.State.EXCLUDED,
            code="policy",
            sentence=reason,
        )
    if made is not None:
        return JobItem(
            job=job, source_id=source, position=position, state=JobItem.State.REUSED, result_id=made
        )
    return JobItem(job=job, source_id=source, position=position)


def _allow(by: User, collections: Any, count: int) -> None:
    limit = settings.ORDER_LIMIT
    if count == 0:
        raise NotAllowed(_("There is nothing in this scope to make derivatives of."))
    if not permissions.may_order(by, collections, count, limit=limit):
        if count > limit:
            raise NotAllowed(
                ngettext(
                    "This is an order of %(count)d picture; more than %(limit)d at once is for administrators.",
                    "This is an order of %(count)d pictures; more than %(limit)d at once is for administrators.",
                    count,
                )
                % {"count": count, "limit": limit}
            )
        raise NotAllowed(_("You may order only in collections you work in."))


def _next_run(recipe: Recipe, sources: list[UUID]) -> int:
    newest = (
        Version.objects.filter(recipe=recipe, derived_from__in=sources)
        .order_by("-run")
        .values_list("run", flat=True)
        .first()
    )
    return (newest or 0) + 1
