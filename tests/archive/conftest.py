"""The cast: Ada the archivist, Cai the curator, Odo the admin, Rea the reader, Max the outsider."""

from pathlib import Path

import pytest
from pytest_django import Settings

from archive.accounts.models import Role, User
from archive.catalogue.models import Collection
from tests.archive import factories


@pytest.fixture(autouse=True)
def _own_store(settings: Settings, tmp_path: Path) -> None:
    """Every test has a store of its own, so that it can say what is left in it."""
    settings.STORE = str(tmp_path / "store")
    settings.RENDITIONS = str(tmp_path / "renditions")
    settings.SCRATCH = tmp_path / "scratch"


@pytest.fixture
def portraits(db: None) -> Collection:
    """A public collection."""
    return factories.collection("portraits")


@pytest.fixture
def ada(portraits: Collection) -> User:
    return factories.user("ada", Role.ARCHIVIST, collection=portraits)


@pytest.fixture
def cai(portraits: Collection) -> User:
    return factories.user("cai", Role.CURATOR, collection=portraits)


@pytest.fixture
def odo(db: None) -> User:
    return factories.user("odo", Role.ADMIN)


@pytest.fixture
def rea(portraits: Collection) -> User:
    return factories.user("rea", Role.READER, collection=portraits)


@pytest.fixture
def max_(db: None) -> User:
    """An archivist, but of another collection."""
    return factories.user("max", Role.ARCHIVIST, collection=factories.collection(access="private"))
