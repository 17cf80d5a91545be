"""On which terms an order is given, as the order form says it."""

from datetime import time
from typing import Any

from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Version
from archive.ids import as_uuid
from archive.jobs.judging import Terms
from archive.jobs.models import Job
from archive.jobs.orders import NotAllowed
from archive.jobs.scope import Scope

ON_ERRORS = ("go-on", "after", "share")


def scope_of(data: QueryDict) -> tuple[Scope, dict[str, Any]]:
    """The scope of a form or an address, and what was asked, to be asked again.

    Raises:
        ScopeError: none, or several.
    """
    asked = asked_of(data)
    given = {name: value for name, value in asked.items() if value and name != "direct"}
    if asked["direct"]:
        given["below"] = False
    return Scope.parse(given), asked


def asked_of(data: QueryDict) -> dict[str, Any]:
    return {
        "collection": data.get("collection"),
        "search": data.get("search"),
        "within": data.get("within"),
        "items": data.getlist("item"),
        "versions": data.getlist("version"),
        "direct": data.get("direct") == "yes",
    }


def style_picture(data: QueryDict, by: User) -> Version | None:
    """The style picture of an order, one that its orderer may see. Raises Http404 for any other."""
    if not data.get("reference"):
        return None
    rows = Version.objects.filter(permissions.visible_versions(by)).select_related("scan__item__collection")
    return get_object_or_404(rows.select_related("review"), pk=as_uuid(data.get("reference")))


def terms_of(data: QueryDict) -> Terms:
    """The terms a form sets; what it leaves out is as usual.

    Raises:
        NotAllowed: a number or a time that is none.
    """
    mode = data.get("mode") or (Job.Mode.AGAIN if data.get("again") == "yes" else Job.Mode.ALL)
    errors = data.get("errors") or "go-on"
    if errors not in ON_ERRORS:
        raise NotAllowed(_("On errors: choose one of %s.") % ", ".join(ON_ERRORS))
    return Terms(
        mode=mode,
        sample=whole(data.get("sample"), _("The sample"), 0),
        auto_start=data.get("auto_start") == "yes",
        with_sensitive=data.get("with_sensitive") == "yes",
        hours=hours_of(data),
        stop_after=whole(data.get("stop_after"), _("Failures"), 10) if errors == "after" else None,
        stop_share=whole(data.get("stop_share"), _("The share"), 10) / 100 if errors == "share" else None,
        allow_cpu=data.get("allow_cpu") == "yes" if "devices" in data else None,
    )


def hours_of(data: QueryDict) -> tuple[time, time] | None:
    """Allowed hours, if any are given.

    Raises:
        NotAllowed: one of the two is missing or no time of day.
    """
    start, end = _time(data.get("from")), _time(data.get("to"))
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise NotAllowed(_("Allowed hours have a beginning and an end."))
    return start, end


def whole(text: str | None, what: str, default: int) -> int:
    """A number of up to six digits, or the default where nothing is given. Raises NotAllowed."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise NotAllowed(
            _("%(what)s: expected a whole number, got “%(text)s”.") % {"what": what, "text": text}
        )
    return int(text)


def _time(text: str | None) -> time | None:
    if not text:
        return None
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise NotAllowed(_("“%s” is no time of day; write it as 22:00.") % text) from error
