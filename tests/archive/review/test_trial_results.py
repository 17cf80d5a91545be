"""Trials: who sees what while people judge, and what came out."""

import csv
import io
from datetime import datetime

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from archive.accounts.models import User
from archive.catalogue.models import Collection, Recipe
from archive.review.trials import queries, services
from archive.review.trials.models import Sitting, Trial
from archive.review.trials.result import result
from tests.archive.review.trial_cast import SCANS, asked, choose, made, signed_in

pytestmark = pytest.mark.django_db


# ---- who sees what ----------------------------------------------------------------------------------------------


def test_only_who_made_it_and_admins_close_a_trial(trial: Trial, cai: User, cleo: User, odo: User) -> None:
    address = reverse("review:close-trial", args=[trial.pk])

    def closed() -> datetime | None:
        return Trial.objects.get(pk=trial.pk).closed

    assert signed_in(cleo).post(address).status_code == 404
    assert closed() is None
    assert signed_in(cai).post(address).status_code == 302
    first = closed()
    assert first is not None
    signed_in(odo).post(address)
    assert closed() == first


@pytest.mark.parametrize("who", ["ada", "rea", "max_"])
def test_whoever_does_not_judge_there_finds_nothing(
    trial: Trial, who: str, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(who))
    pair = trial.pairs.all()[0].pk
    for name in ("trial", "judge", "trial-votes"):
        assert client.get(reverse(f"review:{name}", args=[trial.pk])).status_code == 404, name
    for name in ("judge", "undo-vote", "finish-trial", "close-trial"):
        sent = client.post(reverse(f"review:{name}", args=[trial.pk]), {"pair": pair, "choice": "left"})
        assert sent.status_code == 404, name
    form = {
        "collection": trial.collection.ref,
        "a": trial.recipe_a_id,
        "b": "scan",
        "question": "x",
        "most": "5",
    }
    assert client.post(reverse("review:new-trial"), form).status_code == 404
    assert not Sitting.objects.exists()
    assert Trial.objects.count() == 1


def sees(trial: Trial, person: User) -> bool:
    """On the page and as CSV alike."""
    trial = queries.trials_for(person).get(pk=trial.pk)
    client = signed_in(person)
    page = client.get(reverse("review:trial", args=[trial.pk])).content.decode()
    votes = client.get(reverse("review:trial-votes", args=[trial.pk])).status_code
    assert ('class="finding"' in page) == (votes == 200)
    return votes == 200


def test_nobody_sees_numbers_that_could_sway_them(trial: Trial, cai: User, cleo: User, odo: User) -> None:
    assert not any(sees(trial, person) for person in (cai, cleo, odo))
    choose(trial, cleo, "a")
    assert not sees(trial, cleo)  # judged, but could still undo
    assert not sees(trial, odo)
    services.finish(trial, by=cleo)
    assert sees(trial, cleo)
    assert sees(trial, odo)  # all who began have finished
    choose(trial, cai, "b", most=1)
    assert not sees(trial, cai)  # made it, but is judging
    assert not sees(trial, odo)
    assert result(trial).verdict.votes.all == SCANS  # of who has finished
    services.close(trial)
    assert all(sees(trial, person) for person in (cai, cleo, odo))
    trial.refresh_from_db()
    assert result(trial).verdict.votes.all == SCANS + 1


# ---- what came out ----------------------------------------------------------------------------------------------


def test_the_result_says_who_preferred_what_and_where_they_did_not_agree(
    trial: Trial, cai: User, cleo: User
) -> None:
    choose(trial, cai, "a")
    choose(trial, cleo, "a", most=4)
    choose(trial, cleo, "b", most=1)
    choose(trial, cleo, "none")
    for person in (cai, cleo):
        services.finish(trial, by=person)
    found = result(trial)
    assert [(side.wins, side.ties) for side in found.sides] == [(10, 1), (1, 1)]
    assert found.verdict.method == "bootstrap"
    assert found.sentence.startswith("People preferred A in 10 of 11 votes on 6 scans, 91 % (")
    assert "may well be chance" not in found.sentence or found.verdict.p >= 0.05
    assert [(one.person, one.tally.a, one.tally.b, one.tally.ties) for one in found.people] == [
        (cai, 6, 0, 0),
        (cleo, 4, 1, 1),
    ]
    assert [(one.tally.a, one.tally.b, one.is_split) for one in found.odd] == [(1, 1, True)]


def test_the_vote_holds_which_side_stood_left(trial: Trial, cai: User) -> None:
    for shown in queries.ahead(cai, trial, most=SCANS):
        vote = services.vote(trial, shown.pair.pk, "left", by=cai)
        chosen = {"a": shown.pair.a, "b": shown.pair.b}[vote.choice]
        assert chosen == shown.left
        assert vote.left == vote.choice
    services.finish(trial, by=cai)
    assert [one.left for one in result(trial).people] == [SCANS]


def test_the_votes_as_csv_can_be_counted_again(
    portraits: Collection, cai: User, strong: Recipe, mild: Recipe
) -> None:
    for title in ("A street", "=1+1"):
        made(portraits, strong, mild, title=title)
    trial = services.make(portraits, asked(strong, mild), by=cai)
    choose(trial, cai, "b")
    services.finish(trial, by=cai)
    answer = signed_in(cai).get(reverse("review:trial-votes", args=[trial.pk]))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert {row["title"] for row in rows} == {"A street", "'=1+1"}  # no formula in a spreadsheet
    assert {(row["choice"], row["person"]) for row in rows} == {("b", str(cai))}
    assert {row["a"] for row in rows} == {str(pair.a_id) for pair in trial.pairs.all()}


def test_pages_of_trials_take_at_most_twelve_queries(
    trial: Trial, cai: User, cleo: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    choose(trial, cleo, "a", most=3)
    choose(trial, cleo, "b")
    services.finish(trial, by=cleo)
    client, other = signed_in(cai), signed_in(cleo)
    for visitor, address in [
        (client, reverse("review:trials")),
        (client, reverse("review:new-trial") + f"?collection={trial.collection.ref}"),
        (client, reverse("review:judge", args=[trial.pk])),
        (other, reverse("review:trial", args=[trial.pk])),
        (other, reverse("review:trial-votes", args=[trial.pk])),
    ]:
        visitor.get(address)
        with django_assert_max_num_queries(12):
            answer = visitor.get(address)
        assert answer.status_code == 200, address
        assert "style=" not in answer.content.decode()
