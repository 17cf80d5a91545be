"""Incoming files of each test's own, and a sender signed in as Ada."""

from pathlib import Path

import pytest
from pytest_django import Settings

from archive.accounts.models import User
from tests.archive.ingest.sender import Sender


@pytest.fixture(autouse=True)
def _own_incoming(settings: Settings, tmp_path: Path) -> None:
    settings.INCOMING = tmp_path / "incoming"
    settings.SPARE_BYTES = 0


@pytest.fixture
def sender(ada: User) -> Sender:
    return Sender(ada)
