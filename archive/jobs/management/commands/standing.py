"""`manage.py standing`: standing orders from a shell: list, add, pause, resume, end, and let look now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from archive.catalogue.models import Collection
from archive.jobs import standing
from archive.jobs.commanding import hours_of, user_of
from archive.jobs.models import StandingOrder
from archive.jobs.orders import NotAllowed
from archive.jobs.states import NotNow


class Command(BaseCommand):
    help = "Standing orders: every new master of a collection gets a recipe, once a day, as a draft."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="list|add|pause|resume|end|look")
        listed = actions.add_parser("list", help="those that stand (the default)")
        listed.add_argument("--ended", action="store_true", help="those that are over")
        add = actions.add_parser("add", help="give one")
        add.add_argument("recipe", help="a preset or a saved recipe, by its name")
        add.add_argument("--collection", required=True, metavar="REF", help="with everything below it")
        add.add_argument("--hour", type=int, default=22, help="at which it looks, by the archive's clock")
        add.add_argument("--hours", metavar="22:00-06:00", help="its jobs work only then")
        add.add_argument("--all", action="store_true", help="the masters that are there already, too")
        for name, says in (
            ("pause", "it looks no more until it is resumed"),
            ("resume", "it looks again"),
            ("end", "for good; what it made stays"),
            ("look", "without waiting for its hour"),
        ):
            actions.add_parser(name, help=says).add_argument("order", type=int, metavar="ID")
        for sub in actions.choices.values():
            sub.add_argument("--user", help="in whose name; by default an administrator's")

    def handle(self, *_args: Any, **options: Any) -> None:
        action = options.get("action") or "list"
        if action == "list":
            self._list(ended=options.get("ended", False))
            return
        by = user_of(options["user"])
        try:
            if action == "add":
                place = Collection.objects.filter(ref=options["collection"]).first()
                if place is None:
                    raise CommandError(f"There is no collection {options['collection']!r}.")
                backlog = "all" if options["all"] else "new-only"
                made = standing.make(
                    place, options["recipe"], by=by, hour=options["hour"], hours=hours_of(options["hours"]),
                    backlog=backlog,
                )  # fmt: skip
                self.stdout.write(_line(made))
                return
            found = StandingOrder.objects.select_related("collection").filter(pk=options["order"]).first()
            if found is None:
                raise CommandError(f"There is no standing order {options['order']}.")
            if action == "look":
                job = standing.look_now(found, by=by)
                self.stdout.write(
                    f"Ordered: job {job.pk} “{job.title}”." if job else "It looked, and there is nothing new."
                )
                return
            self.stdout.write(_line(standing.CHANGES[action](found, by=by)))
        except (NotAllowed, NotNow) as problem:
            raise CommandError(str(problem)) from problem

    def _list(self, *, ended: bool) -> None:
        rows = StandingOrder.objects.select_related("collection").filter(ended__isnull=not ended)
        lines = [_line(row) for row in rows]
        self.stdout.write("\n".join(lines) if lines else "None.")


def _line(row: StandingOrder) -> str:
    state = "ended" if row.ended else "stands" if row.enabled else "paused"
    hours = f", works {row.hours_from:%H:%M}-{row.hours_to:%H:%M}" if row.hours_from else ""
    looked = f", looked last {row.looked:%Y-%m-%d %H:%M}" if row.looked else ""
    note = f" ({row.note})" if row.note else ""
    return f"{row.pk}  {row.collection.ref}  {row.preset}: {state}{note}, looks at {row.hour:02}:00{hours}{looked}"
