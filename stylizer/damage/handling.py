"""What hands and boxes do: scratches, dust and hairs, creases, tears, holes, lost corners.

Every function takes (B, 3, H, W) in 0…1 and returns the picture and the cover (B, 1, H, W) in 0…1 of what it laid on.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stylizer.damage.draw import Draw, blur, curve, grid, per_picture, splat, widen
from stylizer.damage.ranges import Ranges

Marked = tuple[Tensor, Tensor]


def _lay(picture: Tensor, cover: Tensor, value: Tensor) -> Tensor:
    return picture * (1 - cover) + value * cover


def _paper(draw: Draw, count: int) -> Tensor:
    """Bare paper, mostly; black or grey where a scanner's lid or a retoucher shows. (B, 3, 1, 1)."""
    white = draw.uniform(0.78, 1.0, count, 1) * torch.tensor([[1.0, 0.985, 0.95]])
    other = draw.uniform(0.0, 0.75, count, 1).expand(count, 3)
    return per_picture(torch.where(draw.chance(0.3, count)[:, None], other, white))


def scratches(picture: Tensor, draw: Draw, ranges: Ranges) -> Marked:
    """Bright lines (through the emulsion, in the paper's colour) and dark ones (dirt), of one to five pixels, some
    jagged, some mere hairs; sometimes upright film lines."""
    count, _, height, width = picture.shape
    total = torch.zeros(count, 1, height, width)
    out = picture
    for bright in (True, False):
        cover = torch.zeros(count, 1, height, width)
        for index in range(count):
            number = draw.integer(*ranges.scratch_count)
            number = round(number * (ranges.scratch_bright if bright else 1 - ranges.scratch_bright))
            planes = torch.zeros(3, height, width)
            upright = draw.yes(0.12)
            for _ in range(number):
                y, x = _upright(draw, height, width) if upright else _scratch(draw, height, width, ranges)
                fading = (
                    draw.uniform(0, 1, 1) + draw.cloud(1, 1, y.numel(), scale=30)[0, 0, 0] * 0.3 + 0.6
                ).clamp(0, 1)
                alpha = draw.one(*ranges.scratch_alpha) * fading
                splat(planes[draw.integer(0, 2)], y, x, alpha)
            planes = planes.clamp(0, 1)
            wide = torch.stack([planes[0], widen(planes[1], 3), widen(planes[2], draw.integer(1, 2) * 2 + 1)])
            cover[index, 0] = wide.amax(0)
        cover = blur(cover, draw.uniform(0.3, 0.8, count))
        value = per_picture(draw.uniform(0.6, 1.0, count) if bright else draw.uniform(0.0, 0.3, count))
        if bright:
            value = value * _cream(draw, count)
        out = _lay(out, cover, value)
        total = torch.maximum(total, cover)
    return out, total


def _scratch(draw: Draw, height: int, width: int, ranges: Ranges) -> tuple[Tensor, Tensor]:
    """A line of any length, from specks to across the picture; `scratch_jagged` of them shake sideways."""
    share = 0.03 * (1.3 / 0.03) ** draw.one(0, 1)
    y, x = curve(draw, height, width, length=share * height, bend=draw.one(0.0, 0.25))
    if draw.yes(ranges.scratch_jagged):
        shake = draw.cloud(2, 1, y.numel(), scale=draw.one(6, 40))[:, 0, 0] * draw.one(0.3, 1.6)
        y, x = y + shake[0], x + shake[1]
    return y, x


def _upright(draw: Draw, height: int, width: int) -> tuple[Tensor, Tensor]:
    y = torch.arange(0, height, 0.5)
    return y, draw.one(0, width) + torch.cumsum(draw.normal(y.numel()) * 0.03, 0)


def _cream(draw: Draw, count: int) -> Tensor:
    """The tint of bare paper, mostly next to white, (B, 3, 1, 1)."""
    return per_picture(1 - draw.uniform(0, 1, count, 1) ** 2 * torch.tensor([[0.0, 0.08, 0.3]]))


def dust(picture: Tensor, draw: Draw, ranges: Ranges) -> Marked:
    """Specks of one to six pixels and curled hairs, light or dark."""
    count, _, height, width = picture.shape
    cover = torch.zeros(count, 1, height, width)
    for index in range(count):
        total = torch.zeros(height, width)
        for size in (1, 3, 5):
            specks = draw.integer(*ranges.dust_count) // size
            plane = torch.zeros(height, width)
            splat(
                plane,
                draw.uniform(0, height, specks),
                draw.uniform(0, width, specks),
                draw.uniform(0.5, 2, specks),
            )
            # Larger specks are ragged: some of their pixels are missing.
            ragged = widen(plane.clamp(0, 1), size) * (draw.field(1, height, width, scale=2)[0, 0] > -0.6)
            total = torch.maximum(total, plane.clamp(0, 1) if size == 1 else ragged)
        for _ in range(draw.integer(*ranges.hair_count)):
            plane = torch.zeros(height, width)
            y, x = curve(draw, height, width, length=draw.one(10, 90), bend=draw.one(0.2, 0.9))
            splat(plane, y, x, torch.full_like(y, draw.one(0.4, 1.0)))
            total = torch.maximum(total, plane.clamp(0, 1))
        cover[index, 0] = total
    cover = blur(cover, draw.uniform(0.25, 0.7, count))
    bright = per_picture(draw.chance(0.55, count))
    light = per_picture(draw.uniform(0.65, 1.0, count)) * _cream(draw, count)
    return _lay(picture, cover, torch.where(bright, light, per_picture(draw.uniform(0.0, 0.3, count)))), cover


