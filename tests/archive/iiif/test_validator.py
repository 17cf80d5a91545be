"""The IIIF Image API as others check it: the community's validator, and requests nobody would think of."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.catalogue.models import Collection, Version
from tests.archive import factories
from tests.archive.iiif.test_image_api import PART, encoded, picture, stored_with

VALIDATOR = Path(sys.executable).with_name("iiif-validate.py")
ALLOWED = {200, 303, 304, 400, 401, 403, 404, 501}
SIZE = 100  # of each of the validator's ten by ten coloured squares


def test_card() -> np.ndarray:
    """The validator's picture, from the colours it looks for."""
    from iiif_validator.validator import ValidationInfo

    colours = np.asarray(ValidationInfo().colorInfo, np.uint8)  # [column][row]
    return colours.transpose(1, 0, 2).repeat(SIZE, axis=0).repeat(SIZE, axis=1)


test_card.__test__ = False  # type: ignore[attr-defined]  # its name is the field's word, not pytest's


@pytest.mark.django_db(transaction=True)
def test_the_validator_finds_level_2_of_version_3_without_a_failure(live_server: object) -> None:
    version = stored_with(factories.collection("portraits"), encoded(test_card()))
    address = str(live_server).removeprefix("http://")
    found = subprocess.run(
        [sys.executable, str(VALIDATOR), "-s", address, "-p", "iiif/3", "-i", str(version.pk),
         "--version", "3.0", "--level", "2", "--verbose"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    said = found.stdout + found.stderr
    summary = re.search(r"Done \((\d+) tests, (\d+) failures\)", said)
    assert summary, said
    assert int(summary[1]) >= 30, said
    assert int(summary[2]) == 0, said
    assert found.returncode == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "extra", ["rot_mirror", "rot_mirror_180", "linkheader_canonical", "linkheader_profile"]
)
def test_what_is_offered_beyond_level_2_holds_as_well(live_server: object, extra: str) -> None:
    version = stored_with(factories.collection("portraits"), encoded(test_card()))
    address = str(live_server).removeprefix("http://")
    found = subprocess.run(
        [sys.executable, str(VALIDATOR), "-s", address, "-p", "iiif/3", "-i", str(version.pk),
         "--version", "3.0", "--test", extra, "--verbose"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "(1 tests, 0 failures)" in found.stdout + found.stderr, found.stdout + found.stderr


@pytest.fixture
def version(portraits: Collection) -> Version:
    return stored_with(portraits, encoded(picture()))


@pytest.mark.django_db
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(region=PART, size=PART, rotation=PART, quality=PART, extension=PART, agreed=st.booleans())
def test_no_request_is_ever_an_error_of_ours(
    version: Version, region: str, size: str, rotation: str, quality: str, extension: str, agreed: bool
) -> None:
    """Half of them are right in their last three parts, so that region and size get their turn."""
    tail = "0/default.jpg" if agreed else f"{rotation}/{quality}.{extension}"
    path = f"/iiif/3/{version.pk}/{quote(region)}/{quote(size)}/{quote(tail, safe='/')}"
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code in ALLOWED, (path, answer.content[:200])
    if answer.status_code == 400:
        assert re.match(r"(region|size|rotation|quality|format): ", answer.content.decode())
