"""How far a result can be trusted, tile by tile, and how much of the picture looked damaged at all."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Values = NDArray[np.float32]

FAINT = 0.5 / 255  # a mean change below this is none, and says nothing about the network's judgement


@dataclass
class Trust:
    """Of each tile: how sure the network was that what it changed needed changing, weighed by how much it changed it.

    1 where nothing was changed. A tile at 0.6 was changed mostly where the network was hardly more sure than not: look
    there first. `damaged` is the share of pixels that looked damaged (more likely than not).
    """

    columns: int
    values: list[float] = field(default_factory=list)
    _damaged: int = 0
    _seen: int = 0
    _weight: float = 0.0
    _sure: float = 0.0
    _size: int = 0

    def add(self, change: Values, sure: Values, damage: Values) -> None:
        """Rows of the tile at hand: change (H, W, 3), how sure (H, W) and damage (H, W), in 0…1."""
        weight = np.abs(change[..., 0])
        for band in (1, 2):
            np.maximum(weight, np.abs(change[..., band]), out=weight)
        self._weight += float(weight.sum(dtype=np.float64))
        self._sure += float((weight * sure).sum(dtype=np.float64))
        self._size += weight.size
        self._damaged += int(np.count_nonzero(damage > 0.5))
        self._seen += damage.size

    def close(self) -> None:
        """The tile at hand is whole; the next rows are the next tile's, in the plan's order."""
        faint = self._weight <= FAINT * self._size
        self.values.append(1.0 if faint else round(self._sure / self._weight, 4))
        self._weight = self._sure = 0.0
        self._size = 0

    @property
    def damaged(self) -> float:
        return self._damaged / max(self._seen, 1)

    def to_dict(self) -> dict[str, object]:
        """`values` row by row; `least` is the least trusted tile's."""
        return {"columns": self.columns, "least": min(self.values, default=1.0), "values": self.values}


def cut(probability: Tensor, *, floor: float = 0.5, full: float = 0.8) -> Tensor:
    """A probability as a share with a dead zone: exactly 0 up to `floor`, 1 from `full` on."""
    return torch.clamp((probability - floor) / (full - floor), 0, 1)
