"""Trials: frozen, blind, one vote each, and a result that sways nobody."""

import re
from collections import Counter

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from archive.accounts.models import User
from archive.catalogue.models import Collection, Recipe, Version
from archive.catalogue.services import create_collection
from archive.review.services import decide
from archive.review.trials import drawing, queries, services
from archive.review.trials.models import Sitting, Trial, TrialPair, Vote
from archive.review.trials.naming import names
from archive.review.trials.services import Asked, TrialProblem
from tests.archive import factories
from tests.archive.review.trial_cast import QUESTION, SCANS, asked, choose, made, signed_in

pytestmark = pytest.mark.django_db


# ---- making -----------------------------------------------------------------------------------------------------


def test_a_trial_is_frozen_into_what_both_recipes_made_of_the_same_scans_below(
    portraits: Collection, cai: User, strong: Recipe, mild: Recipe
) -> None:
    below = create_collection("below", title="Below", by=None, parent=portraits)
    both = {made(portraits, strong, mild).pk, made(below, strong, mild).pk}
    made(portraits, strong)
    made(factories.collection(), strong, mild)
    rejected = made(portraits, mild)
    factories.derivative(rejected, of=strong, state="rejected")
    trial = services.make(portraits, asked(strong, mild), by=cai)
    made(portraits, strong, mild)  # later: it does not join
    pairs = TrialPair.objects.filter(trial=trial).select_related("a", "b", "source")
    assert {pair.source_id for pair in pairs} == both
    assert {(pair.a.recipe_id, pair.b.recipe_id) for pair in pairs} == {(strong.digest, mild.digest)}
    assert all(pair.a.derived_from_id == pair.b.derived_from_id == pair.source_id for pair in pairs)


def test_what_was_made_again_stands_for_what_was_made_before(
    portraits: Collection, cai: User, strong: Recipe, mild: Recipe
) -> None:
    source = made(portraits, strong, mild)
    again = factories.derivative(source, of=strong, run=2)
    trial = services.make(portraits, asked(strong, mild), by=cai)
    assert TrialPair.objects.get(trial=trial).a_id == again.pk


def test_the_scan_itself_may_be_a_side_but_never_a_derivative_in_its_place(
    portraits: Collection, cai: User, strong: Recipe, mild: Recipe
) -> None:
    source = made(portraits, mild)
    first = Version.objects.get(recipe=mild)
    factories.derivative(first, of=strong)  # strong was made of what mild made
    with pytest.raises(TrialProblem, match="No scan here has a picture by both"):
        services.make(portraits, asked(strong, None), by=cai)
    trial = services.make(portraits, asked(mild, None), by=cai)
    pair = TrialPair.objects.get(trial=trial)
    assert (pair.source_id, pair.a_id, pair.b_id) == (source.pk, first.pk, source.pk)


def test_a_private_collection_below_is_left_out(
    portraits: Collection, cai: User, odo: User, strong: Recipe, mild: Recipe
) -> None:
    closed = create_collection("closed", title="Closed", by=None, parent=portraits, access="private")
    made(closed, strong, mild)
    here = made(portraits, strong, mild)
    trial = services.make(portraits, asked(strong, mild), by=odo)
    assert [pair.source_id for pair in TrialPair.objects.filter(trial=trial)] == [here.pk]
    assert services.make(closed, asked(strong, mild), by=odo) not in queries.trials_for(cai)


def test_more_scans_than_asked_for_are_drawn_by_lot(trial: Trial, cai: User) -> None:
    few = [
        services.make(
            trial.collection,
            Asked(question=QUESTION, recipe_a=trial.recipe_a_id, recipe_b=trial.recipe_b_id, most=2),
            by=cai,
        )
        for _n in range(12)
    ]
    chosen = [frozenset(one.pairs.values_list("source_id", flat=True)) for one in few]
    assert {len(one) for one in chosen} == {2}
    assert len(set(chosen)) > 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"question": "  "}, "needs a question"),
        ({"question": "x" * 201}, "at most 200 characters, got 201"),
        ({"most": 0}, "1 to 500 scans, got 0"),
        ({"most": 501}, "got 501"),
        ({"recipe_a": "f" * 64}, "from the list"),
        ({"recipe_b": ""}, "from the list"),
        ({"recipe_b": "same"}, "two different sides"),
    ],
)
def test_a_trial_that_makes_no_sense_is_refused_with_a_sentence(
    trial: Trial, cai: User, change: dict[str, str | int], sentence: str
) -> None:
    values = {
        "question": QUESTION, "recipe_a": trial.recipe_a_id, "recipe_b": trial.recipe_b_id, "most": 10
    } | change  # fmt: skip
    if values["recipe_b"] == "same":
        values["recipe_b"] = values["recipe_a"]
    with pytest.raises(TrialProblem, match=sentence):
        services.make(trial.collection, Asked(**values), by=cai)  # type: ignore[arg-type]
    assert Trial.objects.count() == 1


