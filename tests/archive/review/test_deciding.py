"""Deciding: two approvals, one's own orders, undoing, what to look at twice."""

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from archive.accounts.models import Membership, Role, User
from archive.catalogue.models import Collection, Event, Version
from archive.catalogue.services import create_collection
from archive.review import queries, services
from archive.review.models import Decision, Review
from archive.review.policy import own_orders_forbidden, policy_of, set_policy
from archive.review.services import DecisionRefused
from archive.review.standing import Step, standing, warnings
from tests.archive import factories

pytestmark = pytest.mark.django_db
ONE, TWO = uuid4(), uuid4()


def ordered_by(person: User, into: Collection) -> Version:
    """A draft that this person ordered."""
    source = factories.master(into)
    return factories.derivative(source, by=person)


def state(version: Version) -> str:
    return Review.objects.get(pk=version.pk).state


def test_one_approval_is_enough_where_nothing_else_is_asked(portraits: Collection, cai: User) -> None:
    draft = factories.derivative(factories.master(portraits))
    assert services.decide(draft, "approve", by=cai).state == "approved"


def test_two_people_approve_where_a_collection_asks_for_two(
    portraits: Collection, cai: User, odo: User
) -> None:
    set_policy(portraits, approvals=2, own_orders="inherit", by=odo)
    below = create_collection("below", title="Below", by=None, parent=portraits)
    draft = factories.derivative(factories.master(below))
    assert services.decide(draft, "approve", by=cai).state == "draft"
    assert draft not in queries.waiting_for(cai)
    assert draft in queries.waiting_for(odo)
    assert list(queries.waiting_for_others(cai)) == [draft]
    with pytest.raises(DecisionRefused, match="second person"):
        services.decide(draft, "approve", by=cai)
    assert services.decide(draft, "approve", by=odo).state == "approved"


def test_a_rejection_between_two_approvals_begins_anew(portraits: Collection, cai: User, odo: User) -> None:
    set_policy(portraits, approvals=2, own_orders="inherit", by=odo)
    draft = factories.derivative(factories.master(portraits))
    services.decide(draft, "approve", by=cai)
    services.decide(draft, "reject", by=odo, note="a face was changed")
    services.decide(draft, "reopen", by=odo)
    assert services.decide(draft, "approve", by=odo).state == "draft"
    assert services.decide(draft, "approve", by=cai).state == "approved"


def test_undoing_a_rejection_keeps_the_approval_before_it(
    portraits: Collection, cai: User, odo: User
) -> None:
    set_policy(portraits, approvals=2, own_orders="inherit", by=odo)
    draft = factories.derivative(factories.master(portraits))
    services.decide(draft, "approve", by=cai)
    services.decide(draft, "reject", by=odo)
    services.undo(Decision.objects.get(verb="reject"), by=odo)
    assert services.decide(draft, "approve", by=odo).state == "approved"


def test_nobody_approves_an_own_order_where_that_is_forbidden(
    portraits: Collection, cai: User, odo: User
) -> None:
    set_policy(portraits, approvals=None, own_orders="forbidden", by=odo)
    draft = ordered_by(cai, portraits)
    assert draft not in queries.waiting_for(cai)
    with pytest.raises(DecisionRefused, match="ordered this one yourself"):
        services.decide(draft, "approve", by=cai)
    with pytest.raises(DecisionRefused):
        services.publish(draft, by=cai)
    assert state(draft) == "draft"
    assert services.decide(draft, "approve", by=odo).state == "approved"


def test_the_nearest_policy_upwards_holds(portraits: Collection, odo: User) -> None:
    set_policy(portraits, approvals=2, own_orders="forbidden", by=odo)
    below = create_collection("below", title="Below", by=None, parent=portraits)
    deeper = create_collection("deeper", title="Deeper", by=None, parent=below)
    set_policy(below, approvals=None, own_orders="allowed", by=odo)
    assert (policy_of(deeper).approvals, policy_of(deeper).own_orders) == (2, True)
    forbidden = Collection.objects.filter(own_orders_forbidden())
    assert set(forbidden) == {portraits}


def test_a_policy_of_three_approvals_is_refused(portraits: Collection, odo: User) -> None:
    with pytest.raises(DecisionRefused):
        set_policy(portraits, approvals=3, own_orders="inherit", by=odo)


