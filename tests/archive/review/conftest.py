"""A trial of two recipes, and a second curator."""

import pytest

from archive.accounts.models import Role, User
from archive.catalogue.models import Collection, Recipe
from archive.review.trials import services
from archive.review.trials.models import Trial
from tests.archive import factories
from tests.archive.review.trial_cast import SCANS, asked, made


@pytest.fixture
def strong(db: None) -> Recipe:
    return factories.recipe()


@pytest.fixture
def mild(db: None) -> Recipe:
    return factories.recipe(strength="0.4")


@pytest.fixture
def trial(portraits: Collection, cai: User, strong: Recipe, mild: Recipe) -> Trial:
    for number in range(SCANS):
        made(portraits, strong, mild, title=f"Photograph {number + 1}")
    return services.make(portraits, asked(strong, mild), by=cai)


@pytest.fixture
def cleo(portraits: Collection) -> User:
    """A second curator."""
    return factories.user("cleo", Role.CURATOR, collection=portraits)
