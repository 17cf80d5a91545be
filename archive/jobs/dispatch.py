"""The only place that sends Celery messages: by name, with ids only, after the commit.

A message is a nudge. If Redis cannot be reached, that is logged and nothing is lost: the rows say what is to be done,
and the sweeper nudges again.
"""

import logging
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from kombu.exceptions import OperationalError

from archive.celery import app

log = logging.getLogger(__name__)

RENDER_BATCH = 20  # versions a message: small enough that several workers share a large ingest


def render(versions: Iterable[UUID]) -> None:
    """Pyramids and thumbnails are wanted for these versions."""
    ids = [str(version) for version in versions]
    for start in range(0, len(ids), RENDER_BATCH):
        _after_commit("palimpsest.io.render", ids[start : start + RENDER_BATCH])


def fan_out(job: UUID) -> None:
    """A job was ordered: freeze its list and start it."""
    _after_commit("palimpsest.io.fan_out", str(job))


def withdraw(job: UUID) -> None:
    """A job is being undone: withdraw what it made."""
    _after_commit("palimpsest.io.withdraw", str(job))


def tell(job: UUID) -> None:
    """A job came to an end that somebody wants to know of."""
    _after_commit("palimpsest.io.tell", str(job))


def work() -> None:
    """There are queued items; any stylizer worker may take them."""
    _after_commit("palimpsest.gpu.work")


def rederive(version: UUID, event_token: str) -> None:
    """Make a derivative again and compare; the outcome is an event carrying the token."""
    _after_commit("palimpsest.gpu.rederive", str(version), event_token)


def preview() -> None:
    """Previews are waiting on the board."""
    _after_commit("palimpsest.gpu.preview")


def proof() -> None:
    """Proofs of recipes are wanted."""
    _after_commit("palimpsest.gpu.proof")


def _after_commit(task: str, *arguments: str | Sequence[str]) -> None:
    transaction.on_commit(lambda: _send(task, *arguments))


def _send(task: str, *arguments: str | Sequence[str]) -> None:
    try:
        app.send_task(task, args=list(arguments), retry=False)
    except (OperationalError, OSError) as error:
        log.warning("%s was not sent (%s); the sweeper will nudge again.", task, error)