def test_publishing_a_draft_approves_it_first_and_undo_takes_both_back(
    portraits: Collection, cai: User
) -> None:
    draft = factories.derivative(factories.master(portraits))
    outcome = services.decide_many([draft], "publish", by=cai)[0]
    assert [d.verb for d in outcome.decisions] == ["approve", "publish"]
    for decision in outcome.decisions[::-1]:
        services.undo(decision, by=cai)
    review = Review.objects.get(pk=draft.pk)
    assert (review.state, review.approved_by) == ("draft", [])
    assert Event.objects.filter(type="review").count() == 4


def test_only_ones_own_last_decision_is_undone_and_once(portraits: Collection, cai: User, odo: User) -> None:
    draft = factories.derivative(factories.master(portraits))
    services.decide(draft, "approve", by=cai)
    approved = Decision.objects.get(verb="approve")
    with pytest.raises(DecisionRefused, match="somebody else"):
        services.undo(approved, by=odo)
    services.decide(draft, "publish", by=odo)
    with pytest.raises(DecisionRefused, match="since"):
        services.undo(approved, by=cai)
    services.undo(Decision.objects.get(verb="publish"), by=odo)
    services.undo(approved, by=cai)
    with pytest.raises(DecisionRefused):
        services.undo(approved, by=cai)
    assert state(draft) == "draft"


def test_withdrawing_is_not_undone(portraits: Collection, cai: User) -> None:
    draft = factories.derivative(factories.master(portraits))
    services.decide(draft, "withdraw", by=cai)
    with pytest.raises(DecisionRefused, match="final"):
        services.undo(Decision.objects.get(), by=cai)


def test_what_is_refused_for_one_leaves_the_others_decided(
    portraits: Collection, cai: User, odo: User
) -> None:
    drafts = [factories.derivative(factories.master(portraits)) for _ in range(3)]
    services.decide(drafts[1], "reject", by=odo)
    outcomes = services.decide_many(drafts, "approve", by=cai)
    assert [state(draft) for draft in drafts] == ["approved", "rejected", "approved"]
    assert [bool(outcome.sentence) for outcome in outcomes] == [False, True, False]


steps = st.lists(
    st.tuples(
        st.sampled_from(["approve", "reject", "reopen", "publish", "unpublish", "undo"]),
        st.sampled_from([ONE, TWO]),
    )
)


@given(steps)
def test_undoing_everything_leaves_nothing_approved(taken: list[tuple[str, UUID]]) -> None:
    history = [Step(n, verb, by) for n, (verb, by) in enumerate(taken)]
    left = standing(history).steps
    undone = [*history, *(Step(1000 + n, "undo", ONE) for n in range(len(left)))]
    assert standing(undone).approvers == frozenset()
    assert standing(undone).steps == ()


@given(steps)
def test_a_decision_and_its_undo_are_as_if_never_taken(taken: list[tuple[str, UUID]]) -> None:
    history = [Step(n, verb, by) for n, (verb, by) in enumerate(taken)]
    for verb in ("approve", "reject", "publish"):
        assert standing([*history, Step(998, verb, TWO), Step(999, "undo", TWO)]) == standing(history)


@pytest.mark.parametrize(
    ("report", "count"),
    [
        ({}, 0),
        ({"changed_share": 0.01, "psnr": 40.0, "ssim": 0.99}, 0),
        ({"changed_share": 0.0, "psnr": None, "ssim": 1.0}, 0),
        ({"changed_share": 0.6, "psnr": 40.0, "ssim": 0.99}, 1),
        ({"changed_share": 0.99, "psnr": 13.0, "ssim": 0.8}, 3),
        ({"changed_share": "much"}, 0),
    ],
)
def test_a_large_change_is_named(report: dict[str, object], count: int) -> None:
    assert len(warnings(report)) == count


def test_a_style_or_colour_is_named_only_where_it_loses_the_scene() -> None:
    moved = {"changed_share": 1.0, "psnr": 13.0, "ssim": 0.7}
    assert len(warnings(moved, role="colourised")) == 1
    assert warnings(moved | {"ssim": 0.99}, role="colourised") == []
    assert warnings(moved, role="stylised") == []
    assert len(warnings(moved | {"ssim": 0.4}, role="stylised")) == 1


