"""`manage.py demo`: seed the demonstration archive."""

import os
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from archive.demo import seed
from archive.jobs.models import JobItem


class Command(BaseCommand):
    help = "Seed the demonstration archive. Safe to repeat; refuses with a DATABASE_URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--patience", type=float, default=300, metavar="SECONDS", help="for the restorations"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if os.environ.get("DATABASE_URL"):
            raise CommandError("There is a DATABASE_URL: this may be a real archive, so nothing was seeded.")
        password = os.environ.get("PALIMPSEST_DEMO_PASSWORD") or secrets.token_urlsafe(9)
        people = seed.people(password)
        into = seed.shelves(people["odo"])
        try:
            new = seed.pictures(into, people["ada"])
        except seed.DemonstrationProblem as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{new} pictures. Sign in as {', '.join(people)}; password: {password}")
        job = seed.restore_all(into, people["odo"])
        if job is None:
            self.stdout.write("No model is registered, so nothing was restored.")
            return
        published = seed.publish_some(job, people["cai"], patience=options["patience"])
        self.stdout.write(f"Job {job.pk}: {job.get_state_display()}; {published} derivatives published.")
        if failed := job.items.filter(state=JobItem.State.FAILED).first():
            raise CommandError(f"Not everything could be restored: {failed.sentence}")
