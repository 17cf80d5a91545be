"""Collections: the tree, and what access and AI policy hold in it."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.catalogue.description import clean
from archive.catalogue.errors import CollectionError
from archive.catalogue.models import Collection, Event
from archive.catalogue.services.events import agent_of, record

CHANGEABLE = {"title", "description", "level", "access", "embargo_until", "ai_policy", "parent"}


@transaction.atomic
def create_collection(
    ref: str,
    *,
    title: str,
    by: User | None,
    parent: Collection | None = None,
    access: str | None = None,
    **more: Any,
) -> Collection:
    """Create a collection; one without a parent is private unless said otherwise, one with a parent inherits.

    Raises:
        CollectionError: the reference is taken, a value is none of the choices or no date, or a root was to inherit its
            access.
    """
    access = access or (Collection.Access.INHERIT if parent else Collection.Access.PRIVATE)
    if parent is None and access == Collection.Access.INHERIT:
        raise CollectionError(
            _("A collection at the top cannot inherit its access: choose public, staff or private.")
        )
    more["description"] = clean(more.get("description", {}))
    checked = _checked(more | {"ref": ref, "title": title, "access": access})
    try:
        with transaction.atomic():
            collection = Collection.objects.create(parent=parent, created_by=by, **checked)
    except IntegrityError as error:
        raise CollectionError(_("There is a collection with the reference “%s” already.") % ref) from error
    refresh_tree(collection)
    record(
        Event.Type.ACCESS_CHANGE,
        about=[("subject", collection)],
        by=agent_of(by),
        detail=_access_of(collection),
    )
    return collection


@transaction.atomic
def change_collection(collection: Collection, *, by: User | None, **changes: Any) -> Collection:
    """Change some of `CHANGEABLE`; what holds below it follows at once, in the same transaction.

    Raises:
        CollectionError: an unknown field, a value that is none of the choices or no date, a loop in the tree, or a root
            that was to inherit its access.
    """
    if unknown := changes.keys() - CHANGEABLE:
        raise CollectionError(
            _("A collection has no “%s” that could be changed.") % ", ".join(sorted(unknown))
        )
    if "description" in changes:
        changes["description"] = clean(changes["description"])
    collection = Collection.objects.select_for_update().get(pk=collection.pk)
    before = _access_of(collection)
    for name, value in _checked(changes).items():
        setattr(collection, name, value)
    if collection.parent and collection.pk in collection.parent.path:
        raise CollectionError(
            _("“%s” lies inside this collection: it cannot also hold it.") % collection.parent
        )
    if collection.parent is None and collection.access == Collection.Access.INHERIT:
        raise CollectionError(
            _("A collection at the top cannot inherit its access: choose public, staff or private.")
        )
    collection.save()
    refresh_tree(collection)
    after = _access_of(collection)
    if before != after:
        record(
            Event.Type.ACCESS_CHANGE,
            about=[("subject", collection)],
            by=agent_of(by),
            detail={"before": before, "after": after},
        )
    return collection


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The values as their columns hold them. Raises CollectionError naming the first that its column cannot."""
    checked = dict(values)
    for name in checked.keys() - {"parent", "description"}:
        column = Collection._meta.get_field(name)
        try:
            checked[name] = column.clean(values[name], None)  # type: ignore[union-attr]
        except (ValidationError, TypeError) as problem:  # a number where a date should be is a TypeError
            why = problem.messages if isinstance(problem, ValidationError) else [str(problem)]
            told = {"what": column.verbose_name, "why": " ".join(why)}  # type: ignore[union-attr]
            raise CollectionError(_("%(what)s: %(why)s") % told) from problem
    return checked


def refresh_tree(collection: Collection) -> None:
    """Work out path, access, embargo and AI policy for a collection and everything below it."""
    _inherit(collection, collection.parent)
    collection.save()
    for child in _children(collection):
        child.parent = collection  # the instance just worked out, not the row as it was read
        refresh_tree(child)


def _children(collection: Collection) -> Iterable[Collection]:
    return Collection.objects.filter(parent=collection)


def _inherit(collection: Collection, parent: Collection | None) -> None:
    own_access = collection.access != Collection.Access.INHERIT
    collection.path = [*(parent.path if parent else []), collection.pk]
    collection.effective_access = (
        collection.access if own_access or parent is None else parent.effective_access
    )
    collection.effective_embargo_until = _later(
        collection.embargo_until, parent.effective_embargo_until if parent else None
    )
    if collection.ai_policy != Collection.AIPolicy.INHERIT or parent is None:
        inherits = collection.ai_policy == Collection.AIPolicy.INHERIT
        collection.effective_ai_policy = Collection.AIPolicy.ALLOWED if inherits else collection.ai_policy
    else:
        collection.effective_ai_policy = parent.effective_ai_policy
    if collection.access == Collection.Access.PRIVATE:
        collection.private_root = collection.pk
    elif own_access:
        collection.private_root = None  # opened again below a private collection, on purpose
    else:
        collection.private_root = parent.private_root if parent else None


def _later(one: date | None, other: date | None) -> date | None:
    return max(one, other) if one and other else one or other


def _access_of(collection: Collection) -> dict[str, str | None]:
    embargo = collection.effective_embargo_until
    return {
        "access": collection.effective_access,
        "embargo_until": embargo.isoformat() if embargo else None,
        "ai_policy": collection.effective_ai_policy,
    }
