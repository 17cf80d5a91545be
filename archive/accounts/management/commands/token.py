"""`manage.py token USER`: make an API token and print it once; only its digest is kept."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from knox.models import AuthToken

from archive.accounts.models import User


class Command(BaseCommand):
    help = "Make an API token for a person and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        _row, token = AuthToken.objects.create(user)
        self.stdout.write(token)
