"""The colourist: which colours a grey picture may have had, from its thumbnail; laid on by the full picture's luma.

Colour needs to know what is in the whole picture, and the eye asks little of its resolution. So the network sees one
canonical thumbnail, once a picture, and the tiles only look up what it said: for every cell of the thumbnail a straight
line from luma to chroma (He and Sun's fast guided filter), interpolated between cells, taken at the pixel's own luma.
No pixel of a tile looks at another, so tiles are exact with no halo at all.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylizer.models.blocks import Residual, Up
from stylizer.models.chroma import chroma, luma, within_gamut

DEPTH = 16  # cells of the thumbnail to one of the network's deepest level
LARGEST = 128  # cells of a side that the network is shown at once; a finer thumbnail is halved for it
REACH = 2  # cells on each side that a straight line is fitted over
FLAT = 0.03**2  # a variance of luma below this tells no colours apart
SPAN = 0.5  # the network's unit of chroma


class Tints(NamedTuple):
    """Of each cell of a thumbnail: chroma (1, 2, h, w) is slope · luma + offset; how sure (1, 1, h, w) in 0…1."""

    slope: Tensor
    offset: Tensor
    sure: Tensor


class Context(nn.Module):
    """Adds to every place what the whole thumbnail is like: means and largest values of the deepest features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.look = nn.Sequential(nn.Linear(2 * channels, channels), nn.ReLU(), nn.Linear(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        out: Tensor = x + self.look(seen)[:, :, None, None]
        return out


class Brain(nn.Module):
    """A U-Net at 1/2 to 1/16 of the thumbnail: luma (B, 1, h, w) → chroma and the log of its error, (B, 3, h, w)."""

    def __init__(self, widths: tuple[int, int, int, int], middle: int) -> None:
        super().__init__()
        fine, half, quarter, deep = widths
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, fine, 3, padding=1))
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 2, 2)
            for before, after in ((fine, half), (half, quarter), (quarter, deep))
        )
        self.encode = nn.ModuleList(Residual(width) for width in (fine, half, quarter))
        self.middle = nn.ModuleList(Residual(deep) for _ in range(middle))
        self.context = nn.ModuleList(Context(deep) for _ in range(middle))
        self.forget = nn.Dropout2d(0.1)
        self.up = nn.ModuleList(
            Up(before, after) for before, after in ((deep, quarter), (quarter, half), (half, fine))
        )
        self.decode = nn.ModuleList(Residual(width) for width in (quarter, half, fine))
        self.head = nn.Conv2d(fine, 3, 3, padding=1)
        nn.init.normal_(self.head.weight, std=0.1 * (9 * fine) ** -0.5)
        self.head.bias = nn.Parameter(torch.tensor([0.0, 0.0, -2.5]))

    def forward(self, light: Tensor) -> Tensor:
        out = self.stem(light - 0.5)
        kept = []
        for encode, down in zip(self.encode, self.down, strict=True):
            out = encode(out)
            kept.append(out)
            out = down(out)
        for block, context in zip(self.middle, self.context, strict=True):
            out = context(block(out))
        out = self.forget(out)
        for up, decode in zip(self.up, self.decode, strict=True):
            out = decode(up(out) + kept.pop())
        large: Tensor = F.interpolate(self.head(out), scale_factor=2, mode="bilinear", align_corners=False)
        return large


class Colourist(nn.Module):
    """widths: channels at 1/2, 1/4, 1/8 and 1/16 of the thumbnail; middle: blocks at 1/16; doubt: the expected error of
    chroma at which the network is half sure, and gives half the colour."""

    stride = 8  # no pixel sees another; bands begin on the fidelity meter's blocks
    halo = 0

    def __init__(
        self,
        *,
        widths: tuple[int, int, int, int] = (16, 48, 96, 160),
        middle: int = 3,
        doubt: float = 0.3,
        vivid: float = 1.2,
    ) -> None:
        super().__init__()
        self.brain = Brain(widths, middle)
        self.doubt, self.vivid = doubt, vivid

    def forward(self, thumbnail: Tensor) -> tuple[Tensor, Tensor]:
        """Thumbnail (B, 3 or 1, h, w) in 0…1 of any size → chroma (B, 2, h, w) and its expected error (B, 1, h, w)."""
        light = thumbnail if thumbnail.shape[1] == 1 else luma(thumbnail)
        height, width = light.shape[2:]
        filled = F.pad(light.float(), (0, -width % DEPTH, 0, -height % DEPTH), mode="replicate")
        found = self.brain(filled)[:, :, :height, :width]
        return SPAN * found[:, :2].tanh(), found[:, 2:].clamp(-6, 0).exp()

    def tints(self, thumbnail: Tensor) -> Tints:
        """What the tiles of a picture look up, from its canonical thumbnail (1, 3, h, w) in 0…1."""
        light = luma(thumbnail.float())
        colour, error = self._seen_small(light)
        sure = 1 / (1 + (error / self.doubt).square())
        mean, tone = _around(light), _around(colour)
        spread = _around(light * light) - mean * mean
        slope = (_around(light * colour) - mean * tone) / (spread.clamp(min=0) + FLAT)
        return Tints(_around(slope) * self.vivid, _around(tone - slope * mean) * self.vivid, _around(sure))

    def _seen_small(self, light: Tensor) -> tuple[Tensor, Tensor]:
        """What the network says of a thumbnail's luma (1, 1, h, w): things look to it as large as when it learnt."""
        if max(light.shape[2:]) <= LARGEST:
            return self(light)  # type: ignore[no-any-return]
        small = F.avg_pool2d(light, 2, ceil_mode=True, count_include_pad=False)
        said = torch.cat(self(small), 1)
        rows, columns = (
            (torch.arange(side, dtype=torch.float64, device=light.device) + 0.5) / 2 - 0.5
            for side in light.shape[2:]
        )
        colour, error = at(said, rows, columns).split((2, 1), 1)
        return colour, error

    def colour_tile(self, x: Tensor, tints: Tints, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """A tile (1, 3, H, W) in 0…1 whose pixels lie at these rows (H) and columns (W) of the thumbnail, in cells.

        Where the network is sure the chroma is its own, where it is not the picture's: a grey picture stays grey there,
        a sepia one sepia. The luma of every pixel is what it was.
        """
        slope, offset, sure = at(torch.cat(tints, 1), rows, columns).split((2, 2, 1), 1)
        light, own = luma(x), chroma(x)
        return within_gamut(light, own + sure * (slope * light + offset - own)), sure


def at(cells: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Values (1, C, h, w) of cells, taken linearly at rows (H) and columns (W), in cells: (1, C, H, W)."""
    for axis, places in ((2, rows), (3, columns)):
        last = cells.shape[axis] - 1
        places = places.clamp(0, last)
        low = places.floor().clamp(max=max(last - 1, 0))
        share = (places - low).to(cells.dtype)
        share = share[:, None] if axis == 2 else share
        first = low.long()
        before, after = cells.index_select(axis, first), cells.index_select(axis, (first + 1).clamp(max=last))
        cells = before + share * (after - before)
    return cells


def _around(values: Tensor) -> Tensor:
    """Means over the cells within REACH, fewer at the edges."""
    side = 2 * REACH + 1
    return F.avg_pool2d(values, side, 1, REACH, count_include_pad=False)
