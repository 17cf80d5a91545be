"""What pages say over and over: icons, badges, durations, who did what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.catalogue import models as catalogue
from archive.catalogue.dates import understand
from archive.catalogue.models import Agent, Event, Version
from archive.catalogue.recipe_words import RECIPE_WORDS
from archive.catalogue.rights import label_of
from archive.catalogue.search.facets import Bar
from archive.review.models import Review
from stylizer.recipe import Recipe, Step

register = template.Library()

TONE = {
    Review.State.DRAFT: "",
    Review.State.APPROVED: "good",
    Review.State.PUBLISHED: "good",
    Review.State.REJECTED: "warn",
    Review.State.WITHDRAWN: "bad",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon from the sprite, for the eye only: words stand beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


# One string, not nodes of a template: there are sixty of them on a page, and years are no numbers to be localised.
BAR = (
    '<g class="bar{}" data-first="{}" data-last="{}"><title>{}: {}</title>'
    '<rect class="hit" x="{}000" y="0" width="1000" height="1000"/>'
    '<rect class="fill" x="{}080" y="0" width="840" height="{}" transform="translate(0 1000) scale(1 -1)"/></g>'
)


@register.simple_tag
def year_bars(bars: Sequence[Bar]) -> SafeString:
    """The bars of a histogram of years, each a thousand units wide and up to a thousand high."""
    return format_html_join("", BAR, (_bar(place, bar) for place, bar in enumerate(bars)))


def _bar(place: int, bar: Bar) -> tuple[str, ...]:
    first, last = str(bar.first), str(bar.last)
    span = first if first == last else f"{first}–{last}"
    at = str(place)
    return (" on" if bar.inside else "", first, last, span, number_format(bar.count), at, at, str(bar.share))


@register.simple_tag(takes_context=True)
def current(context: Context, address: str) -> SafeString:
    """Marks the way in the main menu that led here: to this very page, or to one below it."""
    path = getattr(context.get("request"), "path", "")
    if path == address:
        return SafeString(' aria-current="page"')
    return SafeString(' aria-current="true"' if path.startswith(address) else "")


@register.simple_tag
def role_badge(version: Version) -> SafeString:
    """What a version is, in words and with an icon: an original, or an AI derivative of which kind."""
    if version.is_master:
        return format_html('<span class="badge">{} {}</span>', icon("scan"), version.get_role_display())
    return format_html('<span class="badge ai">{} {}</span>', icon("ai"), version.get_role_display())


@register.simple_tag
def review_badge(version: Version) -> SafeString:
    """Where a derivative stands."""
    review = getattr(version, "review", None)
    if review is None:
        return SafeString("")
    return format_html('<span class="badge {}">{}</span>', TONE[review.state], review.get_state_display())


@register.simple_tag(takes_context=True)
def cite(context: Context, version: Version) -> str:
    """How a version is cited: title, date, collection, what it is (a derivative says AI), its lasting address."""
    item = version.scan.item
    dated = f", {item.date_verbatim}" if item.date_verbatim else ""
    address = context["request"].build_absolute_uri(reverse("catalogue:version", args=[version.pk]))
    kind = role_words(version) if version.is_master else _("%s, not the original") % role_words(version)
    return f"{item.title}{dated}. {item.collection.title}. {kind}. {address}"


@register.filter
def role_words(version: Version) -> str:
    """`AI restoration (version 2)`, for text alternatives and titles."""
    return _("%(role)s, version %(number)d") % {"role": version.get_role_display(), "number": version.number}


@register.filter
def duration(value: timedelta | float | str | None) -> str:
    """A span of time in its two largest units."""
    if value is None or isinstance(value, str):  # a template gives "" for what is not there
        return "–"
    seconds = round(value.total_seconds() if isinstance(value, timedelta) else value)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    return ngettext("%d second", "%d seconds", seconds) % seconds


@register.filter
def per_hour(rate: float) -> str:
    """A rate a second as so many an hour."""
    return f"{rate * 3600:,.0f}" if rate * 3600 >= 10 else f"{rate * 3600:.1f}"


@register.filter
def ago(moment: datetime) -> str:
    """How long ago, to the second: a heartbeat is news of seconds."""
    return duration(timezone.now() - moment)


@register.filter
def percent(share: float | None) -> str:
    """A share of 0…1 as a percentage that never rounds something to nothing."""
    if share is None:
        return "–"
    if 0 < share < 0.001:
        return _("less than 0.1 %")
    return f"{share * 100:.1f} %"


@dataclass(frozen=True)
class Unsure:
    """The tile of a derivative that the network was least sure of: how sure, 0…1, and where to look at it."""

    sure: float
    address: str


@register.filter
def least_sure(version: Version) -> Unsure | None:
    """Where to look first; None where the engine said nothing of it, or changed nothing."""
    trust = version.report.get("trust") or {}
    values, columns = trust.get("values") or [], trust.get("columns") or 1
    if not values or min(values) >= 1:
        return None
    place = values.index(min(values))
    wide, tall = version.width / columns, version.height / max(1, len(values) // columns)
    region = [place % columns * wide, place // columns * tall, wide, tall]
    compare = reverse("iiif:compare", args=[version.pk])
    return Unsure(values[place], f"{compare}#xywh={','.join(str(round(value)) for value in region)}")


@register.filter
def short(digest: str) -> str:
    """The first digits of a digest: enough to compare by eye."""
    return f"{digest[:12]}…" if digest else "–"


@register.filter
def lookup(mapping: dict[str, Any], key: str) -> Any:
    return mapping.get(key) if mapping else None


@register.filter
def who(event: Event) -> str:
    """The people of an event, then its programs, in words."""
    agents = [link.agent for link in event.agents_linked.all()]
    agents.sort(key=lambda agent: agent.kind == Agent.Kind.SOFTWARE)  # who answers for it first
    return ", ".join(map(str, agents)) or _("the archive itself")


@register.filter
def rights_words(address: str) -> str:
    """A statement of rights in words; anything else stands for itself."""
    return label_of(address)


@register.filter
def is_a_date(written: str) -> bool:
    """Whether anybody could sort by it; what is not understood is kept, but found by no year."""
    return understand(written) is not None


@register.filter
def since(moment: datetime) -> str:
    """How long ago, to the minute: “just now”, “4 minutes ago”."""
    if timezone.now() - moment < timedelta(minutes=1):
        return _("just now")
    return _("%s ago") % timesince(moment)


@register.filter
def strength(value: str) -> str:
    return f"{float(value) * 100:.0f} %"


@register.filter
def dials(step: Step) -> str:
    """Where a step's dials stand otherwise than usual, to be added to its name: “, look 50 % fresh, with tone”."""
    said = []
    if step.perceptual != "0":
        said.append(_("look %s fresh") % strength(step.perceptual))
    if (bold := str(step.parameters.get("boldness", "0"))) != "0":
        said.append(_("%s bold") % strength(bold))
    for name, unusual, words in [
        ("tone", True, _("with tone")),
        ("detail", False, _("not touching detail")),
        ("only_damage", True, _("damage only")),
    ]:
        if step.parameters.get(name) is unusual:
            said.append(words)
    return "".join(f", {words}" for words in said)


