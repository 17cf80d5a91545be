"""Every route × every role × public, staff, private, embargoed, sensitive: what one may not see is 404, nothing a 500.

A new route fails this test until somebody says who may see it.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from archive.accounts.models import Role, User
from archive.catalogue.models import Collection, Edit, SavedSearch, Version
from archive.catalogue.services import change_collection
from archive.catalogue.sheets.importing import bring
from archive.exhibits.models import Entry, Exhibit
from archive.ingest.models import Upload
from archive.jobs.models import Job, JobItem, SavedRecipe, StandingOrder
from archive.review.trials.models import Trial
from tests.archive import factories

pytestmark = pytest.mark.django_db

ROLES = ("nobody", "reader", "archivist", "curator", "admin", "outsider")

# Route → roles that see it in a public collection, and in a private one ("staff": those who work there).
EVERYBODY, SIGNED_IN = set(ROLES), set(ROLES) - {"nobody"}
WORKERS = {"archivist", "curator", "admin", "outsider"}  # an outsider works too, elsewhere
STAFF = {"archivist", "curator", "admin"}
OWNER = {"archivist"}
CURATORS, ADMIN = {"curator", "admin"}, {"admin"}

Rule = tuple[set[str], set[str]]
RULES: dict[str, Rule] = {
    # about nothing in particular
    "catalogue:home": (EVERYBODY, EVERYBODY),
    "catalogue:collections": (EVERYBODY, EVERYBODY),
    "accounts:login": (EVERYBODY, EVERYBODY),
    "accounts:choose-password": (EVERYBODY, EVERYBODY),  # without a good link, a sentence that says so
    "accounts:own": (SIGNED_IN, SIGNED_IN),
    "accounts:people": (ADMIN, ADMIN),
    "accounts:person": (ADMIN, ADMIN),
    "words": (EVERYBODY, EVERYBODY),
    "admin": (EVERYBODY, EVERYBODY),  # leads to the people, who are told to admins only
    "system:live": (EVERYBODY, EVERYBODY),
    "system:ready": (EVERYBODY, EVERYBODY),
    "api:schema": (EVERYBODY, EVERYBODY),
    "api:docs": (EVERYBODY, EVERYBODY),
    "catalogue:searches": (SIGNED_IN, SIGNED_IN),
    "catalogue:search": (OWNER, OWNER),
    "catalogue:sheets": (STAFF, STAFF),
    "catalogue:table": (STAFF, STAFF),
    "catalogue:describe": (STAFF, STAFF),
    "catalogue:export": (STAFF, STAFF),
    "catalogue:sheet": (OWNER, OWNER),
    "catalogue:sheet-problems": (OWNER, OWNER),
    "catalogue:undo-edit": (set(), set()),
    "api:collections": (EVERYBODY, EVERYBODY),
    "api:items": (EVERYBODY, EVERYBODY),
    "api:scans": (EVERYBODY, EVERYBODY),
    "api:versions": (EVERYBODY, EVERYBODY),
    "api:search": (EVERYBODY, EVERYBODY),
    "api:recipes": (EVERYBODY, EVERYBODY),
    "api:models": (EVERYBODY, EVERYBODY),
    "api:recipe": (WORKERS, WORKERS),
    "api:standing-orders": (ADMIN, ADMIN),
    "api:standing-order": (ADMIN, ADMIN),
    "api:jobs": (SIGNED_IN, SIGNED_IN),
    "api:workers": (ADMIN, ADMIN),
    "ingest:upload": (WORKERS, WORKERS),
    "jobs:list": (WORKERS, WORKERS),
    "jobs:new": (WORKERS, WORKERS),
    "jobs:standing": (ADMIN, ADMIN),
    "jobs:recipes": (WORKERS, WORKERS),
    "exhibits:list": (EVERYBODY, EVERYBODY),
    "api:exhibits": (EVERYBODY, EVERYBODY),
    "exhibits:exhibit": (EVERYBODY, EVERYBODY),  # published; what hangs in it is asked for each visitor
    "api:exhibit": (EVERYBODY, EVERYBODY),
    "exhibits:edit": (CURATORS, CURATORS),
    "exhibits:find": (CURATORS, CURATORS),
    "review:queue": (CURATORS, CURATORS),
    "review:pairs": (CURATORS, CURATORS),
    "review:sheet": (CURATORS, CURATORS),
    "review:trials": (CURATORS, CURATORS),
    "review:new-trial": (CURATORS, CURATORS),
    "review:trial": (CURATORS, CURATORS),
    "review:trial-votes": (CURATORS, CURATORS),  # of a closed trial; of an open one: tests/archive/review
    "review:judge": (CURATORS, CURATORS),
    "review:trial-info": (set(), set()),  # of an open trial only: tests/archive/review
    "review:trial-picture": (set(), set()),
    "review:trial-thumbnail": (set(), set()),
    # about one collection, item or version
    "proofs:proofs": (STAFF, STAFF),
    "proofs:cards": (STAFF, STAFF),
    "proofs:styles": (STAFF, STAFF),
    "accounts:access": (STAFF, STAFF),
    "catalogue:collection": (EVERYBODY, STAFF),
    "catalogue:item": (EVERYBODY, STAFF),
    "catalogue:version": (EVERYBODY, STAFF),
    "catalogue:file": (EVERYBODY, STAFF),
    "catalogue:sidecar": (EVERYBODY, STAFF),
    "iiif:image": (EVERYBODY, STAFF),
    "iiif:info": (EVERYBODY, STAFF),
    "iiif:region": (EVERYBODY, STAFF),
    "iiif:difference": (EVERYBODY, STAFF),
    "iiif:difference-info": (EVERYBODY, STAFF),
    "iiif:thumbnail": (EVERYBODY, STAFF),
    "iiif:compare": (EVERYBODY, STAFF),
    "iiif:manifest": (EVERYBODY, STAFF),
    "iiif:collection": (EVERYBODY, STAFF),
    "iiif:collections": (EVERYBODY, EVERYBODY),
    "api:collection": (EVERYBODY, STAFF),
    "api:item": (EVERYBODY, STAFF),
    "api:version": (EVERYBODY, STAFF),
    "api:version-file": (EVERYBODY, STAFF),
    "api:version-download": (EVERYBODY, STAFF),
    "api:version-change-map": (EVERYBODY, STAFF),
    "api:version-provenance": (EVERYBODY, STAFF),
    # about one upload or job: whoever made it, and admins for jobs
    "ingest:batch": (STAFF, STAFF),  # whoever describes the collection may describe what a colleague uploaded
    "ingest:status": (OWNER, OWNER),
    "ingest:states": (SIGNED_IN, SIGNED_IN),  # one's own receipts: an empty list for who never sent anything
    "api:upload": (OWNER, OWNER),
    "jobs:job": (OWNER | ADMIN, OWNER | ADMIN),
    "jobs:progress": (OWNER | ADMIN, OWNER | ADMIN),
    "jobs:buttons": (OWNER | ADMIN, OWNER | ADMIN),
    "jobs:item": (OWNER | ADMIN, OWNER | ADMIN),
    "jobs:csv": (OWNER | ADMIN, OWNER | ADMIN),
    "jobs:sheet": (OWNER | ADMIN, OWNER | ADMIN),
    "jobs:undoing": (set(), set()),  # of a job that has ended: tests/archive/jobs
    "system:status": (ADMIN, ADMIN),
    "api:job": (OWNER | ADMIN, OWNER | ADMIN),
    "api:job-items": (OWNER | ADMIN, OWNER | ADMIN),
    # answer to POST only
    "accounts:logout": (set(), set()),
    "catalogue:save-search": (set(), set()),
    "catalogue:forget-search": (set(), set()),
    "ingest:duplicate": (set(), set()),
    "accounts:view-as": (set(), set()),
    "api:previews": (set(), set()),
    "jobs:preview": (set(), set()),
    "accounts:view-as-stop": (set(), set()),
    "ingest:check": (set(), set()),
    "ingest:use": (set(), set()),
    "api:tus": (set(), set()),
    "api:tus-upload": (set(), set()),
    "jobs:steer": (set(), set()),
    "jobs:standing-act": (set(), set()),
    "jobs:check": (set(), set()),
    "jobs:save-recipe": (set(), set()),
    "jobs:remove-recipe": (set(), set()),
    "review:decide": (set(), set()),
    "review:undo": (set(), set()),
    "review:undo-vote": (set(), set()),
    "review:finish-trial": (set(), set()),
    "review:close-trial": (set(), set()),
    "exhibits:new": (set(), set()),
    "api:uploads": (set(), set()),
    "api:steer-job": (set(), set()),
    "api:steer-standing-order": (set(), set()),
    "api:version-review": (set(), set()),
}
# Asks for loopback or a token instead: tests/archive/system. One's own, and gone after a while: tests/archive/jobs.
# Needs a file among the renditions: tests/archive/proofs.
ELSEWHERE = {"system:metrics", "api:preview", "api:preview-picture", "proofs:picture"}
SEEN = {200, 302, 303, 503, 286}  # 503: allowed, but its rendition is not made yet
HIDDEN = {302, 401, 403, 404, 405}


def routes(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from routes(pattern.url_patterns, inner)
        elif pattern.name:
            yield f"{space}{pattern.name}", pattern


NAMES = sorted({name for name, _pattern in routes(get_resolver().url_patterns)} - ELSEWHERE)


def test_every_route_has_a_rule() -> None:
    assert set(NAMES) == set(RULES)


class Cast:
    """People of every role, and the things routes are about."""

    def __init__(self, access: str) -> None:
        self.place = factories.collection(access=access if access in {"staff", "private"} else "public")
        if access == "embargoed":
            tomorrow = timezone.localdate() + timedelta(days=1)
            self.place = change_collection(self.place, by=None, embargo_until=tomorrow)
        self.clients: dict[str, Client] = {}
        self.people: dict[str, User | None] = {
            "nobody": None,
            "reader": factories.user("rea", Role.READER, collection=self.place),
            "archivist": factories.user("ada", Role.ARCHIVIST, collection=self.place),
            "curator": factories.user("cai", Role.CURATOR, collection=self.place),
            "admin": factories.user("odo", Role.ADMIN),
            "outsider": factories.user(
                "max", Role.ARCHIVIST, collection=factories.collection(access="private")
            ),
        }
        self.version: Version = factories.derivative(factories.master(self.place), state="published")
        if access == "sensitive":
            item = self.version.scan.item
            item.sensitive = True
            item.save()
        ada = self.people["archivist"]
        assert ada is not None
        self.job = Job.objects.create(
            title="x", recipe=factories.recipe(), ordered_by=ada, state=Job.State.RUNNING
        )
        self.job_item = JobItem.objects.create(job=self.job, source=self.version, position=1)
        recipe = factories.recipe()
        self.standing = StandingOrder.objects.create(collection=self.place, preset="x", ordered_by=ada)
        self.recipe = SavedRecipe.objects.create(name=f"r-{self.place.ref}", recipe=recipe, saved_by=ada)
        self.exhibit = Exhibit.objects.create(
            slug=f"e-{self.place.ref}", title="x", created_by=ada, state="published"
        )
        Entry.objects.create(exhibit=self.exhibit, version=self.version, position=0)
        self.upload = Upload.objects.create(
            filename="x", collection=self.place, by=ada, state="refused", code="x"
        )
        self.batch = uuid4()
        Upload.objects.create(
            filename="x", collection=self.place, by=ada, state="catalogued", batch=self.batch,
            item=self.version.scan.item,
        )  # fmt: skip

        made_by = self.version.recipe
        assert made_by is not None
        self.trial = Trial.objects.create(
            collection=self.place, question="x", recipe_a=made_by, created_by=ada, closed=timezone.now()
        )
        self.sheet = bring(b"identifier,title\na,b\n", filename="x.csv", collection=self.place, by=ada)
        self.edit = Edit.objects.create(kind="table", collection=self.place, by=ada)
        self.search = SavedSearch.objects.create(by=ada, title="x", query="q=x")

    def address(self, name: str) -> str:
        from django.urls import reverse

        values: dict[str, object] = {
            "ref": self.place.ref,
            "item_id": self.version.scan.item_id,
            "version_id": self.version.pk,
            "slug": self.exhibit.slug,
            "job_id": self.job.pk,
            "order_id": self.standing.pk,
            "recipe_id": self.recipe.pk,
            "upload_id": self.upload.pk,
            "batch": self.batch,
            "sheet_id": self.sheet.pk,
            "edit_id": self.edit.pk,
            "search_id": self.search.pk,
            "trial_id": self.trial.pk,
            "pair_id": 1,
            "side": "left",
            "person_id": self.job.ordered_by_id,
            "uidb64": "eA",
            "token": "none",
            "kind": "change_map",
            "width": 480,
            "action": "pause",
            "region": "full",
            "size": "max",
            "rotation": "0",
            "quality": "default",
            "extension": "jpg",
        }
        pattern = next(p for n, p in routes(get_resolver().url_patterns) if n == name)
        needed = pattern.pattern.converters
        if name == "jobs:item":
            values["item_id"] = self.job_item.pk
        values |= {"extension": "csv"} if name == "catalogue:export" else {}
        return reverse(name, kwargs={key: values[key] for key in needed})

    def client(self, role: str) -> Client:
        if role not in self.clients:
            client = self.clients[role] = Client(raise_request_exception=False)
            if person := self.people[role]:
                client.force_login(person)
        return self.clients[role]


# In a public collection a sensitive item is as if it lay in a private one; its collection is as before.
ABOUT_THE_COLLECTION = {"catalogue:collection", "iiif:collection", "api:collection", "accounts:access"}


@pytest.mark.parametrize("access", ["public", "staff", "private", "embargoed", "sensitive"])
def test_each_role_sees_what_it_may_and_nothing_else(access: str, portraits: Collection) -> None:
    cast = Cast(access)
    wrong = []
    for name in NAMES:
        closed = access != "public" and not (access == "sensitive" and name in ABOUT_THE_COLLECTION)
        allowed = RULES[name][closed]
        address = cast.address(name)
        for role in ROLES:
            answer = cast.client(role).get(address)
            to_login = answer.status_code == 302 and "/accounts/login" in answer.headers.get("Location", "")
            seen = answer.status_code in SEEN and not to_login
            if (
                answer.status_code == 500
                or seen != (role in allowed)
                or not (seen or answer.status_code in HIDDEN)
            ):
                wrong.append(f"{name} as {role} ({access}): {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ROLES)
def test_only_curators_of_the_collection_decide(role: str, portraits: Collection) -> None:
    cast = Cast("public")
    answer = cast.client(role).post(cast.address("review:decide"), {"decision": "unpublish"})
    cast.version.review.refresh_from_db()
    assert (cast.version.review.state == "approved") == (role in CURATORS), answer.status_code


def test_a_draft_is_staffs_business(portraits: Collection) -> None:
    cast = Cast("public")
    cast.version = factories.derivative(
        cast.version.derived_from or cast.version, of=factories.recipe(strength="0.3")
    )
    for name in (
        "catalogue:version",
        "catalogue:file",
        "iiif:info",
        "iiif:region",
        "iiif:compare",
        "api:version",
    ):
        for role in ROLES:
            found = cast.client(role).get(cast.address(name)).status_code in SEEN
            assert found == (role in STAFF), f"{name} as {role}"


def test_a_sensitive_item_is_withheld_on_the_server(portraits: Collection) -> None:
    cast = Cast("public")
    item = cast.version.scan.item
    item.sensitive = True
    item.save()
    for name in ("catalogue:item", "catalogue:file", "iiif:thumbnail", "iiif:region", "api:version-file"):
        assert cast.client("nobody").get(cast.address(name)).status_code == 404, name
        assert cast.client("archivist").get(cast.address(name)).status_code in SEEN, name
