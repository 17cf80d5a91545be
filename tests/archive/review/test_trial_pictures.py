"""While a trial is judged neither the addresses of its pictures nor what they are saved as say what made them."""

from uuid import UUID

import pytest
from django.test import Client

from archive.accounts.models import User
from archive.catalogue.models import Collection, Recipe
from archive.iiif.renditions import make
from archive.iiif.services import want
from archive.review.trials import queries, services
from archive.review.trials.models import Trial
from tests.archive.review.trial_cast import asked, made, signed_in

pytestmark = pytest.mark.django_db
SIDES = ("left", "right")


@pytest.fixture
def against_the_scan(portraits: Collection, cai: User, mild: Recipe) -> Trial:
    """One scan and what a recipe made of it, to be judged against each other, with their views."""
    source = made(portraits, mild, title="The harbour")
    versions = [source.pk, *source.derivatives.values_list("pk", flat=True)]
    want(versions)
    for version in versions:
        make(version)
    return services.make(portraits, asked(mild, None), by=cai)


def addresses(trial: Trial) -> dict[str, str]:
    """Where the pictures of its only pair lie."""
    pair = trial.pairs.get().pk
    return {side: f"/review/trials/{trial.pk}/pictures/{pair}/{side}" for side in SIDES}


def ids_of(trial: Trial) -> list[UUID]:
    pair = trial.pairs.get()
    return [pair.a_id, pair.b_id]


def test_the_page_and_what_is_saved_from_it_name_neither_side(against_the_scan: Trial, cai: User) -> None:
    trial, client = against_the_scan, signed_in(cai)
    page = client.get(f"/review/trials/{trial.pk}/judge/").content.decode()
    told = [page]
    for side, address in addresses(trial).items():
        assert f'data-{side}="{address}/info.json"' in page
        assert f'src="{address}/960.webp"' in page
        info = client.get(f"{address}/info.json")
        assert info.json()["id"] == f"http://testserver{address}"
        for part in ("full/max/0/default.jpg", "960.webp", "480.jpg"):
            answer = client.get(f"{address}/{part}")
            assert answer.status_code == 200
            extension = part.rpartition(".")[2]
            called = f'inline; filename="trial-{trial.pairs.get().pk}-{side}.{extension}"'
            assert answer["Content-Disposition"] == called
            assert "private" in answer["Cache-Control"]  # others see something else at this address
            assert "Last-Modified" not in answer
            again = client.get(f"{address}/{part}", headers={"If-None-Match": answer["ETag"]})
            assert again.status_code == 304
            told.append(str(answer.headers))
        told.append(info.content.decode())
    for sign in (*map(str, ids_of(trial)), "provenance", "AI-restored", '-ai"', "harbour.v"):
        assert not [one[:80] for one in told if sign in one], sign


def test_each_person_gets_the_picture_that_was_drawn_for_their_side(
    against_the_scan: Trial, cai: User, cleo: User
) -> None:
    trial = against_the_scan
    part = "full/max/0/default.png"
    for person in (cai, cleo):
        client = signed_in(person)
        [pair] = queries.ahead(person, trial, most=1)
        for side, version in (("left", pair.left), ("right", pair.right)):
            shown = client.get(f"{addresses(trial)[side]}/{part}").content
            assert shown == client.get(f"/iiif/3/{version.pk}/{part}").content


def test_who_does_not_judge_there_and_a_closed_trial_find_nothing_at_these_addresses(
    against_the_scan: Trial, cai: User, rea: User
) -> None:
    address = addresses(against_the_scan)["left"] + "/info.json"
    assert Client().get(address).status_code == 302
    assert signed_in(rea).get(address).status_code == 404
    assert signed_in(cai).get(address.replace("left", "middle")).status_code == 404
    services.close(against_the_scan)
    assert signed_in(cai).get(address).status_code == 404


def test_tiles_asked_for_blind_leave_no_note_under_the_names_of_the_trial(
    against_the_scan: Trial, cai: User
) -> None:
    client = signed_in(cai)
    part = "full/max/0/default.jpg"
    for address in addresses(against_the_scan).values():
        client.get(f"{address}/{part}")
    derivative = against_the_scan.pairs.get().a_id
    assert "AI-restored" in client.get(f"/iiif/3/{derivative}/{part}")["Content-Disposition"]
