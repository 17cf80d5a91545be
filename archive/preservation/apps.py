"""The app's configuration: packaged models are registered after migrate."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class PreservationConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "archive.preservation"

    def ready(self) -> None:
        from archive.preservation.releases import after_migrate

        # Sent for apps with tables only, so the catalogue's is waited for: all tables are there by then.
        post_migrate.connect(after_migrate, sender=apps.get_app_config("catalogue"))
