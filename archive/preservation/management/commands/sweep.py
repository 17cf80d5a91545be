"""`manage.py sweep`: nudge lost work; list files without rows and rows without files."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from archive.jobs import sweep as sweeper
from archive.preservation import orphans

UNITS = {"m": 60, "h": 3600, "d": 86400}


def age(text: str) -> float:
    """`90m`, `24h`, `7d` in seconds."""
    found = re.fullmatch(r"(\d+)([mhd])", text)
    if not found:
        raise ArgumentTypeError(f"expected something like 24h, got {text!r}")
    return int(found[1]) * UNITS[found[2]]


class Command(BaseCommand):
    help = "Find what nobody is working on, and files that no row knows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--delete-orphans", action="store_true", help="remove files no row knows")
        parser.add_argument("--older-than", type=age, default=age("24h"), metavar="24h")

    def handle(self, *_args: Any, **options: Any) -> None:
        swept = sweeper.sweep()
        self.stdout.write(
            f"{swept.leases} leases freed, {swept.jobs} jobs closed, {swept.workers} silent workers, "
            f"{swept.renditions} renditions nudged."
        )
        for orphan in orphans.files_without_rows():
            old = orphan.age > options["older_than"]
            gone = (
                options["delete_orphans"] and old and orphans.remove(orphan, older_than=options["older_than"])
            )
            word = "removed" if gone else "old enough to remove" if old else "young: may still be in use"
            self.stdout.write(f"file without a row: {orphan.sha256} ({word})")
        for file in orphans.rows_without_files():
            self.stdout.write(f"ROW WITHOUT A FILE: {file.sha256}. Run `manage.py fixity`.")
