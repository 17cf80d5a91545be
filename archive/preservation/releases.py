"""Packaged weights become rows: after each migrate, so that a new release of the software brings its models along."""

from typing import Any

from archive.catalogue import services as catalogue
from archive.catalogue.models import ModelRelease
from archive.store import get_store
from stylizer.cards import packaged, packaged_weights


def register_packaged() -> int:
    """Store and register every packaged model not known yet; returns how many were new.

    Older releases stay: a derivative made with them can be made again.
    """
    new = 0
    for card in packaged():
        if ModelRelease.objects.filter(file=card.weights).exists():
            continue
        stored = get_store().put_path(packaged_weights(card), expected=card.weights)
        file = catalogue.register_file(
            stored.sha256, size=stored.size, media_type="application/octet-stream", new=stored.new
        )
        catalogue.register_release(card, file)
        new += 1
    return new


def after_migrate(**_more: Any) -> None:
    """Django's own signal, sent once this app's tables are there."""
    register_packaged()
