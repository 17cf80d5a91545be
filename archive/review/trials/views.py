"""Trials: the list, a new one, judging one scan after the other, and what came out."""

import csv
import io
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Collection
from archive.catalogue.sheets.cells import guarded
from archive.review.queries import curated
from archive.review.trials import queries, services
from archive.review.trials.models import Trial
from archive.review.trials.naming import names
from archive.review.trials.result import result

AHEAD = 3  # pairs that stand ready behind the one on show
MOST_TRIALS = 100
USUAL = 30  # scans, where nothing else is asked for
QUESTION = gettext_lazy("Which is the better restoration?")
SCAN = "scan"


@login_required
@require_safe
def trials(request: HttpRequest) -> HttpResponse:
    """The trials of the collections the person judges in, newest first."""
    _judge_somewhere(request)
    found = list(queries.trials_for(request.user)[:MOST_TRIALS])
    done = queries.done_by(request.user, found)
    called = names([r for trial in found for r in (trial.recipe_a, trial.recipe_b) if r is not None])
    rows = [(trial, _sides(trial, called), done.get(trial.pk, 0)) for trial in found]
    return render(request, "review/trials.html", {"trials": rows})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET: first a collection, then what was made there to choose two sides from. POST: the trial, frozen."""
    collections = _judge_somewhere(request)
    given = request.POST if request.method == "POST" else request.GET
    place = next((one for one in collections if one.ref == given.get("collection", "")), None)
    if given.get("collection") and place is None:
        raise Http404
    if request.method == "POST" and place is not None:
        try:
            made = services.make(place, _asked(request), by=_person(request))
        except services.TrialProblem as problem:
            messages.error(request, str(problem))
        else:
            messages.success(request, _("The trial is ready to be judged."))
            return redirect("review:trial", made.pk)
    context = {
        "collections": collections,
        "place": place,
        "offered": queries.offered(place) if place else [],
        "given": given,
        "question": given.get("question", QUESTION),
        "most": given.get("most", USUAL),
        "at_most": services.MOST,
        "longest": services.LONGEST_QUESTION,
        "SCAN": SCAN,
    }
    return render(request, "review/trial_new.html", context)


@login_required
@require_safe
def trial(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """What a trial asks, and to who may see it what came out."""
    found = _trial(request, trial_id)
    place = queries.place_of(request.user, found)
    shown = queries.may_see_result(request.user, found, place)
    context = {
        "trial": found,
        "place": place,
        "sides": _sides(found, names([r for r in (found.recipe_a, found.recipe_b) if r is not None])),
        "result": result(found) if shown else None,
        "judging": 0 if found.closed else queries.judging(found).count(),
        "may_steer": permissions.may_steer_trial(request.user, found.created_by_id),
    }
    return render(request, "review/trial.html", context)


@login_required
@require_safe
def votes(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """Every counted vote as CSV, with what stood on the left; 404 for who may not see the result yet."""
    found = _trial(request, trial_id)
    if not queries.may_see_result(request.user, found, queries.place_of(request.user, found)):
        raise Http404
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["title", "source", "a", "b", "person", "left", "choice", "at"])
    rows = queries.counted_votes(found).select_related("sitting__person", "pair__source__scan__item")
    for vote in rows:
        pair = vote.pair
        title, person = guarded(pair.source.scan.item.title), guarded(str(vote.sitting.person))
        writer.writerow(
            [title, pair.source_id, pair.a_id, pair.b_id, person, vote.left, vote.choice, vote.at.isoformat()]
        )
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="trial-{found.pk}.csv"'
    return answer


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def judge(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """GET: the next pair. POST: which of the two is better; JSON with the pairs after it for the page's script."""
    found = _trial(request, trial_id)
    if request.method == "POST":
        return _vote(request, found)
    place = queries.place_of(request.user, found)
    if found.closed or place.is_finished:
        return redirect("review:trial", found.pk)
    context = {
        "trial": found,
        "place": place,
        "pairs": queries.ahead(_person(request), found, most=AHEAD),
    }
    return render(request, "review/judge.html", context)


@login_required
@require_POST
def undo(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """Take back one's last vote; JSON with its pair for the script, else back to it."""
    found = _trial(request, trial_id)
    try:
        pair = services.undo(found, by=_person(request))
    except services.TrialProblem as problem:
        return _refused(request, found, problem)
    if not request.accepts("text/html"):
        return _told(request, found, queries.blind(_person(request), found, [pair.pk]))
    return redirect("review:judge", found.pk)


@login_required
@require_POST
def finish(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """One's votes stand from now on, and one sees what came out."""
    found = _trial(request, trial_id)
    try:
        services.finish(found, by=_person(request))
    except services.TrialProblem as problem:
        return _refused(request, found, problem)
    return redirect("review:trial", found.pk)


@login_required
@require_POST
def close(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """Nobody judges any more; all who could see what came out."""
    found = _trial(request, trial_id)
    if not permissions.may_steer_trial(request.user, found.created_by_id):
        raise Http404
    services.close(found)
    messages.success(request, _("The trial is closed."))
    return redirect("review:trial", found.pk)


def _vote(request: HttpRequest, found: Trial) -> HttpResponse:
    pair = _whole(request.POST.get("pair"))
    try:
        services.vote(found, pair, request.POST.get("choice", ""), by=_person(request))
    except services.TrialProblem as problem:
        return _refused(request, found, problem)
    if not request.accepts("text/html"):
        here = [number for number in map(_whole, request.POST.getlist("here")) if number]
        return _told(request, found, queries.ahead(_person(request), found, most=AHEAD, without=here))
    return redirect("review:judge", found.pk)


def _told(request: HttpRequest, found: Trial, pairs: list[queries.Blind]) -> JsonResponse:
    place = queries.place_of(request.user, found)
    page = render_to_string("review/_trial_pairs.html", {"pairs": pairs, "trial": found}, request)
    return JsonResponse({"done": place.done, "total": place.total, "pairs": page})


def _refused(request: HttpRequest, found: Trial, problem: services.TrialProblem) -> HttpResponse:
    if not request.accepts("text/html"):
        body = {"problem": {"code": problem.code, "sentence": str(problem)}}
        return JsonResponse(body, status=409)
    messages.error(request, str(problem))
    return redirect("review:judge", found.pk)


def _asked(request: HttpRequest) -> services.Asked:
    second = request.POST.get("b", "")
    return services.Asked(
        question=request.POST.get("question", ""),
        recipe_a=request.POST.get("a", ""),
        recipe_b=None if second == SCAN else second,
        most=_whole(request.POST.get("most")),
    )


def _sides(found: Trial, called: dict[str, str]) -> list[tuple[str, str]]:
    """`(letter, name)` of both sides."""
    second = called[found.recipe_b_id] if found.recipe_b_id else _("the scan, untouched")
    return [("A", called[found.recipe_a_id]), ("B", second)]


def _trial(request: HttpRequest, trial_id: UUID) -> Trial:
    return get_object_or_404(queries.trials_for(request.user), pk=trial_id)


def _judge_somewhere(request: HttpRequest) -> list[Collection]:
    """The collections the person judges in; 404 for who judges nowhere."""
    found = list(curated(request.user).order_by("title"))
    if not found:
        raise Http404
    return found


def _whole(text: str | None) -> int:
    """A number out of a form; 0, which is nothing's, for what is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user
