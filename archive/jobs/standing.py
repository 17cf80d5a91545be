"""Standing orders: every new master of a collection gets a recipe, as a draft. Once a day each looks for new ones.

When one last looked is in its row, and the sweeper asks the rows: a scheduler that was down at ten in the evening makes
up for it when it is back, a lost message loses no night, and two sweepers at once make one job (record 13).
"""

import logging
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue import services as catalogue
from archive.catalogue.models import Collection, Event
from archive.jobs import judging
from archive.jobs.judging import Terms
from archive.jobs.models import Job, StandingOrder
from archive.jobs.orders import NotAllowed, order
from archive.jobs.recipes import offered, reference_of, resolve_asked, saved_named
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.states import NotNow
from stylizer.errors import StylizerError

log = logging.getLogger(__name__)


def make(
    collection: Collection,
    preset: str,
    *,
    by: User,
    hour: int = 22,
    hours: tuple[time, time] | None = None,
    backlog: str = "new-only",
) -> StandingOrder:
    """Give a standing order for a collection with everything below it.

    Args:
        hour: of the archive's clock, at which it looks every day.
        hours: within which its jobs may run; None: at any time.
        backlog: "new-only", or "all": masters that are there already, too.

    Raises:
        NotAllowed: not an admin, an unknown preset, an hour that is none, or there is such an order already.
    """
    _allow(by)
    if preset not in offered() and saved_named(preset) is None:
        raise NotAllowed(
            _("“%(preset)s” is not among the recipes: %(known)s.")
            % {"preset": preset, "known": ", ".join(offered())}
        )
    if (picture := reference_of(preset)) is not None and not permissions.may_see_version(by, picture):
        raise NotAllowed(_("The style picture is not among those you may see."))
    try:
        resolve_asked(preset)  # one that needs a style picture and has none is for single orders
    except StylizerError as error:
        raise NotAllowed(str(error)) from error
    if not 0 <= hour < 24:
        raise NotAllowed(_("Name an hour from 0 to 23, not %d.") % hour)
    if backlog not in {"new-only", "all"}:
        raise NotAllowed(_("Name “new-only” or “all”, not “%s”.") % backlog)
    start, end = hours or (None, None)
    try:
        with transaction.atomic():
            made = StandingOrder.objects.create(
                collection=collection, preset=preset, hour=hour, hours_from=start, hours_to=end, ordered_by=by,
                since=timezone.now() if backlog == "new-only" else None,
            )  # fmt: skip
            _note(made, "given", by=by)
            return made
    except IntegrityError as error:
        raise NotAllowed(
            _("There is a standing order “%(preset)s” for “%(collection)s” already: end it first.")
            % {"preset": preset, "collection": collection}
        ) from error


@transaction.atomic
def pause(standing: StandingOrder, *, by: User) -> StandingOrder:
    """It looks no more until it is resumed; jobs that came of it go on. Raises NotAllowed, NotNow."""
    _allow(by)
    return _change(standing, "paused", by=by, when={"enabled": True}, enabled=False)


@transaction.atomic
def resume(standing: StandingOrder, *, by: User) -> StandingOrder:
    """It looks again, and finds what came meanwhile. Raises NotAllowed, NotNow."""
    _allow(by)
    return _change(standing, "resumed", by=by, when={"enabled": False}, enabled=True, note="")


@transaction.atomic
def end(standing: StandingOrder, *, by: User) -> StandingOrder:
    """For good. What came of it stays, and its jobs go on. Raises NotAllowed, NotNow."""
    _allow(by)
    return _change(standing, "ended", by=by, when={}, enabled=False, ended=timezone.now())


CHANGES = {"pause": pause, "resume": resume, "end": end}


def look_now(standing: StandingOrder, *, by: User) -> Job | None:
    """Look without waiting for its hour. Raises NotAllowed, NotNow."""
    _allow(by)
    if not standing.enabled or standing.ended:
        raise NotNow(_("This standing order is paused or ended: it does not look."))
    return _look(standing.pk, now=timezone.now(), whenever=True)


def look_all(now: datetime | None = None) -> list[Job]:
    """Let every standing order look whose hour has come; the jobs that came of it. Safe at any time, from anywhere."""
    now = now or timezone.now()
    waiting = StandingOrder.objects.filter(enabled=True, ended=None)
    ready = [one.pk for one in waiting if is_due(now, one.hour, one.looked or one.created)]
    return [job for pk in ready if (job := _look(pk, now=now)) is not None]


def is_due(now: datetime, hour: int, looked: datetime) -> bool:
    """Has the hour of the archive's clock come since it looked? Pure."""
    here = timezone.localtime(now)
    last = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    if last > here:
        last -= timedelta(days=1)
    return looked < last


@transaction.atomic
def _look(pk: int, *, now: datetime, whenever: bool = False) -> Job | None:
    """Order what is new. Whoever holds the row looks; another sweeper passes by."""
    row = StandingOrder.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
    if row is None or not row.enabled or row.ended:
        return None
    if not whenever and not is_due(now, row.hour, row.looked or row.created):
        return None
    row.looked = now
    row.save(update_fields=["looked"])
    try:
        with transaction.atomic():
            return _order(row)
    except (NotAllowed, ScopeError, StylizerError) as problem:
        # Its person lost the right, its model is gone: it would fail every night, and nobody would see it.
        log.warning("Standing order %s is paused: %s", pk, problem)
        _change(row, "paused", by=None, when={"enabled": True}, enabled=False, note=str(problem)[:300])
        return None


def _order(row: StandingOrder) -> Job | None:
    scope = Scope(collection=row.collection.ref, new_for=row.pk)
    hours = (row.hours_from, row.hours_to) if row.hours_from else None
    terms = Terms(mode=Job.Mode.MISSING, hours=hours)
    recipe = resolve_asked(row.preset)
    sources = scope.sources(row.ordered_by)
    found = judging.judge(sources, recipe=recipe.digest, operations=recipe.operations, terms=terms)
    if not found.queued:
        return None
    return order(scope, row.preset, by=row.ordered_by, terms=terms, standing=row)


def _allow(by: User) -> None:
    if not permissions.may_keep_standing_orders(by):
        raise NotAllowed(_("Standing orders are for administrators."))


def _change(
    standing: StandingOrder, change: str, *, by: User | None, when: Mapping[str, Any], **fields: Any
) -> StandingOrder:
    if not StandingOrder.objects.filter(pk=standing.pk, ended=None, **when).update(**fields):
        raise NotNow(_("Somebody was quicker: this standing order is not what it was."))
    standing.refresh_from_db()
    _note(standing, change, by=by)
    return standing


def _note(standing: StandingOrder, change: str, *, by: User | None) -> None:
    """Into the history of the collection: what is to become of its masters is a policy."""
    detail = {
        "standing_order": standing.pk, "change": change, "preset": standing.preset, "hour": standing.hour,
        "hours": [f"{at:%H:%M}" for at in (standing.hours_from, standing.hours_to) if at],
        "since": standing.since.isoformat() if standing.since else None,
    } | ({"why": standing.note} if standing.note else {})  # fmt: skip
    catalogue.record(
        Event.Type.POLICY_ASSIGNMENT,
        about=[("subject", standing.collection)],
        by=catalogue.agent_of(by),
        detail=detail,
    )
