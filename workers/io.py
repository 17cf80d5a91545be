"""The io worker's tasks: renditions and sweeping. No torch here."""

import workers.setup  # noqa: F401  isort: skip  (Django first)

from uuid import UUID

from archive.celery import app as app
from archive.iiif import renditions
from archive.ingest import resumable
from archive.jobs import announcing, freezing, undoing
from archive.jobs import sweep as sweeper
from workers.presence import announce

announce("io", lambda: "")


@app.task(name="palimpsest.io.render")
def render(versions: list[str]) -> None:
    """Make pyramids and thumbnails of these versions, where they are still wanted."""
    for version in versions:
        renditions.make(UUID(version))


@app.task(name="palimpsest.io.fan_out")
def fan_out(job: str) -> None:
    """Write down the list of a large order."""
    freezing.freeze(UUID(job))


@app.task(name="palimpsest.io.withdraw")
def withdraw(job: str) -> None:
    """Withdraw what a job that is being undone has made."""
    while not undoing.withdraw_some(UUID(job)):
        pass


@app.task(name="palimpsest.io.tell")
def tell(job: str) -> None:
    """Tell people what a job came to."""
    announcing.tell(UUID(job))


@app.task(name="palimpsest.io.sweep")
def sweep() -> None:
    """Find what nobody is working on."""
    sweeper.sweep()
    resumable.sweep()
