"""The app's configuration: packaged models are registered after migrate."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PreservationConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "archive.preservation"

    def ready(self) -> None:
        from archive.preservation.releases import after_migrate

        post_migrate.connect(after_migrate, sender=self)
