#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL or REDIS_URL it brings the private servers up for as long as it runs."""

import os
import sys

from django.core.management import execute_from_command_line

# Commands that need no server, or (`up`) look after the servers themselves.
WITHOUT_SERVERS = {
    "",
    "help",
    "version",
    "--help",
    "--version",
    "-h",
    "up",
    "collectstatic",
    "makemessages",
    "compilemessages",
    "startapp",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in WITHOUT_SERVERS:
        execute_from_command_line(sys.argv)
        return
    from archive import embedded, settings

    with embedded.Servers(
        settings.EMBEDDED, postgres="DATABASE_URL" not in os.environ, redis="REDIS_URL" not in os.environ
    ):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