def test_the_queue_shows_a_pair_and_hands_out_the_next_ones(portraits: Collection, cai: User) -> None:
    drafts = [factories.derivative(factories.master(portraits)) for _ in range(8)]
    client = Client()
    client.force_login(cai)
    page = client.get("/review/").content.decode()
    assert str(drafts[0].pk) in page
    following = client.get("/review/pairs/", {"after": str(drafts[0].pk)}).content.decode()
    assert [str(d.pk) in following for d in drafts] == [False, *[True] * 6, False]
    before = client.get("/review/pairs/", {"before": str(drafts[2].pk)}).content.decode()
    assert [str(d.pk) in before for d in drafts] == [True, True, *[False] * 6]


def test_pairs_cost_the_same_number_of_queries_however_many(portraits: Collection, cai: User) -> None:
    client = Client()
    client.force_login(cai)
    counts = []
    for more in (2, 4):
        for _ in range(more):
            factories.derivative(factories.master(portraits))
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/review/sheet/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 20


def test_a_decision_by_script_is_answered_with_its_panel_and_undone(portraits: Collection, cai: User) -> None:
    draft = factories.derivative(factories.master(portraits))
    client = Client(headers={"accept": "application/json"})
    client.force_login(cai)
    told = client.post(f"/versions/{draft.pk}/review/", {"decision": "approve"}).json()
    assert told["state"] == "approved"
    assert "Approved" in told["panel"]
    again = client.post(f"/versions/{draft.pk}/review/", {"decision": "approve"})
    assert (again.status_code, "approved" in again.json()["problem"]["sentence"]) == (409, True)
    assert client.post("/review/undo/", {"decision": told["decisions"]}).json()["state"] == "draft"
    assert client.post("/review/undo/", {"decision": ["x", "99999999999999999999999"]}).status_code == 409


def test_a_contact_sheet_decides_without_a_script_and_is_undone(portraits: Collection, cai: User) -> None:
    drafts = [factories.derivative(factories.master(portraits)) for _ in range(3)]
    other = factories.derivative(factories.master())  # not Cai's collection
    client = Client()
    client.force_login(cai)
    chosen = [str(drafts[0].pk), str(drafts[2].pk), str(other.pk), "nonsense"]
    answer = client.post("/review/sheet/", {"version": chosen, "decision": "approve"}, follow=True)
    assert [state(d) for d in (*drafts, other)] == ["approved", "draft", "approved", "draft"]
    assert "2 derivatives: approved." in answer.content.decode()
    client.post("/review/undo/", {"decision": answer.context["undoable"]})
    assert {state(d) for d in drafts} == {"draft"}


@pytest.mark.parametrize("address", ["/review/", "/review/pairs/", "/review/sheet/"])
def test_a_queue_of_a_collection_one_does_not_judge_is_not_there(address: str, cai: User) -> None:
    factories.collection("secret", access="private")
    client = Client()
    client.force_login(cai)
    assert client.get(address, {"collection": "secret"}).status_code == 404
    assert client.get(address, {"state": "published"}).status_code == 404
    assert client.get(address, {"at": "x", "after": "y", "before": "z"}).status_code == 200


def test_an_archivist_judges_nothing(portraits: Collection, ada: User) -> None:
    client = Client()
    client.force_login(ada)
    draft = factories.derivative(factories.master(portraits))
    for address in ("/review/", "/review/pairs/", "/review/sheet/"):
        assert client.get(address).status_code == 404
    assert client.post("/review/sheet/", {"version": str(draft.pk), "decision": "approve"}).status_code == 404
    assert state(draft) == "draft"


def test_a_curator_elsewhere_decides_nothing_here(portraits: Collection) -> None:
    elsewhere = factories.user("eli", Role.CURATOR, collection=factories.collection())
    draft = factories.derivative(factories.master(portraits))
    client = Client()
    client.force_login(elsewhere)
    assert client.post(f"/versions/{draft.pk}/review/", {"decision": "approve"}).status_code == 404
    client.post("/review/sheet/", {"version": str(draft.pk), "decision": "approve"})
    assert state(draft) == "draft"


def test_a_former_curator_takes_no_decision_back(portraits: Collection, cai: User) -> None:
    made = factories.derivative(factories.master(portraits), state="published")
    services.decide(made, "unpublish", by=cai)
    Membership.objects.filter(user=cai).update(role=Role.ARCHIVIST)
    client = Client()
    client.force_login(cai)
    number = Decision.objects.get(by=cai).pk
    answer = client.post("/review/undo/", {"decision": number}, headers={"Accept": "application/json"})
    assert (answer.status_code, state(made)) == (409, "approved")
    Membership.objects.filter(user=cai).update(role=Role.CURATOR)
    client.post("/review/undo/", {"decision": number})
    assert state(made) == "published"
