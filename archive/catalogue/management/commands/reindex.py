"""`manage.py reindex`: write what search and facets read again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from archive.catalogue.search.upkeep import reindex


class Command(BaseCommand):
    help = "Write the derived rows of search again: those that are missing or old, or with --all every one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="every item, not only what is missing or old")

    def handle(self, *_args: Any, **options: Any) -> None:
        done = 0
        for done in reindex(everything=options["all"]):  # noqa: B007
            pass
        self.stdout.write(f"{done} items indexed.")
