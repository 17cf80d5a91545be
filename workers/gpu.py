"""The stylizer worker's tasks. One process a GPU, pool "solo": CUDA does not survive a fork."""

import workers.setup  # noqa: F401  isort: skip  (Django first)

from uuid import UUID

from archive.celery import app as app
from archive.jobs import dispatch
from workers import engines
from workers.presence import announce
from workers.previewing import serve
from workers.proofing import prove
from workers.rederivation import rederive as make_again
from workers.runner import work_for

SECONDS = 60.0  # of work a message: long enough to stay warm, short enough that a restart waits for no more

announce("gpu", engines.device)


@app.task(name="palimpsest.gpu.work")
def work() -> None:
    """Take queued items until there are none, or until the time is up; then leave the rest to another message."""
    if work_for(SECONDS, engine=engines.engine()):
        dispatch.work()


@app.task(name="palimpsest.gpu.preview")
def preview() -> None:
    """Make the previews people wait for."""
    serve(engines.engine())


@app.task(name="palimpsest.gpu.proof")
def proof() -> None:
    """Make the proofs people choose by."""
    prove(engines.engine())


@app.task(name="palimpsest.gpu.rederive")
def rederive(version: str, token: str) -> None:
    """Make a derivative again and compare; the outcome is an event carrying the token."""
    make_again(UUID(version), token, engine=engines.engine())
