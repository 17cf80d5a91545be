"""Who may do what: one function per question, asked alike by pages, API, tiles and files.

Roles are held per collection and inherited down the tree, with one exception: a collection that is private in its own
right (`Collection.private_root`) admits only roles given on it or below, and admins of the whole archive.

Questions about many rows return a `Q`, questions about one row a `bool`; both are built from the same `Holdings`.
What a person may not see is answered with 404, so a page asks `visible_…` first and `may_…` second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import BooleanField, Case, Q, When
from django.utils import timezone

from archive.accounts.models import Membership, Role, User
from archive.catalogue.models import Collection, Item, Version

Person: TypeAlias = User | AnonymousUser

RANK = {Role.READER: 0, Role.ARCHIVIST: 1, Role.CURATOR: 2, Role.ADMIN: 3}
NOBODY = Q(pk__in=[])
EVERYBODY = ~NOBODY


@dataclass(frozen=True)
class Holding:
    """One role held: `collection` None means the whole archive; `path` is that collection's path from the root."""

    role: str
    collection: UUID | None
    path: tuple[UUID, ...]


@dataclass(frozen=True)
class Holdings:
    """All the roles a person holds, loaded once per request and kept on the user object."""

    all: tuple[Holding, ...]

    @property
    def is_admin(self) -> bool:
        return any(holding.role == Role.ADMIN for holding in self.all)

    def at_least(self, role: str) -> list[Holding]:
        return [holding for holding in self.all if RANK[Role(holding.role)] >= RANK[Role(role)]]


def holdings(person: Person) -> Holdings:
    """Load a person's roles, once per user object (a request has one)."""
    if not person.is_authenticated or not person.is_active:
        return Holdings(())
    known = getattr(person, "_holdings", None)
    if known is None:
        rows = Membership.objects.filter(user=person).values_list("role", "collection_id", "collection__path")
        known = Holdings(tuple(Holding(role, where, tuple(path or ())) for role, where, path in rows))
        person._holdings = known  # type: ignore[attr-defined]
    return known


# ---- collections ------------------------------------------------------------------------------------------------


def own_collections(person: Person, role: str) -> Q:
    """Collections in which a person holds at least this role, given there or inherited."""
    held = holdings(person)
    if held.is_admin:
        return EVERYBODY
    wanted = NOBODY
    for holding in held.at_least(role):
        if holding.collection is None:
            wanted |= Q(private_root=None)
        else:
            wanted |= Q(path__contains=[holding.collection]) & (
                Q(private_root=None) | Q(private_root__in=list(holding.path))
            )
    return wanted


def visible_collections(person: Person) -> Q:
    """Public collections whose embargo, if any, is over; and those a person works in."""
    return public_collections() | own_collections(person, Role.ARCHIVIST)


def public_collections() -> Q:
    return Q(effective_access=Collection.Access.PUBLIC) & (
        Q(effective_embargo_until=None) | Q(effective_embargo_until__lte=today())
    )


def holds(person: Person, role: str, collection: Collection) -> bool:
    """Does the person hold at least this role in the collection?"""
    held = holdings(person)
    if held.is_admin:
        return True
    return any(_reaches(holding, collection) for holding in held.at_least(role))


def may_see_collection(person: Person, collection: Collection) -> bool:
    return _is_public(collection) or holds(person, Role.ARCHIVIST, collection)


def may_describe(person: Person, collection: Collection) -> bool:
    """Upload into the collection and edit what is described in it."""
    return holds(person, Role.ARCHIVIST, collection)


may_upload = may_describe


def may_review(person: Person, collection: Collection) -> bool:
    """Approve, reject, publish and withdraw derivatives; compose exhibits."""
    return holds(person, Role.CURATOR, collection)


def may_steer_trial(person: Person, made_by: UUID) -> bool:
    """Close a trial, and see what came out without having judged: whoever made it, or an admin."""
    return is_admin(person) or (person.is_authenticated and person.pk == made_by)


def may_compose(person: Person) -> bool:
    """Compose exhibits: curators, wherever they curate; what they may hang is what they may see."""
    return bool(holdings(person).at_least(Role.CURATOR))


def may_order(person: Person, collections: Iterable[Collection], count: int, *, limit: int) -> bool:
    """Order derivatives of `count` versions from these collections; past `limit` it is bulk work, for admins."""
    if is_admin(person):
        return True
    return count <= limit and all(holds(person, Role.ARCHIVIST, collection) for collection in collections)


def may_order_at_all(person: Person) -> bool:
    return bool(holdings(person).at_least(Role.ARCHIVIST))


def is_admin(person: Person) -> bool:
    """Bulk jobs, undo, workers, system, dispose, people."""
    return holdings(person).is_admin


