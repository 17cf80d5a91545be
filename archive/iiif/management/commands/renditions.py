"""`manage.py renditions`: how many views are made, waited for and given up; and have them made again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from archive.iiif import services
from archive.iiif.models import Rendition


class Command(BaseCommand):
    help = "Count the views of pictures (thumbnails, pyramids), or have them made again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--again",
            action="store_true",
            help="have made again what failed, what is gone from the disk or cut off, and what nobody ever asked for",
        )
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--failed", action="store_true", help="with --again: only what failed")
        only.add_argument(
            "--all",
            action="store_true",
            help="with --again: what is there, too; a picture cannot be looked at until its turn has come",
        )

    def handle(self, *_args: Any, again: bool, failed: bool, **options: Any) -> None:
        everything = options["all"]
        if (failed or everything) and not again:
            raise CommandError("Say --again too.")
        if again:
            wanted = services.failed_again()
            if not failed:
                wanted += services.all_again() if everything else services.gone_again()
                wanted += services.never_asked()
            self.stdout.write(f"{wanted} pictures: their views are made again by the io workers.")
        pyramids = Rendition.objects.filter(kind=Rendition.Kind.PYRAMID).order_by("state")
        counts = dict(pyramids.values_list("state").annotate(Count("pk")))
        self.stdout.write(", ".join(f"{counts.get(state, 0)} {state}" for state in Rendition.State.values))
