"""The process's one engine, its networks kept warm, its weights fetched from the store by digest."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.conf import settings

from archive.catalogue.models import ModelRelease
from archive.store import get_store
from stylizer import machine
from stylizer.cards import Card, Weights, verify
from stylizer.engine import Engine, Source
from stylizer.errors import UnknownModel, WeightsMismatch
from stylizer.recipe import Recipe


@cache
def engine() -> Engine:
    """The engine of this process, on a GPU if there is one."""
    return Engine(weights=weights)


@contextmanager
def mask_of(recipe: Recipe) -> Iterator[Path | None]:
    """The mask a recipe names, as a file; None where it names none."""
    if recipe.mask is None:
        yield None
        return
    with get_store().local_path(recipe.mask) as path:
        yield path


@contextmanager
def reference_of(recipe: Recipe) -> Iterator[Source | None]:
    """The style picture a recipe names, as a file; None where it names none. The engine verifies its digest."""
    if recipe.reference is None:
        yield None
        return
    with get_store().local_path(recipe.reference) as path:
        yield Source(path, sha256=recipe.reference)


def device() -> str:
    """What the engine runs on, as records name it."""
    return machine.describe(machine.choose_device())


def weights(digest: str) -> Weights:
    """Weights by digest, kept in a folder of this machine and verified whenever they are taken from it.

    Raises:
        UnknownModel: the archive has no release with these weights.
    """
    release = ModelRelease.objects.filter(file=digest).first()
    if release is None:
        raise UnknownModel(f"The archive has no model release with the weights {digest[:12]}….")
    path = Path(settings.HOME) / "weights" / f"{digest}.safetensors"
    if path.exists():
        try:
            verify(path, digest)
        except WeightsMismatch:
            path.unlink()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{uuid.uuid4().hex}")
        with get_store().local_path(digest) as stored:
            beside.write_bytes(stored.read_bytes())
        os.replace(beside, path)
    return Weights(path, Card.from_dict(release.card, where=release.name))