@register.filter
def made_with(version: Version) -> str:
    """What made a derivative, short enough to tell two of one scan apart; nothing of a master."""
    return recipe_words(version.recipe) if version.recipe else ""


@register.filter
def recipe_words(recipe: catalogue.Recipe) -> str:
    """A recipe by its models and dials: “Restore 1.2.0, with tone”."""
    steps = Recipe.from_json(recipe.canonical).steps
    return ", ".join(
        f"{recipe_title(step.model)} {step.version}"
        + (f", {strength(step.strength)}" if step.strength != "1" else "")
        + dials(step)
        for step in steps
    )


@register.filter
def decision_words(decision: str) -> str:
    """A decision as the button that takes it says it."""
    words = {
        "approve": _("Approve"),
        "reject": _("Reject"),
        "publish": _("Publish"),
        "unpublish": _("Take back from the public"),
        "reopen": _("Reopen"),
        "withdraw": _("Withdraw for good"),
        "start": _("Start all of it"),
        "pause": _("Pause"),
        "resume": _("Resume"),
        "cancel": _("Cancel"),
        "retry": _("Try failed ones again"),
        "undo": _("Undo: withdraw what it made"),
    }
    return words.get(decision, decision)


@register.filter
def past_words(verb: str) -> str:
    """A decision as the history tells it."""
    words = {
        "approve": _("Approved"),
        "reject": _("Rejected"),
        "publish": _("Published"),
        "unpublish": _("Taken back from the public"),
        "reopen": _("Reopened"),
        "withdraw": _("Withdrawn"),
        "undo": _("Undone"),
    }
    return words.get(verb, verb)


@register.filter
def what(event: Event) -> str:
    """What happened, and to which version: “Approved: AI restoration, version 2”."""
    said = event.get_type_display()
    if event.type == Event.Type.REVIEW and event.detail.get("decision"):
        said = past_words(event.detail["decision"])
    said = said[:1].upper() + said[1:]
    versions = [link.version for link in getattr(event, "versions", [])]
    return f"{said}: {role_words(versions[0])}" if len(versions) == 1 else said


@register.filter
def as_list(value: Any) -> list[Any]:
    return [value]


@register.filter
def recipe_title(name: str) -> str:
    return str(RECIPE_WORDS.get(name, (name, ""))[0])


@register.filter
def recipe_summary(name: str) -> str:
    return str(RECIPE_WORDS.get(name, ("", ""))[1])


@register.filter
def split_words(text: str) -> list[str]:
    return text.split()