def _line(draw: Draw, count: int, height: int, width: int, *, wobble: float) -> Tensor:
    """Signed distance in pixels to a wavering line through each picture."""
    y, x = grid(height, width)
    angle = per_picture(draw.uniform(0, math.pi, count))
    across = (x - width * per_picture(draw.uniform(0.15, 0.85, count))) * angle.cos()
    across = across + (y - height * per_picture(draw.uniform(0.15, 0.85, count))) * angle.sin()
    return across + draw.cloud(count, height, width, scale=draw.one(10, 40)) * wobble


def crease(picture: Tensor, draw: Draw, ranges: Ranges) -> Marked:
    """Folds: a light and a dark flank, and a ridge where the emulsion has broken off here and there."""
    count, _, height, width = picture.shape
    total = torch.zeros(count, 1, height, width)
    out = picture
    for _ in range(draw.integer(*ranges.crease_count)):
        distance = _line(draw, count, height, width, wobble=draw.one(0.2, 2.0))
        reach = per_picture(draw.uniform(2.0, 9.0, count))
        flank = (
            distance
            / reach
            * torch.exp(-((distance / reach) ** 2))
            * per_picture(draw.uniform(-0.5, 0.5, count))
        )
        broken = draw.field(count, height, width, scale=draw.one(2, 6)) > per_picture(
            draw.uniform(-1.5, 1.0, count)
        )
        ridge = torch.exp(-((distance / per_picture(draw.uniform(0.6, 2.2, count))) ** 2)) * broken
        cover = ridge * per_picture(draw.uniform(0.4, 1.0, count))
        out = _lay((out + flank).clamp(0, 1), cover, _paper(draw, count))
        total = torch.maximum(total, torch.maximum(cover, (flank.abs() * 5).clamp(0, 1)))
    return out, total


def tear(picture: Tensor, draw: Draw, ranges: Ranges) -> Marked:
    """A rip that runs in from a border: bare paper between ragged edges, a shadow on one side."""
    count, _, height, width = picture.shape
    distance = _line(draw, count, height, width, wobble=draw.one(1.0, 4.0))
    y, x = grid(height, width)
    angle = per_picture(draw.uniform(0, 2 * math.pi, count))
    along = ((x / width - 0.5) * angle.cos() + (y / height - 0.5) * angle.sin()) + per_picture(
        draw.uniform(-0.3, 0.4, count)
    )
    half = per_picture(draw.uniform(*ranges.tear_width, count)) * (along * 4).clamp(0, 1)
    cover = ((half - distance.abs()) * 2.5).sigmoid() * (half > 0.05)
    shadow = (
        torch.exp(-(((distance - half - 1.5) / 2.5) ** 2))
        * (half > 0.05)
        * per_picture(draw.uniform(0, 0.45, count))
    )
    out = _lay(picture * (1 - shadow), cover, _paper(draw, count))
    return out, torch.maximum(cover, (shadow * 3).clamp(0, 1))


def hole(picture: Tensor, draw: Draw, ranges: Ranges) -> Marked:
    """Flaked or eaten patches of any small shape, white, grey or black."""
    count, _, height, width = picture.shape
    field = draw.cloud(count, height, width, scale=draw.one(6, 28))
    share = draw.uniform(*ranges.hole_share, count)
    flat = field.reshape(count, -1).sort(1).values
    level = flat.gather(1, ((1 - share) * (flat.shape[1] - 1)).long()[:, None])
    cover = ((field - per_picture(level)) * draw.one(8, 30)).sigmoid()
    return _lay(picture, cover, _paper(draw, count)), cover


def corner(picture: Tensor, draw: Draw, ranges: Ranges) -> Marked:
    """A corner torn off."""
    count, _, height, width = picture.shape
    y, x = grid(height, width)
    left = per_picture(draw.chance(0.5, count)).float()
    top = per_picture(draw.chance(0.5, count)).float()
    distance = left * x + (1 - left) * (width - x) + top * y + (1 - top) * (height - y)
    distance = distance + draw.cloud(count, height, width, scale=20) * 4
    reach = per_picture(draw.uniform(0.06, 0.22, count)) * min(height, width)
    cover = ((reach - distance) * 1.5).sigmoid()
    return _lay(picture, cover, _paper(draw, count)), cover


def smear(picture: Tensor, draw: Draw, ranges: Ranges) -> Marked:
    """A film of grease, glue or varnish: a patch, soft or sharply bounded, of a tint and a fine unrest of its own.

    Nothing that a network of detail can take away: what it teaches is to leave everything around it alone.
    """
    count, _, height, width = picture.shape
    field = draw.cloud(count, height, width, scale=draw.one(30, 120))
    level = per_picture(draw.uniform(-0.5, 1.5, count))
    patch = ((field - level) * per_picture(draw.uniform(3, 60, count))).sigmoid()
    unrest = draw.field(count, height, width, scale=draw.one(2, 9)).clamp(-2, 2) / 2
    body = per_picture(draw.uniform(-1, 1, count))
    tint = per_picture(1 - draw.uniform(0, 0.8, count, 1) * torch.tensor([[0.0, 0.4, 1.0]]))
    amount = per_picture(draw.uniform(*ranges.smear_amount, count))
    change = patch * amount * (body + unrest * per_picture(draw.uniform(0, 1, count)))
    return picture + change * tint, (change.abs() * 6).clamp(0, 1)
