"""Descriptions, search, and the tree of collections."""

import pytest

from archive.accounts.models import User
from archive.catalogue import queries, services
from archive.catalogue.description import clean
from archive.catalogue.errors import CollectionError, DescriptionError
from archive.catalogue.models import Collection, Event
from archive.catalogue.search.lexemes import sort_key
from stylizer.imageio import Facts
from tests.archive import factories


@pytest.mark.django_db
def test_every_change_of_a_description_is_kept_and_a_change_of_nothing_is_not(
    portraits: Collection, ada: User
) -> None:
    item = services.create_item(portraits, description={"title": "One"}, by=ada, date="1920")
    services.describe(item, by=ada, description={"title": "Two", "subject": ["ships", " "]})
    services.describe(item, by=ada, description={"title": "Two", "subject": ["ships"]})
    services.describe(item, by=ada, date="ca. 1921")
    revisions = list(item.revisions.all())
    assert [r.description["title"][0]["value"] for r in revisions] == ["One", "Two", "Two"]
    assert revisions[-1].date_verbatim == "ca. 1921"
    assert Event.objects.filter(type=Event.Type.METADATA_MODIFICATION).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "bad", [{"titel": "x"}, {"title": 3}, {"title": [{"lang": "en"}]}, {"title": "x" * 30_000}]
)
def test_a_wrong_description_is_refused_with_its_place(bad: dict[str, object], portraits: Collection) -> None:
    with pytest.raises(DescriptionError) as refusal:
        services.create_item(portraits, description=bad, by=None)
    assert str(refusal.value).startswith(next(iter(bad)))


@pytest.mark.django_db
def test_a_collection_cannot_lie_in_itself_and_a_root_states_its_access(portraits: Collection) -> None:
    below = services.create_collection("below", title="x", by=None, parent=portraits)
    with pytest.raises(CollectionError):
        services.change_collection(portraits, by=None, parent=below)
    with pytest.raises(CollectionError):
        services.create_collection("root", title="x", by=None, access="inherit")
    with pytest.raises(CollectionError):
        services.create_collection("portraits", title="x", by=None)


def test_titles_sort_as_people_expect() -> None:
    assert sorted(["Plate 10", "plate 9", "Äpfel", "Zebra"], key=sort_key) == [
        "Äpfel",
        "plate 9",
        "Plate 10",
        "Zebra",
    ]


@pytest.mark.django_db
def test_a_rescan_supersedes_and_the_older_master_stays(portraits: Collection, ada: User) -> None:
    first = factories.master(portraits)
    made = factories.derivative(first)
    second = services.add_master(
        first.scan.item,
        services.NewMaster(file=factories.stored(factories.tiff_bytes()), facts=_facts()),
        by=ada,
        scan=first.scan,
    )
    first.scan.refresh_from_db()
    assert first.scan.current_master == second
    assert (second.number, second.supersedes) == (3, first)
    assert [v.pk for v in queries.lineage(ada, made)] == [first.pk, made.pk]


def _facts() -> Facts:
    return Facts(mime="image/tiff", width=64, height=48, bands=3, bits=8, colour="rgb")


def test_of_ever_so_many_mistakes_thirty_are_named() -> None:
    with pytest.raises(DescriptionError) as error:
        clean({f"x{n}": "a" for n in range(100_000)} | {"title": "y"})
    assert [fault.field for fault in error.value.faults] == [f"x{n}" for n in range(30)]
    with pytest.raises(DescriptionError) as error:
        clean({"title": [{"value": n} for n in range(150)]})
    assert len(error.value.faults) == 30
