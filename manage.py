#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL or REDIS_URL the private servers are there for as long as it runs."""

import os
import sys

from django.core.management import execute_from_command_line

from archive.embedded import EmbeddedProblem, Servers
from archive.env import EnvironmentProblem

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
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if command in WITHOUT_SERVERS or "--help" in sys.argv:
            execute_from_command_line(sys.argv)
            return
        from archive import settings

        with Servers(
            settings.EMBEDDED,
            postgres=not os.environ.get("DATABASE_URL"),
            redis=not os.environ.get("REDIS_URL"),
        ):
            execute_from_command_line(sys.argv)
    except (EmbeddedProblem, EnvironmentProblem) as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
