"""A worker whose own test picture fails says why by name, to the admin who finds it resting."""

import pytest

from stylizer.cards import packaged_card
from stylizer.errors import OutOfMemory
from stylizer.recipe import resolve
from workers import health


@pytest.mark.parametrize(
    ("error", "code", "ends"),
    [
        (KeyError("head.weight"), "unexpected", "KeyError: 'head.weight'"),
        (OutOfMemory("Not enough memory."), OutOfMemory.code, "too: Not enough memory."),
    ],
)
def test_a_failed_self_test_names_what_nobody_foresaw_and_repeats_what_was_foreseen(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: str, ends: str
) -> None:
    def fails(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(health, "test", fails)
    recipe = resolve("restore", cards=packaged_card)
    worker = health.Health(tested={recipe.digest})
    trouble = worker._test(recipe, engine=None)
    assert trouble is not None
    assert trouble.code == code
    assert trouble.sentence.endswith(ends)
    assert not worker.tested  # it is tested again before the next picture