def test_recipes_are_named_by_what_sets_them_apart(strong: Recipe, mild: Recipe) -> None:
    only = factories.recipe(parameters={"only_damage": True, "tone": False})
    bold = factories.recipe(parameters={"boldness": "0.25"}, perceptual="0.5")
    toned = factories.recipe(parameters={"tone": True, "detail": False})
    called = names([strong, mild, only, bold, toned])
    assert called[bold.digest] == "restore 9.9.9, look 50 %, 25 % bold, with tone"
    assert called[strong.digest] == "restore 9.9.9, with tone"
    assert called[mild.digest] == "restore 9.9.9, 40 %, with tone"
    assert called[only.digest] == "restore 9.9.9, damage only"
    assert called[toned.digest] == "restore 9.9.9, with tone, not touching detail"
    twin = Recipe(digest="e" * 64, canonical=strong.canonical, operations=["restore"])
    assert names([strong, twin])[twin.digest] == "restore 9.9.9, with tone (eeeeeeee)"


# ---- blindness --------------------------------------------------------------------------------------------------


def test_sides_and_order_are_the_same_after_a_reload_and_differ_between_people(
    trial: Trial, cai: User, cleo: User
) -> None:
    def seen(person: User) -> list[tuple[object, object]]:
        return [(one.left.pk, one.right.pk) for one in queries.ahead(person, trial, most=SCANS)]

    assert seen(cai) == seen(cai)
    assert seen(cai) != seen(cleo)
    assert {frozenset(pair) for pair in seen(cai)} == {frozenset(pair) for pair in seen(cleo)}


def test_each_side_stands_left_about_as_often() -> None:
    from archive.ids import new_id

    one, person = new_id(), new_id()
    drawn = Counter(drawing.left(one, person, new_id()) for _n in range(1000))
    assert 400 < drawn["a"] < 600
    assert drawn["a"] + drawn["b"] == 1000


def test_the_page_names_neither_side_but_says_that_both_are_an_ais(trial: Trial, cai: User) -> None:
    page = signed_in(cai).get(reverse("review:judge", args=[trial.pk])).content.decode()
    shown = page[page.index("<blind-trial") : page.index("</blind-trial>")]
    assert not re.search(r"9\.9\.9|version \d|40 %|original", shown)
    assert Counter(re.findall(r'data-(?:left|right)-(?:label|ai)="([^"]*)"', shown)) == {
        "AI restoration": 6, "yes": 6
    }  # fmt: skip
    assert shown.count('class="badge ai"') == 6


def test_beside_the_scan_neither_carries_the_badge_and_the_page_says_so(
    trial: Trial, cai: User, strong: Recipe
) -> None:
    beside = services.make(trial.collection, asked(strong, None), by=cai)
    page = signed_in(cai).get(reverse("review:judge", args=[beside.pk])).content.decode()
    shown = page[page.index("<blind-trial") : page.index("</blind-trial>")]
    assert Counter(re.findall(r'data-(?:left|right)-(?:label|ai)="([^"]*)"', shown)) == {
        "Scan or restoration": 6, "no": 6
    }  # fmt: skip
    assert "badge ai" not in shown
    assert "It is the only place in the archive" in page
    assert "AI restoration" not in shown


# ---- judging ----------------------------------------------------------------------------------------------------


def test_without_a_script_a_button_judges_and_leads_to_the_next(trial: Trial, cai: User) -> None:
    client = signed_in(cai)
    address = reverse("review:judge", args=[trial.pk])
    for number in range(1, SCANS + 1):
        page = client.get(address).content.decode()
        assert f"{number} of {SCANS}" in page
        pair = re.findall(r'name="pair" value="(\d+)"', page)[0]
        answer = client.post(address, {"pair": pair, "choice": "left"})
        assert answer.headers["Location"] == address
    assert Vote.objects.filter(sitting__person=cai).count() == SCANS
    assert all(vote.choice == vote.left for vote in Vote.objects.all())
    assert "All judged" in client.get(address).content.decode()
    result_page = client.post(reverse("review:finish-trial", args=[trial.pk]), follow=True).content.decode()
    assert "One person preferred" in result_page


