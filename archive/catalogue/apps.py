"""The app's configuration: derived rows that are missing or of an older edition are written after migrate."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CatalogueConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "archive.catalogue"

    def ready(self) -> None:
        from archive.catalogue.search.upkeep import after_migrate

        post_migrate.connect(after_migrate, sender=self)
