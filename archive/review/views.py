"""Judging: one pair after the other by keyboard, many at once on a contact sheet, or one from its own page."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue import queries as catalogue
from archive.catalogue.models import Collection, Version
from archive.ids import as_uuid
from archive.review import pairs as pairing
from archive.review import queries, services
from archive.review.models import Decision, Review

PART = 6  # pairs a request: a few ahead of who judges, never the whole queue
SHEET = 60
REASONS = (
    gettext_lazy("It invents what is not in the scan"),
    gettext_lazy("A face was changed"),
    gettext_lazy("Writing was changed"),
    gettext_lazy("Tone or colour is wrong"),
    gettext_lazy("Too smooth: grain or detail is lost"),
    gettext_lazy("Damage is left"),
)


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """One pair, with its place in the queue; the page's script goes on from there without loading it again."""
    asked = _asked(request)
    waiting, others = queries.split(request.user, asked.queue)
    at = as_uuid(request.GET.get("at"))
    found = queries.shown(waiting.filter(pk__gte=at) if at else waiting).first()
    context = _context(request, asked) | {"total": 0}
    if found is not None:
        before = waiting.filter(pk__lt=found.pk)
        context |= waiting.order_by().aggregate(
            total=Count("pk"), earlier=Count("pk", filter=Q(pk__lt=found.pk))
        )
        context |= {
            "pair": pairing.pairs([found])[0],
            "previous": before.values_list("pk", flat=True).last() if context["earlier"] else None,
            "next": waiting.filter(pk__gt=found.pk).values_list("pk", flat=True).first(),
        }
    context["others"] = others.count() if asked.queue.state == Review.State.DRAFT else 0
    return render(request, "review/queue.html", context)


@login_required
@require_safe
def pairs(request: HttpRequest) -> HttpResponse:
    """The next few pairs (`?after=`) or the few before (`?before=`), as parts of the page."""
    waiting = queries.waiting_for(request.user, _asked(request).queue)
    after, before = as_uuid(request.GET.get("after")), as_uuid(request.GET.get("before"))
    found = pairing.pairs(queries.part(waiting, after=after, before=before, most=PART))
    return render(request, "review/_pairs.html", {"pairs": found})


@login_required
def sheet(request: HttpRequest) -> HttpResponse:
    """GET: many small pairs at once. POST: the same decision about those that were ticked."""
    asked = _asked(request)
    waiting = queries.waiting_for(request.user, asked.queue)
    if request.method == "POST":
        return _decide_many(request, waiting)
    after = as_uuid(request.GET.get("after"))
    found = pairing.pairs(queries.part(waiting, after=after, before=None, most=SHEET))
    context = _context(request, asked) | {
        "total": waiting.count(),
        "pairs": found,
        "more": found[-1].version.pk if len(found) == SHEET else None,
        "undoable": request.session.pop("sheet", []),
    }
    return render(request, "review/sheet.html", context)


