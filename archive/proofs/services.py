"""Asking for proofs, and handing them to workers: rows say what is wanted, so that no flushed queue loses one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.looks import BY_REFERENCE
from archive.catalogue.models import Version
from archive.jobs import dispatch
from archive.jobs.models import SavedRecipe
from archive.jobs.orders import NotAllowed, forbidden_by_policy
from archive.jobs.recipes import newest_cards, offered, resolve_asked, still_used
from archive.jobs.saved import in_words, listed
from archive.proofs.models import Proof
from archive.store import get_renditions
from stylizer.cards import Card
from stylizer.errors import RecipeError, UnknownModel
from stylizer.recipe import Recipe

S = Proof.State
LEASE = timedelta(seconds=120)
MOST_TRIES = 3
MOST_SAVED = 12  # of a long list; any other is proofed from the order form's preview


@dataclass(frozen=True)
class Candidate:
    """A recipe one may choose for a scan: its preset, its proof if there is one, or why it may not be used."""

    preset: str  # or the name of a saved recipe, which then says in `words` what it does
    recipe: Recipe | None = None
    proof: Proof | None = None
    reference: Version | None = None
    refusal: str = ""
    words: str = ""

    @property
    def is_waiting(self) -> bool:
        return self.recipe is not None and (self.proof is None or self.proof.state == S.WANTED)


def candidates(version: Version, *, by: User, reference: Version | None = None) -> list[Candidate]:
    """Every recipe this archive offers, on this version, in the order it offers them, then those saved last under a
    name; with `reference`, that picture's style first.

    Raises:
        NotAllowed: the person may not order here, or may not see the style picture.
    """
    collection = version.scan.item.collection
    if not permissions.may_order(by, [collection], 1, limit=1):
        raise NotAllowed(_("You may order only in collections you work in."))
    if reference is not None and not permissions.may_see_version(by, reference):
        raise NotAllowed(_("The style picture is not among those you may see."))
    asked: list[tuple[str, Version | None]] = [(name, None) for name in offered()]
    if reference is not None:
        asked.insert(0, (BY_REFERENCE, reference))
    cards = newest_cards()
    found = [_candidate(name, picture, version, cards) for name, picture in asked]
    found += [_saved(row, version) for row in listed(by).order_by("-saved")[:MOST_SAVED]]
    made = {
        proof.recipe: proof
        for proof in Proof.objects.filter(
            version=version, recipe__in=[one.recipe.digest for one in found if one.recipe]
        )
    }
    return [replace(one, proof=made.get(one.recipe.digest)) if one.recipe else one for one in found]


def _candidate(
    preset: str, reference: Version | None, version: Version, cards: Callable[[str], Card]
) -> Candidate:
    try:
        recipe = resolve_asked(preset, reference=reference, cards=cards)
    except (RecipeError, UnknownModel) as error:
        return Candidate(preset, reference=reference, refusal=str(error))
    refusal = forbidden_by_policy(recipe.operations, version.scan.item.collection)
    return Candidate(preset, None if refusal else recipe, reference=reference, refusal=refusal or "")


def _saved(row: SavedRecipe, version: Version) -> Candidate:
    recipe = Recipe.from_json(row.recipe.canonical)
    refusal = forbidden_by_policy(recipe.operations, version.scan.item.collection)
    try:
        still_used(row.reference)
    except RecipeError as error:
        refusal = refusal or str(error)
    return Candidate(
        row.name, None if refusal else recipe, reference=row.reference, refusal=refusal or "",
        words=row.note or in_words(row),
    )  # fmt: skip


@transaction.atomic
def want(version: Version, found: Iterable[Candidate]) -> None:
    """Ask for the proofs that are not there, and once more for those that failed; nudge a worker after the commit."""
    recipes = [one.recipe for one in found if one.recipe]
    Proof.objects.bulk_create(
        [Proof(version=version, recipe=one.digest, canonical=one.canonical().decode()) for one in recipes],
        ignore_conflicts=True,
    )
    failed = Proof.objects.filter(version=version, recipe__in=[one.digest for one in recipes], state=S.FAILED)
    failed.update(state=S.WANTED, tries=0, problem="", taken_until=None)
    dispatch.proof()


def take() -> Proof | None:
    """The proof that has waited longest and that nobody is at, taken for a while; None if there is none."""
    free = Proof.objects.filter(Q(taken_until=None) | Q(taken_until__lt=Now()), state=S.WANTED)
    with transaction.atomic():
        found = free.select_for_update(skip_locked=True, of=("self",)).order_by("pk").first()
        if found is None:
            return None
        if found.tries >= MOST_TRIES:  # it took its worker with it each time
            fail(found, _("Its worker stopped every time it was tried."))
            return take()
        Proof.objects.filter(pk=found.pk).update(taken_until=Now() + LEASE, tries=F("tries") + 1)
    return Proof.objects.select_related("version__file").get(pk=found.pk)


def keep(proof: Proof, picture: Path, *, width: int, height: int) -> None:
    """File first, row second; one that was made twice replaces itself."""
    key = f"{str(proof.version_id)[-2:]}/{proof.version_id}/proof-{proof.recipe[:24]}.webp"
    get_renditions().put(key, picture)
    Proof.objects.filter(pk=proof.pk).update(
        state=S.READY, key=key, width=width, height=height, problem="", taken_until=None
    )


def fail(proof: Proof, sentence: str) -> None:
    Proof.objects.filter(pk=proof.pk).update(state=S.FAILED, problem=sentence[:500], taken_until=None)


def lost(proof: Proof) -> None:
    """Its picture is not there any more (a restore, a disk that was cleared): it is made again, however many ask."""
    if Proof.objects.filter(pk=proof.pk, state=S.READY).update(state=S.WANTED, tries=0, taken_until=None):
        dispatch.proof()


def nudge_if_idle(found: Iterable[Candidate]) -> None:
    """Tell a worker again where something waits and nobody is at anything of it: a message may have been lost."""
    waiting = [one.proof.pk for one in found if one.proof and one.is_waiting]
    if not waiting:
        return
    busy = Proof.objects.filter(pk__in=waiting, taken_until__gt=Now()).exists()
    if not busy:
        dispatch.proof()
