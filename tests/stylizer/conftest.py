"""An engine with a small network, kept for the module; a recipe that asks for it."""

import pytest

from stylizer.cards import Weights
from stylizer.engine import Engine
from stylizer.recipe import Recipe, resolve
from tests.stylizer.small import save_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return save_weights(tmp_path_factory.mktemp("weights") / "model.safetensors")


@pytest.fixture(scope="module")
def engine(weights: Weights) -> Engine:
    return Engine(device="cpu", weights=lambda _digest: weights)


@pytest.fixture
def recipe(weights: Weights) -> Recipe:
    return resolve("restore-tone", cards={"restore": weights.card})
