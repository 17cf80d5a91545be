"""What a hand does whatever the style: colours laid in areas, lines between them, strokes across them.

Fixed filters with a finite reach: nothing of them has to be learnt, and what is left to learn
is how a style draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _luma(picture: Tensor) -> Tensor:
    red, green, blue = picture.split(1, 1)
    grey: Tensor = 0.299 * red + 0.587 * green + 0.114 * blue
    return grey


def _gauss(wide: int, sigma: float) -> Tensor:
    line = torch.exp(-0.5 * (torch.arange(-wide, wide + 1) / sigma) ** 2)
    return line / line.sum()


def _along_both(picture: Tensor, line: Tensor) -> Tensor:
    """(B, C, H, W) weighed by `line` along both axes: smaller by its length less one."""
    channels = picture.shape[1]
    down = line.reshape(1, 1, -1, 1).repeat(channels, 1, 1, 1)
    across = F.conv2d(picture, down, groups=channels)
    return F.conv2d(across, down.transpose(2, 3), groups=channels)


def _smooth(picture: Tensor, line: Tensor) -> Tensor:
    """(B, C, H, W), mirrored at its edges."""
    wide = line.shape[0] // 2
    return _along_both(_padded(picture, wide), line) if wide else picture


def _padded(picture: Tensor, by: int) -> Tensor:
    return F.pad(picture, [by] * 4, mode="reflect")


class Laid(nn.Module):
    """(B, 3, H, W) in 0…1 → its colours flat within an area, sharp where two areas meet; on them lines and strokes.

    Areas: Kuwahara's filter with soft weights: of the means around eight places near each pixel, the calm ones count
    most. Nothing is chosen outright, so that a tile stays a part of the whole. Lines: a difference of two Gaussians.
    Strokes: the photograph's own grain, evened out and drawn out along one diagonal, as a right hand hatches; a pattern
    of the network's own would know nothing of the picture.

    radius: how far areas look, in pixels; lined: how dark a line is on the darker side of where two areas meet;
    strokes: how much lighter and darker than their area they are; breadth: of a stroke, 1 for a pencil's, 2 for a
    brush's; length: of half a stroke, in pixels; bare: luma above which paper has no strokes, 0 for strokes everywhere.
    """

    even: Tensor
    thin: Tensor
    broad: Tensor
    narrow: Tensor
    wide: Tensor
    around: Tensor
    CALM = 2e-4  # variance of luma below which a place is as calm as any
    FAINT = 0.012  # a step of luma that is no line yet
    STEEP = 14.0
    QUIET = (1.5 / 255) ** 2  # variance of grain that is the file's rounding rather than the picture's

    def __init__(
        self,
        radius: int,
        *,
        lined: float = 0.0,
        strokes: float = 0.0,
        breadth: float = 1.0,
        length: int = 7,
        bare: float = 0.0,
    ) -> None:
        super().__init__()
        self.lined, self.strokes, self.length, self.bare = lined, strokes, length, bare
        reach = radius // 2
        far = self.apart = radius - reach
        slant = round(far * 0.7)
        self.places = [(0, far), (far, 0), (0, -far), (-far, 0)]
        self.places += [(slant, slant), (slant, -slant), (-slant, slant), (-slant, -slant)]
        weights = {
            "even": _gauss(reach, max(0.5, 0.5 * reach)), "thin": _gauss(1, 0.7), "broad": _gauss(4, 1.8),
            "narrow": _gauss(2 if breadth > 1 else 0, max(0.1, 0.8 * (breadth - 1))),
            "wide": _gauss(5 if breadth > 1 else 2, 1 + 1.5 * (breadth - 1)), "around": _gauss(8, 4.0),
        }  # fmt: skip
        for name, weight in weights.items():
            self.register_buffer(name, weight, persistent=False)
        stroke = torch.hann_window(2 * length + 3, periodic=False)[1:-1]
        self.stroke: list[float] = (stroke / stroke.square().sum().sqrt()).tolist()

    def forward(self, x: Tensor) -> Tensor:
        out = self._areas(x)
        drawn = out - self.lined * self._lines(out) if self.lined else out
        if self.strokes:
            shown = ((_luma(out) - self.bare) * -3).clamp(0, 1) if self.bare else 1
            drawn = drawn + self.strokes * shown * self._strokes(x)
        return drawn

    def _areas(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        centred = x - 0.5  # a variance out of small numbers keeps its digits
        light = _luma(centred)
        seen = _padded(torch.cat([centred, light * light], 1), self.apart + self.even.shape[0] // 2)
        colours, square = _along_both(seen, self.even).split([3, 1], 1)
        light = _luma(colours)
        weight = ((square - light * light).clamp(min=0) / self.CALM + 1).pow(-4) + 1e-12
        total = _total(torch.cat([colours * weight, weight], 1), self.places, self.apart, height, width)
        colours, weight = total.split([3, 1], 1)
        areas: Tensor = colours / weight + 0.5
        return areas

    def _lines(self, areas: Tensor) -> Tensor:
        """(B, 1, H, W) in 0…1: where a pixel is darker than what lies around it."""
        light = _luma(areas)
        thin, broad = _smooth(light, self.thin), _smooth(light, self.broad)
        return ((broad - thin - self.FAINT) * self.STEEP).clamp(0, 1)

    def _strokes(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) around zero: grain in each channel, as strong everywhere, drawn out to the top right."""
        height, width = x.shape[2:]
        centred = x - 0.5
        grain = _smooth(centred, self.narrow) - _smooth(centred, self.wide)
        grain = (grain * (_smooth(grain * grain, self.around) + self.QUIET).rsqrt()).clamp(-2, 2)
        far = self.length
        places = [(-step, step) for step in range(-far, far + 1)]
        return _total(_padded(grain, far), places, far, height, width, self.stroke)


def _total(
    padded: Tensor,
    places: Sequence[tuple[int, int]],
    by: int,
    height: int,
    width: int,
    weights: Sequence[float] | None = None,
) -> Tensor:
    """The sum of a padded picture seen from several places."""
    total: Tensor | None = None
    for number, (down, across) in enumerate(places):
        part = padded[:, :, by + down : by + down + height, by + across : by + across + width]
        part = part if weights is None else part * weights[number]
        total = part if total is None else total + part
    assert total is not None  # noqa: S101  (there is a place)
    return total
