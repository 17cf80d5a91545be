"""A restorer whose gate is a judge: a small network that sees what the repair would do, and says where it would help.

The gate of the plain restorer is asked where a picture is damaged. That is another question than where this network's
own repair makes it better: it may see a stain and have nothing to offer. The judge is trained on the answer alone, with
everything before it held fixed (`stylizer.training.judge`).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylizer.models.restorer import Restorer

SLOPE = 0.1


class Judge(nn.Module):
    """Features and proposals at half resolution → logits of “this helps”, at full resolution.

    Looks closely (3 x 3 at half resolution) and around (cells of 8 px, about 40 px each way): a screen of dots is
    everywhere, a scratch is not.
    """

    def __init__(self, channels: int, width: int = 24) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, width, 1)
        self.near = nn.Conv2d(width, width, 3, padding=1)
        self.coarse = nn.Conv2d(width, 2 * width, 4, 4)
        self.around = nn.ModuleList(nn.Conv2d(2 * width, 2 * width, 3, padding=1) for _ in range(2))
        self.back = nn.Sequential(nn.Conv2d(2 * width, 8 * width, 1), nn.PixelShuffle(4))
        self.meet = nn.Conv2d(width + width // 2, 16, 3, padding=1)
        self.leave = nn.Sequential(nn.Conv2d(16, 4, 1), nn.PixelShuffle(2))

    def forward(self, fine: Tensor, proposed: Tensor) -> Tensor:
        """(B, channels, H/2, W/2) in two parts → (B, 1, H, W); sides of H and W are multiples of 8."""
        near = _leaky(self.near(_leaky(self.enter(torch.cat([fine, proposed], 1)))))
        far = _leaky(self.coarse(near))
        for layer in self.around:
            far = _leaky(layer(far))
        both = torch.cat([near, _leaky(self.back(far))], 1)
        del near, far
        met = _leaky(self.meet(both))
        del both
        logits: Tensor = self.leave(met)
        return logits


def _leaky(x: Tensor) -> Tensor:
    """In place: each of these is some 50 MB of a large tile."""
    return F.leaky_relu(x, SLOPE, inplace=True)


class JudgedHead(nn.Module):
    """The restorer's head with its own gate multiplied into the residual, and the judge's verdict as the gate."""

    def __init__(self, head: nn.Sequential, fine: int, width: int) -> None:
        super().__init__()
        self.propose, self.shuffle = head[0], head[1]
        self.judge = Judge(fine + 20, width)

    def forward(self, fine: Tensor) -> Tensor:
        """(B, fine, H/2, W/2) → residual, the judge's logits and the damage's, (B, 5, H, W)."""
        proposed = self.propose(fine)
        verdict = self.judge(fine, proposed)  # first, for it takes most memory
        residual, gate, damage = self.shuffle(proposed).split((3, 1, 1), 1)
        return torch.cat([residual * (gate.sigmoid() / 0.95).clamp(0, 1), verdict, damage], 1)


class JudgedRestorer(Restorer):
    """As `Restorer`, with `judge` channels of the judge; its halo is longer by what the judge sees."""

    def __init__(self, *, judge: int = 24, **arguments: Any) -> None:
        super().__init__(**arguments)
        fine = arguments.get("widths", (32, 96, 192))[0]
        self.head = JudgedHead(self.head, fine, judge)  # type: ignore[assignment]
        self._measure()


def from_plain(weights: dict[str, Tensor], fresh: JudgedRestorer) -> JudgedRestorer:
    """A judged restorer with the weights of a plain one and a judge that has learnt nothing yet."""
    old, new = "head.0.", "head.propose."
    renamed = {new + k.removeprefix(old) if k.startswith(old) else k: v for k, v in weights.items()}
    mine = {key: value for key, value in fresh.state_dict().items() if key.startswith("head.judge.")}
    fresh.load_state_dict(renamed | mine)
    return fresh
