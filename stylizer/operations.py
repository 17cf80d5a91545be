"""What a step of a recipe does with a tile, once it is prepared for one picture.

Whatever must see the whole picture is worked out here, from the canonical thumbnail, before the first tile.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias, cast

import torch
from torch import Tensor

from stylizer.models import Colourist, Enlarger, Restorer, Stylist, Translator
from stylizer.models.restorer import inner
from stylizer.pixels import Laid, changed, recoloured
from stylizer.recipe import Step
from stylizer.tiling import Tile
from stylizer.trust import cut


class Touched(NamedTuple):
    """The inner part of tiles after a step: what is added to the picture (0…1), (B, 3, H, W); how damaged
    each pixel looked and how sure the network was that it needed changing, both (B, 1, H, W) in 0…1.

    Of a step that enlarges all three are of the larger size, and what it adds to is the plain enlargement.
    """

    change: Tensor
    damage: Tensor
    sure: Tensor


# Of (B, 3, H, W) in 0…1, the halo on each side of it, and the tiles it shows.
TileFunction: TypeAlias = Callable[[Tensor, int, Sequence[Tile]], Touched]

THUMBNAIL = 256
REFERENCE = 512  # of a style picture: strokes have to show
STRIP = 32  # rows


class TiledNetwork(Protocol):
    """A network the tiler can cut pictures for: `halo` covers its receptive radius; both are in pixels."""

    stride: int
    halo: int


def by_strips(function: Callable[[Tensor], Tensor], picture: Tensor) -> Tensor:
    """What looks at each pixel by itself, a few rows at a time: its intermediate values then stay in the cache."""
    out = torch.empty_like(picture)
    for strip, place in zip(picture.split(STRIP, 2), out.split(STRIP, 2), strict=True):
        place.copy_(function(strip))
    return out


def needs_thumbnail(step: Step) -> bool:
    """Whether the step must see the whole picture before its first tile."""
    return step.operation == "colourise" or bool(step.parameters.get("tone", False))


def takes_reference(network: torch.nn.Module) -> bool:
    """Whether the network reads its style off another picture."""
    return isinstance(network, Stylist) and network.encoder is not None


def colours_grey(network: torch.nn.Module) -> bool:
    """Whether what the network makes of a grey picture has colours."""
    return isinstance(network, Colourist) or (isinstance(network, Stylist | Translator) and not network.grey)


def factor_of(network: torch.nn.Module) -> int:
    """How many times as wide and as high the picture becomes."""
    return network.factor if isinstance(network, Enlarger) else 1


def lays(network: torch.nn.Module) -> Laid:
    """How what the network adds is put onto stored pixels."""
    return recoloured if isinstance(network, Colourist) else changed


def prepare(
    step: Step,
    network: torch.nn.Module,
    thumbnail: Tensor | None,
    reference: Tensor | None = None,
    *,
    cell: int = 1,
) -> TileFunction:
    """A function for the tiles of one picture, from its thumbnail (1, 3, h, w) in 0…1 where one is needed.

    reference: the thumbnail (1, 3, h, w) of the style picture, for a network that takes one; cell: how many pixels a
    side of the picture one of its thumbnail stands for.
    """
    if isinstance(network, Stylist):
        code = network.code_of(reference) if reference is not None and takes_reference(network) else None
        return _paint(lambda x: network(x, code))
    if isinstance(network, Translator):
        return _paint(network)
    if isinstance(network, Colourist):
        assert thumbnail is not None  # noqa: S101  (`needs_thumbnail` says so)
        return _colourise(network, thumbnail, cell)
    if isinstance(network, Enlarger):
        return _enlarge(network)
    return _restore(step, cast(Restorer, network), thumbnail)


def _paint(network: Callable[[Tensor], Tensor]) -> TileFunction:
    def tile(x: Tensor, halo: int, tiles: Sequence[Tile]) -> Touched:
        made = inner(network(x), halo).clamp(0, 1)
        # It is asked for everywhere: nothing looks damaged, and nothing is in doubt.
        return Touched(made - inner(x, halo), torch.zeros_like(made[:, :1]), torch.ones_like(made[:, :1]))

    return tile


def _colourise(network: Colourist, thumbnail: Tensor, cell: int) -> TileFunction:
    tints = network.tints(thumbnail)

    def places(start: int, count: int, device: torch.device) -> Tensor:
        """The middles of pixels start, start + 1 … in cells of the thumbnail."""
        return (torch.arange(start, start + count, dtype=torch.float64, device=device) + 0.5) / cell - 0.5

    def tile(x: Tensor, halo: int, tiles: Sequence[Tile]) -> Touched:
        x = inner(x, halo)
        change, sure = torch.empty_like(x), torch.empty_like(x[:, :1])
        for number, at in enumerate(tiles):
            columns = places(at.x0, x.shape[3], x.device)
            for y in range(0, x.shape[2], STRIP):
                strip = x[number : number + 1, :, y : y + STRIP]
                rows = places(at.y0 + y, strip.shape[2], x.device)
                made, certain = network.colour_tile(strip, tints, rows, columns)
                change[number, :, y : y + STRIP] = (made - strip)[0]
                sure[number, :, y : y + STRIP] = certain[0]
        return Touched(change, torch.zeros_like(sure), sure)

    return tile


def _enlarge(network: Enlarger) -> TileFunction:
    def tile(x: Tensor, halo: int, tiles: Sequence[Tile]) -> Touched:
        made = inner(network(x), network.factor * halo)
        # It is asked for everywhere, as a style is.
        return Touched(made, torch.zeros_like(made[:, :1]), torch.ones_like(made[:, :1]))

    return tile


def _restore(step: Step, network: Restorer, thumbnail: Tensor | None) -> TileFunction:
    detail, only_damage = bool(step.parameters["detail"]), bool(step.parameters.get("only_damage", False))
    boldness = float(step.parameters.get("boldness", "0"))
    curves = network.tone(thumbnail) if thumbnail is not None else None

    def tile(x: Tensor, halo: int, tiles: Sequence[Tile]) -> Touched:
        residual, damage, gate = network(x, halo, boldness)
        x = inner(x, halo)
        out = x + residual if detail else x
        # Not a number has no place on a curve; on a GPU it would stop the process. The engine finds it right after.
        if curves is not None and bool(torch.isfinite(out.sum())):
            out = by_strips(lambda strip: network.apply_tone(strip, curves), out)
        if only_damage:
            out = x + (out - x) * cut(damage)  # x + 0 is x: outside the damage not one bit changes
        return Touched(out - x, damage, gate)

    return tile
