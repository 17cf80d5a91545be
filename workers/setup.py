"""Django for worker processes: imported first by each task module."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
django.setup()
