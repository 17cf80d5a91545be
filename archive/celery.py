"""The Celery application. The archive only sends messages; the tasks live in `workers`, which it never imports."""

import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning

# Celery warns whoever runs as root, as containers do, that messages could hold code. Ours are JSON, and hold ids.
warnings.filterwarnings("ignore", category=SecurityWarning)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")

app = Celery("palimpsest")
app.config_from_object("django.conf:settings", namespace="CELERY")
