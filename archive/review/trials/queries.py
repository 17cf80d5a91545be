"""Trials as far as somebody may see them: what could be compared, what is to be judged next, who has finished."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.accounts.permissions import Person, may_steer_trial
from archive.catalogue.models import Collection, Recipe, Version
from archive.review.queries import curated
from archive.review.trials import drawing
from archive.review.trials.models import Sitting, Trial, TrialPair, Vote
from archive.review.trials.naming import names

MOST_RECIPES = 60
DEAD = ("rejected", "withdrawn")


@dataclass(frozen=True)
class Offered:
    """A recipe that could be a side: its name, and how many sources have a live derivative by it."""

    digest: str
    name: str
    scans: int


@dataclass(frozen=True)
class Match:
    """A source that both sides have something of."""

    source: UUID
    a: UUID
    b: UUID


@dataclass(frozen=True)
class Blind:
    """A pair as it is shown to who judges it: two versions, and one sign for both, which tells nothing."""

    pair: TrialPair
    left: Version
    right: Version
    sign: str
    is_ai: bool


@dataclass(frozen=True)
class Place:
    """How far somebody is in a trial."""

    done: int
    total: int
    sitting: Sitting | None

    @property
    def is_finished(self) -> bool:
        return self.sitting is not None and self.sitting.finished is not None


# ---- what can be compared ---------------------------------------------------------------------------------------


def live(collection: Collection) -> QuerySet[Version]:
    """Derivatives of the collection and below it that were neither rejected nor withdrawn, with sound bytes.

    Not of collections below that are private in their own right: whoever judges here may not judge there.
    """
    return Version.objects.filter(
        recipe__isnull=False,
        file__condition="intact",
        scan__item__collection__path__contains=[collection.pk],
        scan__item__collection__private_root=collection.private_root,
    ).exclude(review__state__in=DEAD)


def offered(collection: Collection) -> list[Offered]:
    """The recipes that something was made by, those of most scans first."""
    counted = dict(
        live(collection)
        .order_by()
        .values_list("recipe")
        .annotate(n=Count("derived_from", distinct=True))
        .order_by("-n", "recipe")[:MOST_RECIPES]
    )
    named = names(Recipe.objects.filter(pk__in=counted))
    return [Offered(digest, named[digest], scans) for digest, scans in counted.items()]


def matches(collection: Collection, recipe_a: str, recipe_b: str | None) -> list[Match]:
    """All sources that both recipes have a live derivative of; `recipe_b` None means the scan itself.

    Where something was made again the newest counts. A scan as a side is an original, never a derivative.
    """
    made = live(collection).filter(recipe__in=[one for one in (recipe_a, recipe_b) if one])
    if recipe_b is None:
        made = made.filter(derived_from__role=Version.Role.MASTER, derived_from__file__condition="intact")
    by_recipe: dict[str, dict[UUID, UUID]] = {recipe_a: {}}
    for digest, source, pk in made.order_by("run").values_list("recipe_id", "derived_from_id", "pk"):
        assert digest is not None  # noqa: S101  (only derivatives have a recipe, and a source)
        assert source is not None  # noqa: S101
        by_recipe.setdefault(digest, {})[source] = pk
    sides = by_recipe[recipe_a]
    others = by_recipe.get(recipe_b, {}) if recipe_b else {source: source for source in sides}
    return [Match(source, a, others[source]) for source, a in sides.items() if source in others]


# ---- trials -----------------------------------------------------------------------------------------------------


def trials_for(person: Person) -> QuerySet[Trial]:
    """The trials of the collections the person judges in, newest first; with `scans`, `begun` and `ended`."""
    return (
        Trial.objects.filter(collection__in=curated(person))
        .select_related("collection", "recipe_a", "recipe_b", "created_by")
        .annotate(
            scans=Count("pairs", distinct=True),
            begun=Count("sittings", distinct=True),
            ended=Count("sittings", distinct=True, filter=Q(sittings__finished__isnull=False)),
        )
        .order_by("-pk")
    )


def done_by(person: Person, trials: list[Trial]) -> dict[UUID, int]:
    """`{trial: votes}` of one person, in one query."""
    counted = (
        Vote.objects.filter(sitting__person=person.pk, sitting__trial__in=trials)
        .order_by()
        .values_list("sitting__trial")
        .annotate(n=Count("pk"))
    )
    return dict(counted)


def within(trial: Trial) -> QuerySet[TrialPair]:
    """The trial's pairs that still lie where its people judge: an item may have been moved, a collection closed."""
    return TrialPair.objects.filter(
        trial=trial,
        source__scan__item__collection__path__contains=[trial.collection_id],
        source__scan__item__collection__private_root=trial.collection.private_root,
    )


