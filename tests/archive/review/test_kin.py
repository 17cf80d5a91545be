"""Publishing what was made from something unpublished, and taking back what something was made from: it is said."""

import pytest
from django.test import Client

from archive.accounts.models import User
from archive.catalogue.models import Collection, Version
from archive.review import kin, queries, services
from archive.review.models import Review
from archive.review.pairs import pairs
from tests.archive import factories

pytestmark = pytest.mark.django_db
HIDDEN = "It was made from version 2, which is draft: readers do not see that step."


@pytest.fixture
def chain(portraits: Collection) -> list[Version]:
    """A scan and three steps made one from the other, as drafts."""
    steps = [factories.master(portraits)]
    for style in ("style/one", "style/two", "style/three"):
        steps.append(factories.derivative(steps[-1], of=factories.style(style)))
    return steps


@pytest.fixture
def judge(cai: User) -> Client:
    client = Client()
    client.force_login(cai)
    return client


def test_what_hangs_together_is_known_at_any_distance(chain: list[Version], odo: User) -> None:
    services.decide(chain[2], "reject", by=odo)
    known = kin.of(chain[1:])
    assert [known[step.pk].source for step in chain[1:]] == [None, (2, "draft"), (3, "rejected")]
    assert [known[step.pk].below for step in chain[1:]] == [(4,), (4,), ()]


def test_publishing_what_was_made_from_a_draft_says_what_readers_will_not_see(
    chain: list[Version], judge: Client
) -> None:
    page = judge.post(
        f"/versions/{chain[2].pk}/review/", {"decision": "publish"}, follow=True
    ).content.decode()
    assert HIDDEN in page
    assert Review.objects.get(pk=chain[2].pk).state == "published"


def test_publishing_a_whole_chain_from_below_says_nothing(chain: list[Version], cai: User) -> None:
    outcomes = services.decide_many(chain[1:], "publish", by=cai)
    assert [outcome.remarks for outcome in outcomes] == [(), (), ()]


def test_withdrawing_names_what_was_made_from_it_and_leaves_it_alone(
    chain: list[Version], judge: Client
) -> None:
    answer = judge.post(
        f"/versions/{chain[1].pk}/review/", {"decision": "withdraw"}, headers={"Accept": "application/json"}
    ).json()
    assert answer["sentence"].endswith(
        "Versions 3, 4 were made from it and stay as they are: look at them too."
    )
    assert Review.objects.get(pk=chain[3].pk).state == "draft"


def test_the_contact_sheet_says_it_with_the_title(chain: list[Version], judge: Client) -> None:
    form = {"version": [str(chain[3].pk)], "decision": "publish"}
    page = judge.post("/review/sheet/", form, follow=True).content.decode()
    assert "A photograph: It was made from version 3, which is draft" in page


def test_who_judges_reads_it_beforehand(chain: list[Version], cai: User, judge: Client) -> None:
    [first, second, third] = pairs(list(queries.shown(queries.waiting_for(cai))))
    assert first.kin.remarks == ["Versions 3, 4 were made from it and stay as they are: look at them too."]
    assert second.kin.remarks[0] == HIDDEN
    assert len(third.kin.remarks) == 1
    assert HIDDEN in judge.get(f"/review/?at={second.version.pk}").content.decode()


def test_a_program_that_decides_is_told_what_hangs_together_too(chain: list[Version], judge: Client) -> None:
    def decided(version: Version, decision: str) -> list[str]:
        answer = judge.post(
            f"/api/v1/versions/{version.pk}/review", {"decision": decision}, content_type="application/json"
        )
        assert answer.status_code == 200
        remarks: list[str] = answer.json()["remarks"]
        return remarks

    assert decided(chain[2], "approve") == []
    assert decided(chain[2], "publish") == [HIDDEN]
    assert decided(chain[1], "withdraw") == [
        "Versions 3, 4 were made from it and stay as they are: look at them too."
    ]
