"""The app's configuration."""

from django.apps import AppConfig


class SystemConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "archive.system"

    def ready(self) -> None:
        from archive import checks  # noqa: F401  (registers itself)
