"""The app's configuration."""

from django.apps import AppConfig


class ProofsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "archive.proofs"
