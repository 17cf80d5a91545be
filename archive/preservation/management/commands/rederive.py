"""`manage.py rederive VERSION`: a worker makes a derivative again, and the two are compared."""

import sys
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from archive.catalogue.models import Version
from archive.preservation import rederivation


class Command(BaseCommand):
    help = "Make a derivative again from its recipe and compare. Needs a running stylizer worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", type=UUID)
        parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS")

    def handle(self, *_args: Any, **options: Any) -> None:
        version = Version.objects.filter(pk=options["version"]).first()
        if version is None:
            raise CommandError(f"There is no version {options['version']}.")
        if version.is_master:
            raise CommandError("That is an original: it is not made, so it cannot be made again.")
        verdict = rederivation.wait_for(rederivation.ask(version), seconds=options["timeout"])
        if verdict is None:
            raise CommandError(
                f"No worker answered within {options['timeout']:.0f} s. Is a stylizer worker running?"
            )
        self.stdout.write(rederivation.in_words(verdict))
        if not verdict.same:
            sys.exit(1)