def judgeable(trial: Trial) -> QuerySet[TrialPair]:
    """Without those withdrawn or damaged since. What was rejected since stays: leaving out what somebody found bad
    would decide the trial."""
    return (
        within(trial)
        .filter(a__file__condition="intact", b__file__condition="intact")
        .exclude(a__review__state="withdrawn")
        .exclude(b__review__state="withdrawn")
    )


def place_of(person: Person, trial: Trial) -> Place:
    """How far the person is; three queries."""
    return Place(
        done=judgeable(trial).filter(votes__sitting__person=person.pk).count(),
        total=judgeable(trial).count(),
        sitting=Sitting.objects.filter(trial=trial, person=person.pk).first(),
    )


def ahead(person: User, trial: Trial, *, most: int, without: Sequence[int] = ()) -> list[Blind]:
    """The next pairs the person has not judged, in the order drawn for them; not those `without`."""
    waiting = judgeable(trial).exclude(votes__sitting__person=person.pk).exclude(pk__in=without)
    drawn = sorted(
        (drawing.turn(trial.pk, person.pk, source), pk)
        for pk, source in waiting.values_list("pk", "source_id")
    )
    return blind(person, trial, [pk for _turn, pk in drawn[:most]])


def blind(person: User, trial: Trial, pks: list[int]) -> list[Blind]:
    """Pairs as the person is shown them, in the order asked for."""
    rows = TrialPair.objects.select_related("source__scan__item", "a", "b").in_bulk(pks)
    found = []
    for pair in (rows[pk] for pk in pks if pk in rows):
        sides = {"a": pair.a, "b": pair.b}
        left = drawing.left(trial.pk, person.pk, pair.source_id)
        sign, is_ai = sign_of(pair)
        found.append(Blind(pair, sides[left], sides[drawing.other(left)], sign, is_ai))
    return found


def picture(person: User, trial_id: UUID, pair_id: int, side: str) -> UUID | None:
    """The version that stands "left" or "right" before this person, while the trial is open."""
    trial = (
        Trial.objects.filter(collection__in=curated(person), closed=None, pk=trial_id)
        .select_related("collection")
        .first()
    )
    pair = judgeable(trial).filter(pk=pair_id).first() if trial else None
    if trial is None or pair is None or side not in {"left", "right"}:
        return None
    left = drawing.left(trial.pk, person.pk, pair.source_id)
    return pair.a_id if (left if side == "left" else drawing.other(left)) == "a" else pair.b_id


def sign_of(pair: TrialPair) -> tuple[str, bool]:
    """What both pictures of a pair are called, and whether that is an AI's badge.

    The one place where a derivative may be shown without its badge: beside the scan it would give itself away.
    """
    if pair.a.is_master or pair.b.is_master:
        restored = Version.Role.RESTORED in {pair.a.role, pair.b.role}
        return (_("Scan or restoration") if restored else _("Scan or AI picture")), False
    if pair.a.role == pair.b.role:
        return pair.a.get_role_display(), True
    return _("AI picture"), True


# ---- results ----------------------------------------------------------------------------------------------------


def may_see_result(person: Person, trial: Trial, place: Place) -> bool:
    """Once it is closed, everybody who judges there; before, who has finished, since numbers would sway the others.

    Whoever made the trial, and admins, see it too when all who began have finished, unless they are judging.
    """
    if trial.closed or place.is_finished:
        return True
    if place.sitting is not None or not may_steer_trial(person, trial.created_by_id):
        return False
    return not judging(trial).exists() and trial.sittings.exists()


def judging(trial: Trial) -> QuerySet[Sitting]:
    """The sittings that are still under way."""
    return Sitting.objects.filter(trial=trial, finished=None)


def counted_votes(trial: Trial) -> QuerySet[Vote]:
    """The votes that the result rests on: of those who have finished, and once it is closed of all."""
    votes = Vote.objects.filter(sitting__trial=trial, pair__in=within(trial))
    if not trial.closed:
        votes = votes.filter(sitting__finished__isnull=False)
    return votes.select_related("sitting__person").order_by("sitting__begun", "pk")


def pairs_of(trial: Trial) -> QuerySet[TrialPair]:
    """All pairs, with what a list of them says of each."""
    return within(trial).select_related("source__scan__item", "a__review", "b__review").order_by("pk")
