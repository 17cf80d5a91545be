"""The people of the archive, for admins: accounts and roles; and one's own account and password, for everybody."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as signing
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from archive.accounts import permissions, services
from archive.accounts.models import Membership, Role, User
from archive.catalogue.models import Collection

MOST = 200


@login_required
def people(request: HttpRequest) -> HttpResponse:
    """GET: everybody, or whom `q` finds. POST: one more, who is then invited."""
    by = _admin(request)
    said = request.POST
    if request.method == "POST":
        try:
            with transaction.atomic():
                person = services.add_person(
                    said.get("username", ""), name=said.get("name", ""), email=said.get("email", ""), by=by
                )
                if role := said.get("role", ""):
                    services.give_role(person, role, collection=None, by=by)
        except (services.AccountProblem, services.RoleProblem) as problem:
            messages.error(request, str(problem))
        else:
            return _invited(request, person, by)
    words = _plain(request.GET.get("q", ""))
    found = User.objects.order_by("-is_active", "username").prefetch_related("memberships__collection")
    if words:
        found = found.filter(
            Q(username__icontains=words) | Q(display_name__icontains=words) | Q(email__icontains=words)
        )
    context = {
        "people": found[:MOST], "count": found.count(), "most": MOST, "words": words, "said": said,
        "roles": Role.choices,
    }  # fmt: skip
    return render(request, "accounts/people.html", context)


@login_required
def person(request: HttpRequest, person_id: Any) -> HttpResponse:
    """GET: an account and its roles. POST: one form at a time, told apart by `what`."""
    by = _admin(request)
    found = get_object_or_404(User, pk=person_id)
    if request.method != "POST":
        return _account(request, found)
    if request.POST.get("what") == "invite":
        return _invited(request, found, by)
    try:
        _change(request, found, by)
    except (services.AccountProblem, services.RoleProblem) as problem:
        messages.error(request, str(problem))
    return redirect("accounts:person", person_id=found.pk)


def _change(request: HttpRequest, found: User, by: User) -> None:
    form = request.POST
    what = form.get("what")
    if what == "account":
        services.change_person(found, name=form.get("name", ""), email=form.get("email", ""), by=by)
        messages.success(request, _("The account was changed."))
    elif what in {"close", "open"}:
        services.let_in(found, active=what == "open", by=by)
        messages.success(
            request,
            _("%s may sign in again.") % found if what == "open" else _("%s can no longer sign in.") % found,
        )
    elif what == "give":
        ref = _plain(form.get("collection", ""))
        place = Collection.objects.filter(ref=ref).first() if ref else None
        if ref and place is None:
            raise services.RoleProblem(_("There is no collection “%s”.") % ref[:60])
        services.give_role(found, form.get("role", ""), collection=place, by=by)
        messages.success(request, _("%s has the role now.") % found)
    elif what == "take":
        number = form.get("membership", "")
        row = get_object_or_404(
            Membership, pk=int(number) if number.isdecimal() and len(number) < 19 else 0, user=found
        )
        services.take_role(row, by=by)
        messages.success(request, _("The role was taken away."))


@never_cache
def _invited(request: HttpRequest, found: User, by: User) -> HttpResponse:
    """The person's page with a link to choose a password: shown this once, kept nowhere."""
    if not found.is_active:
        messages.error(request, _("Let %s sign in again first.") % found)
        return redirect("accounts:person", person_id=found.pk)
    link = request.build_absolute_uri(services.invitation(found, by=by))
    return _account(request, found, invitation=link)


def _account(request: HttpRequest, found: User, invitation: str = "") -> HttpResponse:
    context = {
        "person": found, "invitation": invitation, "roles": Role.choices,
        "memberships": found.memberships.select_related("collection").order_by("collection__title", "pk"),
        "collections": Collection.objects.order_by("title")[:500],
    }  # fmt: skip
    return render(request, "accounts/person.html", context)


def _plain(text: str) -> str:
    """Without what the database does not hold."""
    return text.replace("\0", "").strip()


def _admin(request: HttpRequest) -> User:
    if not permissions.is_admin(request.user):
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user


class Own(LoginRequiredMixin, signing.PasswordChangeView):
    """One's own account: what one is called, which roles one has, another password."""

    template_name = "accounts/own.html"
    success_url = reverse_lazy("accounts:own")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("From now on the new password holds."))
        answer = super().form_valid(form)
        services.note_password(form.user)
        return answer

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        assert isinstance(self.request.user, User)  # noqa: S101  (LoginRequiredMixin)
        roles = self.request.user.memberships.select_related("collection").order_by("collection__title", "pk")
        return super().get_context_data(memberships=roles, **more)


class ChoosePassword(signing.PasswordResetConfirmView):
    """Where an invitation leads: a password is chosen, and its owner signed in with it."""

    template_name = "accounts/choose_password.html"
    post_reset_login = True
    success_url = reverse_lazy("catalogue:home")
    title = gettext_lazy("Choose a password")

    def get_user(self, uidb64: str) -> User | None:
        found = super().get_user(uidb64)
        return found if isinstance(found, User) and found.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        services.note_password(form.user)
        return answer
