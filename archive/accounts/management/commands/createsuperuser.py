"""`manage.py createsuperuser`, as Django's; whom it makes is an admin of this archive, too."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.db import transaction

from archive.accounts.models import Role, User
from archive.accounts.services import give_role


class Command(createsuperuser.Command):
    @transaction.atomic
    def handle(self, *arguments: Any, **options: Any) -> Any:
        superusers = User.objects.filter(is_superuser=True)
        before = list(superusers.values_list("pk", flat=True))
        answer = super().handle(*arguments, **options)
        for person in superusers.exclude(pk__in=before):
            give_role(person, Role.ADMIN, collection=None, by=person)
        return answer
