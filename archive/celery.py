"""The Celery application. The archive only sends messages; the tasks live in `workers`, which it never imports."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")

app = Celery("palimpsest")
app.config_from_object("django.conf:settings", namespace="CELERY")