def is_staff_anywhere(person: Person) -> bool:
    return bool(holdings(person).at_least(Role.ARCHIVIST))


def may_administer_collection(person: Person, collection: Collection) -> bool:
    """Change a collection's access and AI policy."""
    return is_admin(person)


# ---- items and versions -----------------------------------------------------------------------------------------


def visible_items(person: Person) -> Q:
    """Items whose collection is visible; sensitive ones only to those who work in the collection."""
    own = Collection.objects.filter(own_collections(person, Role.ARCHIVIST))
    public = Collection.objects.filter(public_collections())
    return Q(collection__in=own) | (Q(collection__in=public) & Q(sensitive=False))


@dataclass(frozen=True)
class Sight:
    """As `visible_items`, by collection: items of `own` are all seen, of the others only those not sensitive."""

    collections: Mapping[UUID, Collection]
    own: frozenset[UUID]

    def sees(self, collection: UUID, *, sensitive: bool) -> bool:
        return collection in self.own or (collection in self.collections and not sensitive)


def sight(person: Person) -> Sight:
    """The collections a person sees, and in which of them everything: one query."""
    own = When(own_collections(person, Role.ARCHIVIST), then=True)
    rows = Collection.objects.filter(visible_collections(person)).annotate(
        is_own=Case(own, default=False, output_field=BooleanField())
    )
    found = {row.pk: row for row in rows.order_by("title", "pk")}
    return Sight(found, frozenset(pk for pk, row in found.items() if row.is_own))


def may_see_item(person: Person, item: Item) -> bool:
    if holds(person, Role.ARCHIVIST, item.collection):
        return True
    return _is_public(item.collection) and not item.sensitive


def visible_versions(person: Person) -> Q:
    """Versions of visible items: masters, published derivatives, and for staff of the collection all others too."""
    own = Collection.objects.filter(own_collections(person, Role.ARCHIVIST))
    public = Collection.objects.filter(public_collections())
    shown = Q(role=Version.Role.MASTER) | Q(review__state="published")
    return Q(scan__item__collection__in=own) | (
        Q(scan__item__collection__in=public) & Q(scan__item__sensitive=False) & shown
    )


def may_see_version(person: Person, version: Version) -> bool:
    """As `visible_versions`, for one row (expects scan, item, collection and review to be loaded)."""
    item = version.scan.item
    if holds(person, Role.ARCHIVIST, item.collection):
        return True
    if not may_see_item(person, item):
        return False
    return version.is_master or (hasattr(version, "review") and version.review.state == "published")


# ---- jobs -------------------------------------------------------------------------------------------------------


def visible_jobs(person: Person) -> Q:
    """One's own jobs, while one may order anywhere; an admin sees all."""
    if is_admin(person):
        return EVERYBODY
    return Q(ordered_by=person.pk) if may_order_at_all(person) else NOBODY


def may_steer_job(person: Person, ordered_by: UUID) -> bool:
    """Pause, resume, cancel and retry: the person who ordered it, while they may order anywhere, or an admin."""
    return is_admin(person) or (may_order_at_all(person) and person.pk == ordered_by)


def may_keep_standing_orders(person: Person) -> bool:
    """Give, pause and end standing orders: they are bulk work that nobody looks at when it begins."""
    return is_admin(person)


# ---- saved recipes ----------------------------------------------------------------------------------------------


def may_save_recipes(person: Person) -> bool:
    """Save a recipe under a name, and see the saved ones: whoever orders anywhere. A name gives no right by itself;
    what it stands for may be ordered by whoever could have asked for it without a name."""
    return may_order_at_all(person)


def visible_saved_recipes(person: Person) -> Q:
    """Those of everybody, but of those with a style picture only where that may be seen: it could not be ordered
    otherwise, and a proof would show it."""
    if not may_save_recipes(person):
        return NOBODY
    return Q(reference=None) | Q(reference__in=Version.objects.filter(visible_versions(person)))


def may_remove_saved_recipe(person: Person, saved_by: UUID) -> bool:
    """Take a saved recipe off the list: whoever saved it, while they still work here, or an admin."""
    return is_admin(person) or (may_save_recipes(person) and person.pk == saved_by)


def today() -> date:
    return timezone.localdate()


def _is_public(collection: Collection) -> bool:
    over = collection.effective_embargo_until is None or collection.effective_embargo_until <= today()
    return collection.effective_access == Collection.Access.PUBLIC and over


def _reaches(holding: Holding, collection: Collection) -> bool:
    if holding.collection is None:
        return collection.private_root is None
    if holding.collection not in collection.path:
        return False
    return collection.private_root is None or collection.private_root in holding.path
