"""What the order form lets a person set beside the preset, as a recipe to be resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from archive.accounts.models import User
from archive.catalogue.looks import BY_REFERENCE
from archive.catalogue.models import Version
from archive.jobs.models import SavedRecipe
from archive.jobs.recipes import can_be_made, newest_cards, offered, saved_named
from archive.jobs.saved import in_words, listed
from archive.jobs.scope import Scope
from stylizer.errors import RecipeError
from stylizer.recipe import PRESETS, REFUSALS

RESTORING = ("tone", "detail", "only_damage")
USUAL: Mapping[str, str | bool] = {"tone": True, "detail": True, "only_damage": False, "boldness": "0"}


@dataclass(frozen=True)
class Tuning:
    """`strength`, `perceptual` and `boldness` in whole percent; what is None the preset decides."""

    preset: str
    strength: int = 100
    perceptual: int | None = None
    boldness: int | None = None
    tone: bool | None = None
    detail: bool | None = None
    only_damage: bool | None = None
    precision: str = "archival"
    accept: tuple[str, ...] = ()

    @classmethod
    def parse(cls, form: QueryDict) -> "Tuning":
        """From the form's fields; without `tuned` only the preset counts.

        Switches and dials stand as `dials_of`, a preset, has them. Without the page's script they do not follow another
        choice, and then say nothing about it.

        Raises:
            RecipeError: a number or a choice that is none.
        """
        preset = form.get("recipe", "")
        if form.get("tuned") != "yes":
            return cls(preset)
        mine = form.get("dials_of", preset) == preset
        switches = {name: form.get(name) == "yes" if mine else None for name in RESTORING}
        return cls(
            preset, strength=_percent(form, "strength", 100),
            perceptual=_given_percent(form, "perceptual") if mine else None,
            boldness=_given_percent(form, "boldness") if mine else None,
            precision=form.get("precision", "archival"),
            accept=tuple(name for name in REFUSALS if f"accept-{name}" in form), **switches,
        )  # fmt: skip

    def spec(self) -> str | dict[str, Any]:
        """The preset's name where nothing else was set, else the recipe it stands for with what was; of a saved recipe
        its name.

        Raises:
            RecipeError: no such preset, no such name.
        """
        if saved_named(self.preset) is not None:
            return self.preset  # what was saved is what it is, whatever stands beside it
        steps = [self._tuned(step) for step in _steps(self.preset)]
        plain = [dict(step) for step in _steps(self.preset)]
        if steps == plain and self.precision == "archival" and not self.accept:
            return self.preset
        return {"steps": steps, "precision": self.precision, "accept": list(self.accept)}

    def _tuned(self, step: Mapping[str, Any]) -> dict[str, Any]:
        tuned = dict(step)
        if self.strength != 100:
            tuned["strength"] = f"{self.strength / 100:.2f}"
        fresh = (
            step.get("perceptual", "0") if self.perceptual is None else str(Decimal(self.perceptual) / 100)
        )
        if fresh != step.get("perceptual", "0"):
            tuned["perceptual"] = fresh
        if step["model"].startswith("restore"):
            defaults = {**USUAL, **step.get("parameters", {})}
            bold = None if self.boldness is None else str(Decimal(self.boldness) / 100)
            given = {name: getattr(self, name) for name in RESTORING} | {"boldness": bold}
            wanted = {name: defaults[name] if value is None else value for name, value in given.items()}
            if wanted != defaults:
                tuned["parameters"] = wanted
        return tuned


def defaults_of(preset: str) -> dict[str, bool | int]:
    """Where the three switches stand in a preset, and its boldness in percent, for the form."""
    step = next((s for s in (_steps(preset) if preset else []) if s["model"].startswith("restore")), None)
    if step is None:
        return {}
    known = {**USUAL, **step.get("parameters", {})}
    return {name: bool(known[name]) for name in RESTORING} | {
        "boldness": int(Decimal(known["boldness"]) * 100)
    }


@dataclass(frozen=True)
class Offer:
    """A recipe as the form offers it: where its switches stand (nowhere, where it does not restore), whether it has a
    perceptual counterpart and how fresh it looks (in percent), and of a saved one, which is `fixed`, what it does."""

    name: str
    defaults: Mapping[str, bool | int]
    fresh: bool = False
    look: int = 0
    fixed: bool = False
    words: str = ""
    enlarges: bool = False  # a mask cannot limit it

    @classmethod
    def of_saved(cls, saved: SavedRecipe) -> "Offer":
        words = in_words(saved)
        return cls(saved.name, {}, fixed=True, words=f"{saved.note} ({words})" if saved.note else words)


def choices(
    scope: Scope | None, form: QueryDict, *, by: User, reference: Version | None = None
) -> dict[str, Any]:
    """What the form offers and how it stands: recipes, and of one scan (`single`) where it may act; `shown` is the
    version a preview is made of. With a style picture (`reference`) only what takes one is offered."""
    sources = list(scope.sources(by)[:2]) if scope else []
    presets = [BY_REFERENCE] if reference else offered()
    recipes = _offers(presets)
    kept = [] if reference else [Offer.of_saved(saved) for saved in listed(by)]
    names = [recipe.name for recipe in recipes + kept]
    asked = form.get("recipe", "")
    chosen = asked if asked in names else next(iter(names), "")
    tuned = form.get("tuned") == "yes"
    offer = next((offer for offer in recipes if offer.name == chosen), None)
    usual = offer.defaults if offer else {}
    return {
        "recipes": recipes,
        "saved": kept,
        "reference": reference,
        "chosen": chosen,
        "shown": sources[0] if sources else None,
        "single": len(sources) == 1,
        "form": form,
        "fresh": any(recipe.fresh for recipe in recipes),
        "strength": form.get("strength", "100"),
        "perceptual": form.get("perceptual", offer.look if offer else 0),
        "boldness": form.get("boldness", usual.get("boldness", 0)),
        "switches": {name: form.get(name) == "yes" for name in RESTORING} if tuned else usual,
        "accept": [name for name in REFUSALS if f"accept-{name}" in form],
    }


def _offers(presets: Sequence[str]) -> list[Offer]:
    card, found = newest_cards(), []
    for name in presets:
        cards = [card(step["model"]) for step in _steps(name)]
        enlarges = any(one.operation == "upscale" for one in cards)
        fresh = can_be_made({"steps": [{**step, "perceptual": "1"} for step in _steps(name)]}, card)
        look = max(int(Decimal(step.get("perceptual", "0")) * 100) for step in _steps(name))
        found.append(Offer(name, defaults_of(name), fresh, look, enlarges=enlarges))
    return found


def _steps(preset: str) -> list[Mapping[str, Any]]:
    """Of a preset, or of several joined by "+". Raises RecipeError."""
    found: list[Mapping[str, Any]] = []
    for name in preset.split("+"):
        if name not in PRESETS:
            raise RecipeError("recipe", f"one of {', '.join(PRESETS)}, or a chain of them", name)
        found += PRESETS[name]
    return found


def _given_percent(form: QueryDict, name: str) -> int | None:
    """None where the form does not have it: a dial that is switched off is not sent."""
    return _percent(form, name, 0) if name in form else None


def _percent(form: QueryDict, name: str, default: int) -> int:
    text = form.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and 0 <= int(text) <= 100):
        raise RecipeError(name, "0…100 per cent", text)
    return int(text)
