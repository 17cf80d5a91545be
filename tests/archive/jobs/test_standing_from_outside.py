"""Standing orders over the API and from a shell: the same rules as the page's, told in words and codes."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from archive.accounts.models import User
from archive.catalogue.models import Collection
from archive.catalogue.services import register_file, register_release
from archive.jobs.models import Job, StandingOrder
from stylizer.cards import Card
from tests.archive import factories

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/standing-orders/"


@pytest.fixture(autouse=True)
def _release(portraits: Collection) -> None:
    file = register_file("d" * 64, size=9, media_type="application/octet-stream")
    register_release(Card("restore", "1", "restore", "small", "d" * 64), file)


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("standing", *arguments, stdout=out)
    return out.getvalue()


def test_the_api_gives_pauses_resumes_and_ends(client: Client, odo: User) -> None:
    client.force_login(odo)
    asked = {"collection": "portraits", "recipe": "restore", "hour": 3, "hours": ["22:00", "06:00"]}
    answer = client.post(ROOT, asked, content_type="application/json")
    assert answer.status_code == 201, answer.content
    order = answer.json()
    assert (order["state"], order["hour"], order["hours"]) == ("standing", 3, ["22:00:00", "06:00:00"])
    address = f"{ROOT}{order['id']}/"
    assert client.post(f"{address}pause").json()["state"] == "paused"
    again = client.post(f"{address}pause")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/job-not-now")
    assert client.post(f"{address}resume").json()["state"] == "standing"
    assert [one["id"] for one in client.get(ROOT).json()["results"]] == [order["id"]]
    assert client.post(f"{address}end").json()["state"] == "ended"
    assert client.get(ROOT).json()["results"] == []
    assert client.get(ROOT, {"ended": "yes"}).json()["results"][0]["id"] == order["id"]
    assert client.get(address).json()["recipe"] == "restore"


def test_the_api_lets_one_look_now(client: Client, odo: User, portraits: Collection) -> None:
    client.force_login(odo)
    asked = {"collection": "portraits", "recipe": "restore"}
    order = client.post(ROOT, asked, content_type="application/json").json()
    assert client.post(f"{ROOT}{order['id']}/look").json() == {"job": None}
    factories.master(portraits)
    job = client.post(f"{ROOT}{order['id']}/look").json()["job"]
    assert job["id"] == str(Job.objects.get().pk)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"collection": "nowhere"}, 400), ({"recipe": "magic"}, 403), ({"recipe": 3}, 400), ({"hour": 24}, 403),
        ({"hour": "late"}, 400), ({"hours": ["22:00"]}, 400), ({"backlog": "some"}, 403), ({"more": 1}, 400),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told(
    wrong: dict[str, object], status: int, client: Client, odo: User
) -> None:
    client.force_login(odo)
    asked = {"collection": "portraits", "recipe": "restore"} | wrong
    answer = client.post(ROOT, asked, content_type="application/json")
    assert answer.status_code == status, answer.content
    assert not StandingOrder.objects.exists()


def test_only_admins_find_anything_there(client: Client, cai: User, odo: User) -> None:
    order = StandingOrder.objects.create(
        collection=Collection.objects.get(ref="portraits"), preset="restore", ordered_by=odo
    )
    client.force_login(cai)
    assert client.get(ROOT).status_code == 404
    assert client.post(f"{ROOT}{order.pk}/end").status_code == 404
    asked = {"collection": "portraits", "recipe": "restore"}
    assert client.post(ROOT, asked, content_type="application/json").status_code == 404
    order.refresh_from_db()
    assert order.ended is None


def test_a_shell_gives_lists_and_steers_them(odo: User, portraits: Collection) -> None:
    assert said() == "None.\n"
    given = said("add", "restore", "--collection", "portraits", "--hour", "3", "--hours", "22:00-06:00")
    order = StandingOrder.objects.get()
    assert given == f"{order.pk}  portraits  restore: stands, looks at 03:00, works 22:00-06:00\n"
    assert said("list") == given
    factories.master(portraits)
    assert "Ordered: job" in said("look", str(order.pk))
    assert "nothing new" in said("look", str(order.pk))
    assert "paused" in said("pause", str(order.pk))
    assert "stands" in said("resume", str(order.pk))
    assert "ended" in said("end", str(order.pk))
    assert said() == "None.\n"
    assert "ended" in said("list", "--ended")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "restore", "--collection", "nowhere"], "no collection"),
        (["add", "magic", "--collection", "portraits"], "not among the recipes"),
        (["add", "restore", "--collection", "portraits", "--hours", "late"], "22:00-06:00"),
        (["pause", "7"], "no standing order 7"),
        (["list", "--user", "nobody"], ""),
    ],
)
def test_a_slip_in_the_shell_is_answered_with_a_sentence(
    arguments: list[str], sentence: str, odo: User
) -> None:
    if not sentence:
        assert said(*arguments) == "None.\n"
        return
    with pytest.raises(CommandError, match=sentence):
        said(*arguments)


def test_an_archivist_gives_none_from_a_shell(ada: User, odo: User) -> None:
    with pytest.raises(CommandError, match="for administrators"):
        said("add", "restore", "--collection", "portraits", "--user", ada.username)
