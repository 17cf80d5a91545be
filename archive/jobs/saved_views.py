"""Recipes under names: the page that lists them, and saving one from the order form."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from archive.accounts import permissions
from archive.accounts.models import User
from archive.jobs import saved
from archive.jobs.orders import NotAllowed
from archive.jobs.recipes import offered
from archive.jobs.states import NotNow
from archive.jobs.terms_form import style_picture
from archive.jobs.tuning import Offer, Tuning
from stylizer.errors import StylizerError

PAST_SHOWN = 30


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Save the recipe of the form as it stands under a name; answers with the part of the form that offers it."""
    if not permissions.may_save_recipes(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    data = request.POST
    try:
        kept = saved.save(
            data.get("name", ""), Tuning.parse(data).spec(), by=request.user, note=data.get("note", ""),
            reference=style_picture(data, request.user),
        )  # fmt: skip
    except (NotAllowed, NotNow, StylizerError) as problem:
        return render(request, "jobs/_kept.html", {"problem": str(problem)})
    return render(
        request,
        "jobs/_kept.html",
        {"kept": kept, "saved": [Offer.of_saved(row) for row in saved.listed(request.user)]},
    )


@login_required
@require_safe
def recipes(request: HttpRequest) -> HttpResponse:
    """Every recipe there is: the archive's own, those people saved, and those that were taken off again."""
    if not permissions.may_save_recipes(request.user):
        raise Http404
    context = {
        "presets": offered(),
        "saved": [
            (row, saved.in_words(row), permissions.may_remove_saved_recipe(request.user, row.saved_by_id))
            for row in saved.with_uses(saved.listed(request.user))
        ],
        "past": [(row, saved.in_words(row)) for row in saved.past(request.user)[:PAST_SHOWN]],
    }
    return render(request, "jobs/recipes.html", context)


@login_required
@require_POST
def remove(request: HttpRequest, recipe_id: UUID) -> HttpResponse:
    """Take a saved recipe off the list."""
    found = get_object_or_404(saved.listed(request.user), pk=recipe_id)
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    try:
        saved.remove(found, by=request.user)
        messages.success(request, _("“%s” was taken off the list. What was made with it stays.") % found)
    except (NotNow, NotAllowed) as problem:
        messages.error(request, str(problem))
    return redirect("jobs:recipes")
