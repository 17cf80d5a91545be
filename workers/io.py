"""The io worker's tasks: renditions and sweeping. No torch here."""

import workers.setup  # noqa: F401  isort: skip  (Django first)

from uuid import UUID

from archive.celery import app as app
from archive.iiif import renditions
from archive.jobs import sweep as sweeper
from workers.presence import announce

announce("io", lambda: "")


@app.task(name="palimpsest.io.render")
def render(versions: list[str]) -> None:
    """Make pyramids and thumbnails of these versions, where they are still wanted."""
    for version in versions:
        renditions.make(UUID(version))


@app.task(name="palimpsest.io.sweep")
def sweep() -> None:
    """Find what nobody is working on."""
    sweeper.sweep()
