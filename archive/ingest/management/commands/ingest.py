"""`manage.py ingest FOLDER --collection REF`: take a folder of scans in, safely repeatable."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from archive.accounts.models import User
from archive.catalogue.models import Collection
from archive.catalogue.services import create_collection
from archive.ingest.folder import SheetProblem, Tally, files_in, ingest_files, read_sheet
from archive.store import StoreError


class Command(BaseCommand):
    help = "Ingest every picture in a folder. Running it again adds only what is not there yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--collection", required=True, metavar="REF", help="made private if it is not there"
        )
        parser.add_argument(
            "--sheet", type=Path, metavar="FILE.csv", help="descriptions, matched by file name"
        )
        parser.add_argument("--on-duplicate", choices=["skip", "keep"], default="skip")
        parser.add_argument("--user", help="in whose name; nobody's by default")

    def handle(self, *_args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder}: expected a folder, found none.")
        files = files_in(folder)
        if not files:
            raise CommandError(f"{folder}: there is no file in this folder. Nothing was ingested.")
        by = self._user(options["user"])
        try:
            sheet = read_sheet(options["sheet"]) if options["sheet"] else {}
        except SheetProblem as problem:
            raise CommandError(str(problem)) from problem
        collection = self._collection(options["collection"], by)
        tally = Tally()
        bar = tqdm(total=len(files), unit="file", disable=not sys.stderr.isatty())
        try:
            for path, so_far in ingest_files(
                files, collection=collection, by=by, on_duplicate=options["on_duplicate"], sheet=sheet
            ):
                tally = so_far
                bar.set_postfix_str(path.name[:30])
                bar.update()
        except StoreError as problem:
            raise CommandError(f"{problem} Run the command again: what is in stays in.") from problem
        finally:
            bar.close()
        self._summarise(collection, tally)

    def _summarise(self, collection: Collection, tally: Tally) -> None:
        self.stdout.write(
            f"{collection.ref}: {tally.new} new, {tally.already} already there, {len(tally.refused)} refused."
        )
        for name, sentence in tally.refused:
            self.stdout.write(f"  refused {name}: {sentence}")
        if tally.refused:
            sys.exit(1)

    def _collection(self, ref: str, by: User | None) -> Collection:
        known = Collection.objects.filter(ref=ref).first()
        if known is None:
            known = create_collection(ref, title=ref.replace("-", " ").capitalize(), by=by)
            self.stdout.write(f"Made the private collection “{ref}”.")
        return known

    def _user(self, name: str | None) -> User | None:
        if name is None:
            return None
        try:
            return User.objects.get(username=name)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user {name!r}.") from error
