"""The tests' own servers and home: a real PostgreSQL and a real Redis, started once, gone at the end.

Settings are read when they are first imported, so the home of the archive is named before anything else happens. With
DATABASE_URL or REDIS_URL set, the servers they name are used.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from archive.embedded import Addresses, Servers

# A home for each process of a parallel run: one may empty its queue without the other's tests noticing.
HOME = Path(tempfile.mkdtemp(prefix="palimpsest-tests-"))
(HOME / "static").mkdir()
os.environ |= {
    "PALIMPSEST_HOME": str(HOME),
    "PALIMPSEST_SECRET_KEY": "only for tests, and long enough for the framework's own check of it",
    "PALIMPSEST_LOG_LEVEL": "WARNING",
    "PALIMPSEST_HASHED_STATIC": "no",  # pages can be asked for without collecting their files first
    "PALIMPSEST_STATIC": str(HOME / "static"),
}
os.environ["DJANGO_SETTINGS_MODULE"] = "archive.settings"
django.setup()  # now, because conftests further down import models

SERVERS = pytest.StashKey[Servers]()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Browser tests come last: Playwright leaves an event loop running, and Django refuses its database beside one."""
    yield
    items.sort(key=lambda item: "e2e" in item.path.parts)


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers where tests run: not in a process that only hands them out to others."""
    several = config.getoption("dist", "no") != "no" and config.getoption("tx", None)
    hands_out = several and "PYTEST_XDIST_WORKER" not in os.environ
    if several and os.environ.get("REDIS_URL"):
        raise pytest.UsageError("REDIS_URL names one queue, which tests empty: run them in one process.")
    if hands_out:
        del os.environ[
            "DJANGO_SETTINGS_MODULE"
        ]  # else theirs would be read before they have named their homes
    if config.option.collectonly or hands_out:
        return
    servers = Servers(
        Addresses.of(HOME),
        postgres=not os.environ.get("DATABASE_URL"),
        redis=not os.environ.get("REDIS_URL"),
        durable=False,
    )
    servers.__enter__()
    config.stash[SERVERS] = servers


def pytest_unconfigure(config: pytest.Config) -> None:
    if servers := config.stash.get(SERVERS, None):
        servers.__exit__()
    shutil.rmtree(HOME, ignore_errors=True)
