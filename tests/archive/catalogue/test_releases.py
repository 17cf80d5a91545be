"""Model releases never change: new weights need a version of their own."""

import dataclasses

import pytest

from archive.catalogue.errors import ReleaseTaken
from archive.catalogue.models import ModelRelease
from archive.catalogue.services import register_release
from archive.preservation.releases import register_packaged
from stylizer.cards import packaged
from tests.archive import factories

pytestmark = pytest.mark.django_db


def test_registering_the_same_weights_again_changes_nothing() -> None:
    file = factories.stored(b"weights")
    card = dataclasses.replace(factories.CARD, weights=file.pk)
    assert register_release(card, file) == register_release(card, file)


def test_other_weights_under_a_taken_name_and_version_are_refused_with_a_sentence() -> None:
    first, second = factories.stored(b"weights"), factories.stored(b"other weights")
    register_release(dataclasses.replace(factories.CARD, weights=first.pk), first)
    with pytest.raises(ReleaseTaken, match="a version of their own"):
        register_release(dataclasses.replace(factories.CARD, weights=second.pk), second)


def test_every_packaged_model_is_registered_with_the_archive() -> None:
    register_packaged()
    registered = set(ModelRelease.objects.values_list("name", "version"))
    assert {(card.name, card.version) for card in packaged()} <= registered
    assert register_packaged() == 0
