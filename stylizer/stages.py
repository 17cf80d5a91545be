"""The steps of one run with their networks: what each makes of a picture's form, whether it may, and in which tiles."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch

from stylizer.errors import MaskMismatch, OutsideTraining, UnsupportedImage
from stylizer.imageio import DEFAULT_LIMITS, Facts
from stylizer.operations import TiledNetwork, colours_grey, factor_of
from stylizer.recipe import Recipe, Step
from stylizer.tiling import PER_BAND, PER_TILE, Tile, plan_tiles


@dataclass(frozen=True)
class Stage:
    """A step with its network and what its card says it was trained for."""

    step: Step
    network: torch.nn.Module
    limits: dict[str, float]


def forms_of(facts: Facts, stages: Sequence[Stage]) -> list[Facts]:
    """What the picture is after each step. Where grey becomes colour its profile, of greys, cannot stay; where it
    becomes larger, it stays as large on paper."""
    form, found = facts if facts.bits > 1 else replace(facts, bits=8), []
    for stage in stages:
        if (by := factor_of(stage.network)) > 1:
            ppi = (form.ppi[0] * by, form.ppi[1] * by) if form.ppi else None
            form = replace(form, width=form.width * by, height=form.height * by, ppi=ppi)
        if form.colour == "grey" and colours_grey(stage.network):
            form = replace(form, colour="rgb", bands=form.bands + 2, icc=None)
        found.append(form)
    return found


def admit(facts: Facts, stages: Sequence[Stage], recipe: Recipe) -> None:
    """Raise UnsupportedImage, MaskMismatch or OutsideTraining where the picture cannot, or should not, go through."""
    if facts.colour == "cmyk":
        raise UnsupportedImage(
            "The scan is in CMYK, a space for printing. Restore an RGB or grey version of it."
        )
    made = forms_of(facts, stages)[-1]
    if made.width != facts.width:
        _admit_larger(facts, made, recipe)
    side = min(facts.width, facts.height)
    for stage in stages:
        least = stage.limits.get("least_side", 1)
        if side < least and "size" not in recipe.accept:
            raise OutsideTraining(
                f"The scan is {facts.width} × {facts.height} px; {stage.step.model} {stage.step.version} was "
                f"trained for sides of {least:.0f} px and more. To have it all the same, accept “size”."
            )


def _admit_larger(facts: Facts, made: Facts, recipe: Recipe) -> None:
    most = DEFAULT_LIMITS.pixels
    if sum(step.operation == "upscale" for step in recipe.steps) > 1:
        raise OutsideTraining(
            "The recipe enlarges twice: the second time from what the first drew. Enlarge once."
        )
    if made.width * made.height > most:
        raise UnsupportedImage(
            f"The scan is {facts.width} × {facts.height} px; enlarged it would have {made.megapixels:.0f} million "
            f"pixels, more than the {most / 1e6:.0f} million that can be opened. Enlarge a smaller version."
        )
    if recipe.mask is not None:
        raise MaskMismatch(
            "An enlargement makes every pixel anew; a mask cannot limit it. Leave out the mask or the enlargement."
        )


def plan(facts: Facts, network: torch.nn.Module, *, core: int) -> list[Tile]:
    """The tiles of one step, by the picture's size, the network and the core the recipe asks for (0: none) alone."""
    shape = cast(TiledNetwork, network)
    memory = (int(getattr(network, "per_tile", PER_TILE)), int(getattr(network, "per_band", PER_BAND)))
    return plan_tiles(
        facts.width, facts.height, core=core, halo=shape.halo, stride=shape.stride, memory=memory
    )
