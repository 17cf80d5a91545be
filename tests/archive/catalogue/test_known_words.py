"""The migration that mends words of access and AI policy nobody knows: below them, too."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from archive.catalogue.models import Collection
from archive.catalogue.services import create_collection

pytestmark = pytest.mark.django_db
mend = import_module("archive.catalogue.migrations.0006_known_words").mend


@pytest.fixture
def _as_before(db: None) -> None:
    """Without the constraints that came after; the test's transaction brings them back."""
    with connection.cursor() as cursor:
        for name in ("access_in_a_known_word", "ai_policy_in_a_known_word"):
            cursor.execute(f"ALTER TABLE catalogue_collection DROP CONSTRAINT {name}")


def standing(ref: str) -> tuple[str, str, object]:
    row = Collection.objects.get(ref=ref)
    return row.effective_access, row.effective_ai_policy, row.private_root


@pytest.mark.usefixtures("_as_before")
def test_an_unknown_word_becomes_the_strictest_and_holds_below() -> None:
    fonds = create_collection("fonds", title="F", by=None, access="public", ai_policy="allowed")
    series = create_collection("series", title="S", by=None, parent=fonds)
    create_collection("file", title="L", by=None, parent=series, ai_policy="restore-only")
    create_collection("open", title="O", by=None, parent=series, access="staff")
    create_collection("elsewhere", title="E", by=None, access="public")
    Collection.objects.filter(pk=fonds.pk).update(access="closed", ai_policy="forbidden")
    below = Collection.objects.filter(path__contains=[fonds.pk])
    below.filter(ai_policy="inherit").update(effective_ai_policy="forbidden")
    mend(apps, None)
    assert standing("fonds") == standing("series") == ("private", "none", fonds.pk)
    assert standing("file") == ("private", "restore-only", fonds.pk)
    assert standing("open") == ("staff", "none", None)
    assert standing("elsewhere") == ("public", "allowed", None)


def test_where_every_word_is_known_nothing_changes() -> None:
    fonds = create_collection("fonds", title="F", by=None, access="public")
    create_collection("series", title="S", by=None, parent=fonds, access="private", ai_policy="none")
    before = list(Collection.objects.order_by("pk").values())
    mend(apps, None)
    assert list(Collection.objects.order_by("pk").values()) == before
