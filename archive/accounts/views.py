"""The page of a collection's access: what holds, who can do what, giving and taking roles, and looking as somebody."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from archive.accounts import access, permissions, services, view_as
from archive.accounts.models import Membership, Role, User
from archive.catalogue.errors import CatalogueError
from archive.catalogue.models import Collection
from archive.catalogue.services import change_collection
from archive.ids import as_uuid
from archive.review.models import ReviewPolicy
from archive.review.policy import policy_of, set_policy
from archive.review.standing import DecisionRefused

HEADINGS = (
    gettext_lazy("see"),
    gettext_lazy("see drafts"),
    gettext_lazy("upload, describe"),
    gettext_lazy("order"),
    gettext_lazy("judge, publish"),
    gettext_lazy("administer"),
)


@login_required
def collection_access(request: HttpRequest, ref: str) -> HttpResponse:
    """GET: for those who work in the collection. POST: for admins, one form at a time."""
    collection = get_object_or_404(
        Collection.objects.filter(permissions.own_collections(request.user, Role.ARCHIVIST)).select_related(
            "parent"
        ),
        ref=ref,
    )
    may_change = permissions.may_administer_collection(request.user, collection)
    if request.method == "POST":
        if not may_change:
            raise Http404
        try:
            _change(request, collection)
        except (CatalogueError, DecisionRefused, services.RoleProblem, ValueError) as problem:
            messages.error(request, str(problem))
        return redirect("accounts:access", ref=ref)
    context = {
        "collection": collection,
        "above": list(Collection.objects.filter(pk__in=collection.path[:-1])),
        "lines": access.table(collection),
        "headings": HEADINGS,
        "withheld": access.withheld(collection),
        "policy": policy_of(collection),
        "own_policy": ReviewPolicy.objects.filter(pk=collection.pk).first(),
        "may_change": may_change,
        "accesses": Collection.Access.choices,
        "ai_policies": Collection.AIPolicy.choices,
        "own_orders": ReviewPolicy.OwnOrders.choices,
        "roles": [(value, label) for value, label in Role.choices if value != Role.ADMIN],
        "people": User.objects.filter(is_active=True).order_by("username")[:500] if may_change else [],
    }
    return render(request, "accounts/access.html", context)


@login_required
@require_POST
def begin_view_as(request: HttpRequest) -> HttpResponse:
    """See the archive as somebody; `person` is an id, or `visitor`."""
    if not permissions.is_admin(request.user):
        raise Http404
    said = request.POST.get("person", "")
    whom = None if said == view_as.VISITOR else get_object_or_404(User, pk=as_uuid(said), is_active=True)
    view_as.begin(request, whom)
    return redirect("catalogue:home")


@login_required
@require_POST
def stop_view_as(request: HttpRequest) -> HttpResponse:
    view_as.stop(request)
    return redirect("catalogue:collections")


def _change(request: HttpRequest, collection: Collection) -> None:
    form, by = request.POST, request.user
    assert isinstance(by, User)  # noqa: S101  (login_required)
    what = form.get("what")
    if what == "access":
        change_collection(collection, by=by, **_chosen(form))
        set_policy(
            collection,
            approvals=int(form["approvals"]) if form.get("approvals") in {"1", "2"} else None,
            own_orders=form.get("own_orders", ""),
            by=by,
        )
        messages.success(request, _("What holds here and below was changed."))
    elif what == "give":
        person = get_object_or_404(User, username=form.get("person", ""), is_active=True)
        services.give_role(person, form.get("role", ""), collection=collection, by=by)
        messages.success(request, _("%s has the role now.") % person)
    elif what == "take":
        number = form.get("membership", "")
        row = get_object_or_404(
            Membership,
            pk=int(number) if number.isdecimal() and len(number) < 19 else 0,
            collection=collection,
        )
        services.take_role(row, by=by)
        messages.success(request, _("The role was taken away."))


def _chosen(form: Any) -> dict[str, Any]:
    """The access form's fields. Raises ValueError with a sentence for what is none of the choices."""
    wanted = {"access": Collection.Access, "ai_policy": Collection.AIPolicy}
    for name, choices in wanted.items():
        if form.get(name) not in choices.values:
            raise ValueError(_("“%s” is no choice here.") % form.get(name, "")[:40])
    day = form.get("embargo_until", "").strip()
    try:
        until = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise ValueError(_("Expected a date such as 2030-01-31, got “%s”.") % day[:40]) from error
    return {"access": form["access"], "ai_policy": form["ai_policy"], "embargo_until": until}
