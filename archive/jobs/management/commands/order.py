"""`manage.py order RECIPE --collection REF`: order derivatives, and with --wait see them through."""

import sys
import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from archive.accounts.models import Membership, Role, User
from archive.jobs import progress, services, sweep
from archive.jobs.models import Job, JobItem
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.states import ENDED_JOBS
from stylizer.errors import StylizerError
from stylizer.recipe import load_spec

SWEEP_EVERY = 10.0  # seconds: with nobody's scheduler running, a waiting command looks after its own job


class Command(BaseCommand):
    help = "Order derivatives of a collection, of items or of versions."

    def create_parser(self, prog_name: str, subcommand: str, **more: Any) -> CommandParser:
        """With our `--version`, a picture's, in the place of Django's own."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **more)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipe", help="a preset, a chain of presets (a+b), or a TOML or JSON file")
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--collection", metavar="REF")
        scope.add_argument("--item", nargs="+", type=UUID, metavar="ID")
        scope.add_argument("--version", nargs="+", type=UUID, metavar="ID", dest="versions")
        parser.add_argument("--again", action="store_true", help="make what is made already once more")
        parser.add_argument("--user", help="in whose name; by default an administrator's")
        parser.add_argument("--wait", action="store_true", help="show progress; exit 1 if an item failed")

    def handle(self, *_args: Any, **options: Any) -> None:
        scope = Scope(
            collection=options["collection"],
            items=tuple(options["item"] or ()),
            versions=tuple(options["versions"] or ()),
        )
        try:
            job = services.order(
                scope, load_spec(options["recipe"]), by=self._user(options["user"]), again=options["again"]
            )
        except (StylizerError, ScopeError, services.NotAllowed) as error:
            raise CommandError(str(error)) from error
        self._say(job, "Ordered")
        if options["wait"]:
            self._see_through(job)

    def _see_through(self, job: Job) -> None:
        swept = time.monotonic()
        state = progress.of(job)
        with tqdm(total=state.total, unit="scan", disable=not sys.stderr.isatty()) as bar:
            while job.state not in ENDED_JOBS:
                time.sleep(0.5)
                if time.monotonic() - swept > SWEEP_EVERY:
                    sweep.sweep()
                    swept = time.monotonic()
                job.refresh_from_db()
                state = progress.of(job)
                bar.n = state.ended
                bar.refresh()
        self._say(job, str(Job.State(job.state).label).capitalize())
        failed = job.items.filter(state=JobItem.State.FAILED).select_related("source__scan__item")
        for item in failed:
            self.stdout.write(f"  failed {item.source.scan.item.title} [{item.code}]: {item.sentence}")
        if failed:
            sys.exit(1)

    def _say(self, job: Job, word: str) -> None:
        counts = progress.of(job).counts
        parts = ", ".join(f"{count} {JobItem.State(state).label}" for state, count in counts.items())
        self.stdout.write(f"{word}: job {job.pk} “{job.title}”: {parts}.")

    def _user(self, name: str | None) -> User:
        if name:
            user = User.objects.filter(username=name).first()
            if user is None:
                raise CommandError(f"There is no user {name!r}.")
            return user
        admin = Membership.objects.filter(role=Role.ADMIN, user__is_active=True).order_by("pk").first()
        if admin is None:
            raise CommandError("There is no administrator yet. Make one, or name a user with --user.")
        return admin.user
