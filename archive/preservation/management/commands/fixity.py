"""`manage.py fixity`: verify stored bytes against their digests, naming what is wrong."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from archive.catalogue.models import Collection
from archive.preservation import fixity
from archive.store import StoreError


class Command(BaseCommand):
    help = "Verify stored files. Damaged ones are named, recorded, and no longer served."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--collection", metavar="REF", help="only what this collection and those below it hold"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        collection = None
        if ref := options["collection"]:
            collection = Collection.objects.filter(ref=ref).first()
            if collection is None:
                raise CommandError(f"There is no collection “{ref}”.")
        run = fixity.Run()
        try:
            with tqdm(unit="file", disable=not sys.stderr.isatty()) as bar:
                for run, finding in fixity.check(collection):
                    bar.total = run.total
                    bar.update()
                    if finding:
                        self._name(finding)
        except StoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{run.checked} files checked, {run.failures} wrong, {run.repaired} sound again.")
        if run.failures:
            sys.exit(1)

    def _name(self, finding: fixity.Finding) -> None:
        self.stdout.write(f"WRONG {finding.file.sha256}: {finding.found}")
        for use in fixity.where_used(finding.file):
            self.stdout.write(f"      {use}")
