"""An archive whose store holds what its database says: the packaged weights."""

import pytest

from archive.store import get_store
from stylizer.cards import packaged, packaged_weights


@pytest.fixture(autouse=True)
def _weights_in_store(_own_store: None) -> None:
    for card in packaged():
        get_store().put_path(packaged_weights(card), expected=card.weights)
