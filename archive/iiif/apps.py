"""The app's configuration."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save

# What is written alone and opens or shuts nothing. A box of five hundred scans gives each a current master: all that is
# remembered about tiles must not be forgotten five hundred times.
HARMLESS = (frozenset({"last_login"}), frozenset({"current_master"}))


class IIIFConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "archive.iiif"

    def ready(self) -> None:
        from archive.accounts.models import Membership, User
        from archive.catalogue.models import Collection, Item, Scan, StoredFile, Version
        from archive.review.models import Review

        for model in (User, Membership, Collection, Item, Scan, Version, StoredFile, Review):
            post_save.connect(_saved, sender=model)
            post_delete.connect(_gone, sender=model)
        for signal in (user_logged_in, user_logged_out):
            signal.connect(_gone)


def _saved(
    *, instance: Any, created: bool, update_fields: frozenset[str] | None = None, **_more: Any
) -> None:
    """What is new was decided about by nobody yet; a membership is the exception, it opens what was shut."""
    from archive.accounts.models import Membership
    from archive.iiif.epoch import access_changed

    if (created and not isinstance(instance, Membership)) or update_fields in HARMLESS:
        return
    access_changed()


def _gone(**_more: Any) -> None:
    from archive.iiif.epoch import access_changed

    access_changed()
