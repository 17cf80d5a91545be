"""Making a derivative again and comparing: asked for here, done by a worker, answered by an event."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from archive.catalogue.models import Event, Version
from archive.catalogue.services import record
from archive.jobs import dispatch


@dataclass(frozen=True)
class Verdict:
    """`same` is about files within one fingerprint and about pixels across two; `detail` is the event's."""

    same: bool
    detail: Mapping[str, Any]


def ask(version: Version) -> str:
    """Ask a worker to make a derivative again; returns the token its answer will carry."""
    token = uuid.uuid4().hex
    dispatch.rederive(version.pk, token)
    return token


def wait_for(token: str, *, seconds: float) -> Verdict | None:
    """The worker's answer, or None if there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        event = Event.objects.filter(type=Event.Type.REDERIVATION, detail__token=token).first()
        if event:
            return Verdict(event.outcome == Event.Outcome.SUCCESS, event.detail)
        time.sleep(0.5)
    return None


def judge(version: Version, again: Mapping[str, Any], *, token: str) -> Verdict:
    """Compare the report of a second run with the first one's, and record the outcome.

    Within one fingerprint the files must be equal; elsewhere the pixels must.
    """
    first = version.report
    kin = again["fingerprint"] == first.get("fingerprint")
    what = "output_sha256" if kin else "output_pixel_sha256"
    detail = {
        "token": token,
        "compared": "files" if kin else "pixels",
        "expected": first.get(what),
        "found": again[what],
        "fingerprint": again["fingerprint"],
        "first_fingerprint": first.get("fingerprint"),
    }
    return conclude(version, same=detail["expected"] == detail["found"], detail=detail)


def conclude(version: Version, *, same: bool, detail: Mapping[str, Any]) -> Verdict:
    """Record an outcome, also of a run that could not be made."""
    record(
        Event.Type.REDERIVATION,
        about=[("subject", version)],
        outcome=Event.Outcome.SUCCESS if same else Event.Outcome.FAILURE,
        detail=detail,
    )
    return Verdict(same, detail)


def in_words(verdict: Verdict) -> str:
    """The verdict as a sentence."""
    detail = verdict.detail
    if problem := detail.get("problem"):
        return str(problem)
    if verdict.same:
        return _("The same %(what)s, digest %(digest)s.") % {
            "what": _("file") if detail["compared"] == "files" else _("pixels"),
            "digest": detail["found"],
        }
    return _("Not the same %(what)s: expected %(expected)s, got %(found)s.") % {
        "what": _("file") if detail["compared"] == "files" else _("pixels"),
        "expected": detail["expected"],
        "found": detail["found"],
    }
