"""Trials made, judged, finished and closed; every vote with the side that stood on the left."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.accounts.models import User
from archive.catalogue.models import Collection, Recipe
from archive.review.trials import drawing
from archive.review.trials.models import Choice, Sitting, Trial, TrialPair, Vote
from archive.review.trials.queries import judgeable, matches

MOST = 500  # scans of one trial: more than anybody judges attentively
LONGEST_QUESTION = 200
PLACES = ("left", "right", "none")


class TrialProblem(Exception):
    """Something that cannot be done with a trial, in a sentence that says what to do instead."""

    code = "trial"


@dataclass(frozen=True)
class Asked:
    """What a trial is to be: its question, its sides (`recipe_b` None for the scan itself), how many scans at most."""

    question: str
    recipe_a: str
    recipe_b: str | None
    most: int


@transaction.atomic
def make(collection: Collection, asked: Asked, *, by: User) -> Trial:
    """A new trial, frozen into the pairs that there are now; drawn by lot where there are more than asked for.

    Raises:
        TrialProblem: no question, a recipe against itself, none such, too many scans, or no scan in common.
    """
    question = " ".join(asked.question.split())
    if not question or len(question) > LONGEST_QUESTION:
        raise TrialProblem(
            _("A trial needs a question of at most %(most)d characters, got %(n)d.")
            % {"most": LONGEST_QUESTION, "n": len(question)}
        )
    if not 1 <= asked.most <= MOST:
        raise TrialProblem(_("A trial has 1 to %(most)d scans, got %(n)d.") % {"most": MOST, "n": asked.most})
    if asked.recipe_a == asked.recipe_b:
        raise TrialProblem(_("Choose two different sides: a recipe cannot be compared with itself."))
    wanted = [one for one in (asked.recipe_a, asked.recipe_b) if one is not None]
    if Recipe.objects.filter(pk__in=wanted).count() < len(wanted):
        raise TrialProblem(_("Choose both sides from the list."))
    found = matches(collection, asked.recipe_a, asked.recipe_b)
    if not found:
        raise TrialProblem(
            _("No scan here has a picture by both. Order the one that is missing, or choose other sides.")
        )
    trial = Trial.objects.create(
        collection=collection,
        question=question,
        recipe_a_id=asked.recipe_a,
        recipe_b_id=asked.recipe_b,
        created_by=by,
    )
    found.sort(key=lambda match: drawing.lot(trial.pk, match.source))
    TrialPair.objects.bulk_create(
        TrialPair(trial=trial, source_id=match.source, a_id=match.a, b_id=match.b)
        for match in found[: asked.most]
    )
    return trial


@transaction.atomic
def vote(trial: Trial, pair_id: int, place: str, *, by: User) -> Vote:
    """Choose the picture on the "left", on the "right", or "none". The same vote sent twice is one vote.

    Raises:
        TrialProblem: the trial is closed or finished by this person, the pair is not in it any more or was judged
            otherwise, or there is no such place.
    """
    sitting = _open_sitting(trial, by=by)
    if place not in PLACES:
        raise TrialProblem(_("Choose left, right or no difference; got “%s”.") % place[:20])
    pair = judgeable(trial).filter(pk=pair_id).first()
    if pair is None:
        raise TrialProblem(_("That pair is not in the trial any more. Go on with the next."))
    left = drawing.left(trial.pk, by.pk, pair.source_id)
    choice = {"left": left, "right": drawing.other(left), "none": Choice.NEITHER}[place]
    try:
        with transaction.atomic():
            return Vote.objects.create(sitting=sitting, pair=pair, left=left, choice=choice)
    except IntegrityError as error:
        given = Vote.objects.get(sitting=sitting, pair=pair)
        if given.choice == choice:
            return given
        raise TrialProblem(_("You have judged that pair already. Undo that first.")) from error


@transaction.atomic
def undo(trial: Trial, *, by: User) -> TrialPair:
    """Take back the person's last vote; its pair is then to be judged again, with the same sides.

    Raises:
        TrialProblem: nothing is left to undo, the trial is closed, or the person has finished.
    """
    sitting = _open_sitting(trial, by=by)
    last = Vote.objects.filter(sitting=sitting).select_related("pair").order_by("-pk").first()
    if last is None:
        raise TrialProblem(_("Nothing is left to undo."))
    last.delete()
    return last.pair


@transaction.atomic
def finish(trial: Trial, *, by: User) -> Sitting:
    """Say that one has judged all: from now on the person sees the result, and their votes stand.

    Raises:
        TrialProblem: pairs are left to judge, or the trial is closed.
    """
    sitting = _open_sitting(trial, by=by)
    left = judgeable(trial).exclude(votes__sitting=sitting).count()
    if left:
        raise TrialProblem(ngettext("%d scan is left to judge.", "%d scans are left to judge.", left) % left)
    sitting.finished = timezone.now()
    sitting.save(update_fields=["finished"])
    return sitting


@transaction.atomic
def close(trial: Trial) -> Trial:
    """Nobody votes any more; all who judge there see the result. Closing what is closed changes nothing."""
    trial = Trial.objects.select_for_update(of=("self",)).get(pk=trial.pk)
    if trial.closed is None:
        trial.closed = timezone.now()
        trial.save(update_fields=["closed"])
    return trial


def _open_sitting(trial: Trial, *, by: User) -> Sitting:
    """The person's sitting, begun if it was not; locked, so that two votes of one person come one after the other."""
    closed = Trial.objects.select_for_update(no_key=True, of=("self",)).get(pk=trial.pk).closed
    if closed:
        raise TrialProblem(_("This trial is closed: nothing more is judged in it."))
    sitting, _made = Sitting.objects.select_for_update(no_key=True).get_or_create(trial=trial, person=by)
    if sitting.finished:
        raise TrialProblem(_("You have finished this trial: your votes stand."))
    return sitting