@login_required
@require_POST
def decide(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Approve, reject, publish, unpublish, reopen, withdraw. JSON for the review page's script, else a page."""
    version = catalogue.version_for(request.user, version_id)
    if version is None or not permissions.may_review(request.user, version.scan.item.collection):
        raise Http404
    decision, note = request.POST.get("decision", ""), request.POST.get("note", "")
    outcome = services.decide_many([version], decision, by=_person(request), note=note)[0]
    if not request.accepts("text/html"):
        return _told(request, version_id, outcome)
    if outcome.sentence:
        messages.error(request, outcome.sentence)
    else:
        messages.success(request, _became(version_id))
    for remark in outcome.remarks:
        messages.warning(request, remark)
    return redirect(_back(request, f"/versions/{version.pk}/"))


@login_required
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back decisions of one's own, the last one first; JSON for the script, else back to the page."""
    person = _person(request)
    numbers = [int(one) for one in request.POST.getlist("decision") if one.isdecimal() and len(one) < 19]
    mine = Decision.objects.filter(
        pk__in=numbers, by=person, review__version__scan__item__collection__in=queries.curated(person)
    ).select_related("review__version__scan__item__collection")
    problems = []
    versions = []
    for decision in mine.order_by("-pk"):
        try:
            services.undo(decision, by=person)
            versions.append(decision.review_id)
        except services.DecisionRefused as refusal:
            problems.append(str(refusal))
    if not mine:
        problems.append(_("There is no decision of yours to undo."))
    if not request.accepts("text/html"):
        if problems:
            return JsonResponse({"problem": {"code": "review-refused", "sentence": problems[0]}}, status=409)
        return _told(request, versions[-1], services.Outcome(mine[0].review.version))
    for sentence in problems:
        messages.error(request, sentence)
    if versions:
        taken_back = len(set(versions))
        messages.success(
            request, ngettext("%d decision was undone.", "%d decisions were undone.", taken_back) % taken_back
        )
    return redirect(_back(request, "/review/"))


def _decide_many(request: HttpRequest, waiting: Any) -> HttpResponse:
    chosen = [one for one in map(as_uuid, request.POST.getlist("version")) if one]
    versions = waiting.filter(pk__in=chosen).select_related("scan__item__collection")
    decision = request.POST.get("decision", "")
    outcomes = services.decide_many(
        versions, decision, by=_person(request), note=request.POST.get("note", "")
    )
    done = [one for one in outcomes if not one.sentence]
    if done:
        messages.success(
            request,
            ngettext("%(n)d derivative: %(what)s.", "%(n)d derivatives: %(what)s.", len(done))
            % {"n": len(done), "what": pairing.done_words(decision)},
        )
    for one in [one for one in done if one.remarks][:20]:
        messages.warning(request, f"{one.version.scan.item.title}: {' '.join(one.remarks)}")
    for refused in [one for one in outcomes if one.sentence][:20]:
        messages.error(request, f"{refused.version.scan.item.title}: {refused.sentence}")
    if len(done) < len(chosen) and len(outcomes) < len(chosen):
        messages.error(
            request,
            _("%d of the chosen ones do not wait for you any more.") % (len(chosen) - len(outcomes)),
        )
    request.session["sheet"] = [row.pk for one in done for row in one.decisions]
    return redirect(_back(request, "/review/sheet/"))


@dataclass(frozen=True)
class Asked:
    """Which queue the address asks for, among those of the collections the person judges in."""

    queue: queries.Queue
    collections: list[Collection]


def _asked(request: HttpRequest) -> Asked:
    """404 for who judges nowhere, and for a collection not judged by them."""
    curated = list(queries.curated(request.user).order_by("title"))
    state = request.GET.get("state", Review.State.DRAFT)
    ref = request.GET.get("collection", "")
    within = next((collection for collection in curated if collection.ref == ref), None)
    if not curated or state not in queries.QUEUES or (ref and within is None):
        raise Http404
    return Asked(queries.Queue(state, within), curated)


def _context(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    here = request.GET.copy()
    for name in ("at", "after"):
        here.pop(name, None)
    return {
        "queue": asked.queue,
        "reasons": REASONS,
        "queues": [(state, Review.State(state).label) for state in queries.QUEUES],
        "collections": asked.collections,
        "here": here.urlencode(),
    }


def _told(request: HttpRequest, version_id: UUID, outcome: services.Outcome) -> JsonResponse:
    if outcome.sentence:
        body: dict[str, Any] = {"problem": {"code": "review-refused", "sentence": outcome.sentence}}
        return JsonResponse(body, status=409)
    pair = pairing.pairs([queries.shown(Version.objects.filter(pk=version_id)).get()])[0]
    state = pair.version.review.state
    return JsonResponse(
        {
            "state": state,
            "label": str(Review.State(state).label),
            "decisions": [row.pk for row in outcome.decisions],
            "sentence": " ".join([_became(version_id), *outcome.remarks]),
            "panel": render_to_string("review/_panel.html", {"pair": pair}, request),
        }
    )


def _became(version_id: UUID) -> str:
    """What a decision left a derivative as, in a sentence."""
    version = Version.objects.select_related("review", "scan__item__collection").get(pk=version_id)
    if version.review.state == Review.State.DRAFT and version.review.approved_by:
        return _("Your approval is kept; its collection asks for a second person's.")
    return _("The derivative is now %s.") % version.review.get_state_display()


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (login_required)
    return request.user


def _back(request: HttpRequest, otherwise: str) -> str:
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        return target
    return otherwise
