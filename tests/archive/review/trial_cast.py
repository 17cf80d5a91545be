"""What tests of trials share: scans with two derivatives, and people who choose."""

from django.test import Client

from archive.accounts.models import User
from archive.catalogue.models import Collection, Recipe, Version
from archive.review.trials import drawing, queries, services
from archive.review.trials.models import Trial
from archive.review.trials.services import Asked
from tests.archive import factories

SCANS = 6
QUESTION = "Which is the better restoration?"


def made(into: Collection, *recipes: Recipe, title: str = "A photograph") -> Version:
    """A scan with a draft by each recipe."""
    source = factories.master(into, title=title)
    for recipe in recipes:
        factories.derivative(source, of=recipe)
    return source


def asked(a: Recipe, b: Recipe | None, *, most: int = 100, question: str = QUESTION) -> Asked:
    return Asked(question=question, recipe_a=a.digest, recipe_b=b.digest if b else None, most=most)


def choose(trial: Trial, person: User, side: str, *, most: int = SCANS) -> None:
    """Judge the next `most` pairs for one side ("a", "b") or "none", wherever it stands."""
    for shown in queries.ahead(person, trial, most=most):
        left = drawing.left(trial.pk, person.pk, shown.pair.source_id)
        place = side if side == "none" else "left" if left == side else "right"
        services.vote(trial, shown.pair.pk, place, by=person)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client
