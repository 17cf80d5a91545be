"""The web process: WSGI, since ASGI spools a whole upload before a view sees it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")

_django = get_wsgi_application()

from archive.iiif.tile_server import TileServer  # noqa: E402  # it needs the settings that the line above loads

application = TileServer(_django)