def test_undoing_brings_the_same_pair_with_the_same_sides(trial: Trial, cai: User) -> None:
    first = queries.ahead(cai, trial, most=1)[0]
    services.vote(trial, first.pair.pk, "right", by=cai)
    assert services.undo(trial, by=cai) == first.pair
    assert queries.ahead(cai, trial, most=1)[0] == first
    with pytest.raises(TrialProblem, match="Nothing is left"):
        services.undo(trial, by=cai)


def test_the_same_vote_twice_is_one_and_another_one_is_refused(trial: Trial, cai: User) -> None:
    pair = queries.ahead(cai, trial, most=1)[0].pair
    first = services.vote(trial, pair.pk, "left", by=cai)
    assert services.vote(trial, pair.pk, "left", by=cai) == first
    with pytest.raises(TrialProblem, match="judged that pair already"):
        services.vote(trial, pair.pk, "right", by=cai)
    assert Vote.objects.get() == first


def test_the_database_keeps_one_vote_a_person_trial_and_source(trial: Trial, cai: User) -> None:
    vote = services.vote(trial, queries.ahead(cai, trial, most=1)[0].pair.pk, "left", by=cai)
    pair = vote.pair
    for going_around in (
        lambda: Vote.objects.create(sitting=vote.sitting, pair=pair, left="a", choice="b"),
        lambda: Sitting.objects.create(trial=trial, person=cai),
        lambda: TrialPair.objects.create(trial=trial, source=pair.source, a=pair.b, b=pair.a),
        lambda: TrialPair.objects.create(trial=trial, source=pair.a, a=pair.a, b=pair.a),
        lambda: Vote.objects.filter(pk=vote.pk).update(choice="left"),
        lambda: Vote.objects.filter(pk=vote.pk).update(left=""),
        lambda: Trial.objects.filter(pk=trial.pk).update(recipe_b=trial.recipe_a_id),
        lambda: Trial.objects.filter(pk=trial.pk).update(question=""),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            going_around()


@pytest.mark.parametrize(
    "form",
    [{}, {"pair": "x", "choice": "left"}, {"pair": "-1"}, {"pair": "9" * 40}, {"pair": "0", "choice": "a"}],
)
def test_nonsense_is_no_vote(trial: Trial, cai: User, form: dict[str, str]) -> None:
    address = reverse("review:judge", args=[trial.pk])
    answer = signed_in(cai).post(address, form, headers={"accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json()["problem"]["sentence"]
    real = queries.ahead(cai, trial, most=1)[0].pair.pk
    answer = signed_in(cai).post(address, {"pair": str(real), "choice": "<b>"}, follow=True)
    assert "&lt;b&gt;" in answer.content.decode()
    assert not Vote.objects.exists()


def test_a_pair_of_another_trial_is_none_of_this_one(trial: Trial, cai: User, strong: Recipe) -> None:
    beside = services.make(trial.collection, asked(strong, None), by=cai)
    with pytest.raises(TrialProblem, match="not in the trial"):
        services.vote(trial, beside.pairs.all()[0].pk, "left", by=cai)


def test_what_is_withdrawn_leaves_and_what_is_rejected_stays(trial: Trial, cai: User, odo: User) -> None:
    first, second = trial.pairs.select_related("a", "b")[:2]
    decide(first.a, "withdraw", by=odo)
    decide(second.b, "reject", by=odo)
    waiting = {one.pair for one in queries.ahead(cai, trial, most=SCANS)}
    assert first not in waiting
    assert second in waiting
    assert queries.place_of(cai, trial).total == SCANS - 1
    with pytest.raises(TrialProblem, match="not in the trial any more"):
        services.vote(trial, first.pk, "left", by=cai)


def test_whoever_has_finished_changes_nothing_any_more(trial: Trial, cai: User) -> None:
    choose(trial, cai, "a", most=SCANS - 1)
    with pytest.raises(TrialProblem, match="1 scan is left"):
        services.finish(trial, by=cai)
    choose(trial, cai, "a")
    services.finish(trial, by=cai)
    for late in (services.undo, services.finish):
        with pytest.raises(TrialProblem, match="your votes stand"):
            late(trial, by=cai)


def test_nobody_judges_in_a_closed_trial(trial: Trial, cai: User, cleo: User) -> None:
    pair = queries.ahead(cleo, trial, most=1)[0].pair
    services.close(trial)
    with pytest.raises(TrialProblem, match="closed"):
        services.vote(trial, pair.pk, "left", by=cleo)
    answer = signed_in(cleo).get(reverse("review:judge", args=[trial.pk]))
    assert answer.headers["Location"] == reverse("review:trial", args=[trial.pk])
