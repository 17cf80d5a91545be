"""`manage.py order RECIPE --collection REF`: order derivatives, and with --wait see them through."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Max, Sum
from tqdm import tqdm

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Sidecar, Version
from archive.ids import as_uuid
from archive.ingest.style_picture import SHELF, StylePictureRefused, keep
from archive.jobs import progress, services, sweep, watch
from archive.jobs.commanding import hours_of, user_of
from archive.jobs.models import Job, JobItem
from archive.jobs.recipes import newest_card, saved_named
from archive.jobs.scope import Scope, ScopeError
from archive.jobs.states import ENDED_JOBS
from archive.store import StoreError
from stylizer.errors import StylizerError
from stylizer.recipe import load_spec, takes_reference

SWEEP_EVERY = 10.0  # seconds: with nobody's scheduler running, a waiting command looks after its own job


class Command(BaseCommand):
    help = "Order derivatives of a collection, of items or of versions."

    def create_parser(self, prog_name: str, subcommand: str, **more: Any) -> CommandParser:
        """With our `--version`, a picture's, in the place of Django's own."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **more)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "recipe",
            help="a preset, a chain of presets (a+b), a saved recipe's name, or a TOML or JSON file",
        )
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--collection", metavar="REF")
        scope.add_argument("--item", nargs="+", type=UUID, metavar="ID")
        scope.add_argument("--version", nargs="+", type=UUID, metavar="ID", dest="versions")
        scope.add_argument("--search", metavar="TEXT", help="what a search finds")
        parser.add_argument(
            "--reference",
            metavar="VERSION|FILE",
            help="the style picture, for a recipe that takes one; a file is kept as an item of the archive",
        )
        parser.add_argument(
            "--reference-into", default="", metavar="REF",
            help=f"the collection a style picture's file is kept in ({SHELF})",
        )  # fmt: skip
        parser.add_argument("--again", action="store_true", help="make what is made already once more")
        parser.add_argument(
            "--only", choices=["missing", "failed"], help="only what was not made, or what failed"
        )
        parser.add_argument("--sensitive", action="store_true", help="sensitive pictures too")
        parser.add_argument(
            "--sample", type=int, default=0, metavar="N", help="try N first and tell what follows"
        )
        parser.add_argument(
            "--sample-only", action="store_true", help="with --sample: do not go on by itself"
        )
        parser.add_argument("--hours", metavar="22:00-06:00", help="work only then")
        parser.add_argument("--stop-after", type=int, metavar="N", help="pause after N failures")
        parser.add_argument("--user", help="in whose name; by default an administrator's")
        parser.add_argument("--wait", action="store_true", help="show progress; exit 1 if an item failed")

    def handle(self, *_args: Any, **options: Any) -> None:
        scope = Scope(
            collection=options["collection"],
            items=tuple(options["item"] or ()),
            versions=tuple(options["versions"] or ()),
            search=options["search"],
        )
        terms = services.Terms(
            mode=options["only"] or ("again" if options["again"] else "all"),
            sample=options["sample"],
            auto_start=not options["sample_only"],
            with_sensitive=options["sensitive"],
            hours=hours_of(options["hours"]),
            stop_after=options["stop_after"],
        )
        try:
            by = user_of(options["user"])
            name = options["recipe"]
            spec = name if saved_named(name) else load_spec(name)
            reference = _reference(options["reference"], spec, by, into=options["reference_into"])
            job = services.order(scope, spec, by=by, reference=reference, terms=terms)
        except (StylizerError, ScopeError, services.NotAllowed, StylePictureRefused, StoreError) as error:
            raise CommandError(str(error)) from error
        self._say(job, "Ordered")
        if options["wait"]:
            self._see_through(job)

    def _see_through(self, job: Job) -> None:
        swept, told = time.monotonic(), False
        state = progress.of(job)
        with tqdm(total=state.total, unit="scan", disable=not sys.stderr.isatty()) as bar:
            while job.state not in ENDED_JOBS | {Job.State.WAITING, Job.State.PAUSED}:
                time.sleep(0.5)
                if time.monotonic() - swept > SWEEP_EVERY:
                    sweep.sweep()
                    swept = time.monotonic()
                job.refresh_from_db()
                state = progress.of(job)
                bar.total, bar.n = state.total, state.ended
                if job.estimate and not told:
                    told = True
                    bar.write(self._estimate(job), file=sys.stderr)
                bar.refresh()
        self._say(job, str(Job.State(job.state).label).capitalize())
        if job.estimate:
            self.stdout.write(self._estimate(job))
            if job.state == Job.State.FINISHED:
                self.stdout.write(self._truth(job))
        failed = job.items.filter(state=JobItem.State.FAILED).select_related("source__scan__item")
        for item in failed:
            self.stdout.write(f"  failed {item.source.scan.item.title} [{item.code}]: {item.sentence}")
        if failed:
            sys.exit(1)

    def _estimate(self, job: Job) -> str:
        found = watch.told(job)
        assert found is not None  # noqa: S101  (asked only of a job that has one)
        return (
            f"  estimated from {found['sampled']}: {found['likely']} ({found['low']} to {found['high']}) and "
            f"{found['size'] / 2**20:.0f} MiB for the other {found['left']}, on {found['workers']} worker(s)."
        )

    def _truth(self, job: Job) -> str:
        """How long, and how much, the rest really took."""
        rest = job.items.filter(sample=False, state=JobItem.State.DONE)
        seen = rest.aggregate(last=Max("ended"), size=Sum("result__file__size"))
        beside = Sidecar.objects.filter(version__in=rest.values("result")).aggregate(n=Sum("file__size"))["n"]
        first = job.items.filter(sample=True).aggregate(last=Max("ended"))["last"]
        if not seen["last"] or not first:
            return "  in truth: nothing was left to make."
        size = ((seen["size"] or 0) + (beside or 0)) / 2**20
        return f"  in truth: {seen['last'] - first} and {size:.0f} MiB."

    def _say(self, job: Job, word: str) -> None:
        counts = progress.of(job).counts
        parts = ", ".join(f"{count} {JobItem.State(state).label}" for state, count in counts.items())
        self.stdout.write(f"{word}: job {job.pk} “{job.title}”" + (f": {parts}." if parts else "."))


def _reference(wanted: str | None, spec: str | dict[str, Any], by: User, *, into: str) -> Version | None:
    """The style picture: a version by its id, or a file, which is kept first."""
    if wanted is None:
        return None
    pk = as_uuid(wanted)
    if pk is None:
        # Asked before the file is kept: a slip of the pen must not leave a picture in the archive.
        if saved_named(spec) or not takes_reference(spec, cards=newest_card):
            raise CommandError("--reference: this recipe takes no style picture.")
        return keep(Path(wanted), by=by, into=into)
    version = Version.objects.filter(permissions.visible_versions(by), pk=pk).first()
    if version is None:
        raise CommandError(f"--reference: there is no version {wanted} that {by.username} may see.")
    return version
