"""Tone of a whole picture from one small thumbnail: which curves undo fading and yellowing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KNOTS = 16
THUMBNAIL = 64
_LEVELS = (0.0, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97, 0.99, 1.0)


class ToneNet(nn.Module):
    """One curve of KNOTS points a channel, from a thumbnail (B, 3, h, w) in 0…1 of any size.

    The curves are the identity plus a change. The change is a common part (for all channels) and a part per channel;
    the latter is scaled by how much colour the thumbnail has at all, so that a grey scan can only come back grey.
    """

    def __init__(
        self, width: int = 16, floor: float = 0.05, restraint: float = 0.0, deepen: float = 0.0
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(2 * width, 3 * width, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(3 * width, 3 * width, 3, 1, 1), nn.ReLU(),
        )  # fmt: skip
        statistics = 4 * len(_LEVELS) + 6
        last = nn.Linear(256, 4 * KNOTS + 1)
        nn.init.normal_(last.weight, std=0.002)
        nn.init.zeros_(last.bias)
        last.bias.data[-1] = 2.0  # the gate starts open, or the curves would get no gradient
        self.head = nn.Sequential(
            nn.Linear(6 * width + statistics, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), last
        )
        self.floor, self.restraint, self.deepen = floor, restraint, deepen
        # Some hundred photographs are soon known by heart; statistics generalise, so the deep features may go missing.
        self.forget = nn.Dropout(0.3)

    def forward(self, thumbnail: Tensor) -> Tensor:
        """(B, 3, KNOTS): what each channel's value at 0, 1/15 … 1 becomes."""
        return self.judge(thumbnail)[0]

    def judge(self, thumbnail: Tensor) -> tuple[Tensor, Tensor]:
        """The curves, and how sure the network is that the tone is damaged at all: (B,) in 0…1."""
        small = F.adaptive_avg_pool2d(thumbnail.float(), THUMBNAIL)
        deep = self.features(F.avg_pool2d(small, 2) - 0.5)
        pooled = torch.cat(
            [self.forget(deep.mean((2, 3))), self.forget(deep.amax((2, 3))), _statistics(small)], 1
        )
        out = self.head(pooled)
        gate = out[:, -1].sigmoid()
        change = out[:, :-1].reshape(-1, 4, KNOTS)
        # Differences of channels, not from their mean: the mean of three equal numbers may differ from them by a bit.
        colour = (small.amax(1) - small.amin(1)).mean((1, 2)).mul(25).clamp(max=1)[:, None, None]
        apart = change[:, 1:] - change[:, 1:].mean(1, keepdim=True)
        identity = torch.linspace(0, 1, KNOTS, device=small.device)
        curves = self._restrained(identity, change[:, :1] + colour * apart)
        open_by = ((gate - self.floor) / (0.95 - self.floor)).clamp(0, 1)[:, None, None]
        return identity + open_by * (curves - identity), gate

    def _restrained(self, identity: Tensor, change: Tensor) -> Tensor:
        """Curves (B, 3, KNOTS) from a change, held back and deepened where the network sees fading.

        Against yellowing the network is trusted. Against fading (it wants to darken the shadows by up to 0.1 or more) a
        full stretch amplifies whatever damage is left, and the lost depth of the middle tones cannot be known: less of
        the change, and a power instead, did better on the tuning pictures. Both settings are on the card.
        """
        if not self.restraint and not self.deepen:
            return identity + change
        fading = (-10 * change.mean(1)[:, :4].amin(1)).clamp(0, 1)[:, None, None]
        held = identity + (1 - self.restraint * fading) * change
        return held.clamp(min=0) ** (1 + self.deepen * fading)


def _statistics(small: Tensor) -> Tensor:
    """Quantiles of each channel and of luma, and the covariance of the channels; (B, 4 x levels + 6)."""
    grey = small.mean(1, keepdim=True)
    # Every other row and column: the same distribution (averaging would narrow it), a quarter of the sorting.
    flat = torch.cat([small, grey], 1)[:, :, ::2, ::2].flatten(2).sort(2).values  # (B, 4, n)
    places = [round(level * (flat.shape[2] - 1)) for level in _LEVELS]
    centred = small.flatten(2) - small.flatten(2).mean(2, keepdim=True)
    covariance = centred @ centred.transpose(1, 2) / centred.shape[2]
    upper = torch.triu_indices(3, 3)
    return torch.cat([flat[:, :, places].flatten(1), 10 * covariance[:, upper[0], upper[1]]], 1)


def apply_curves(picture: Tensor, curves: Tensor) -> Tensor:
    """Each pixel through the curve of its channel, linear between knots; values outside 0…1 follow the end slopes.

    picture (B, 3, H, W); curves (B or 1, 3, KNOTS). Identity curves give the picture back to rounding.
    """
    # A sum of ramps, one a knot, each from its knot on with the change of slope there. In planes: a number a channel is
    # then the same for a whole plane, and the additions run at four times the speed they have on interleaved channels.
    knots = curves.shape[2]
    picture = picture.contiguous()
    inside = picture.clamp(0, 1)
    slopes = (curves[:, :, 1:] - curves[:, :, :-1]) * (knots - 1)
    out = curves[:, :, 0, None, None] + slopes[:, :, 0, None, None] * inside
    for knot in range(1, knots - 1):
        bend = (slopes[:, :, knot] - slopes[:, :, knot - 1])[:, :, None, None]
        start = knot / (knots - 1)
        out.addcmul_(bend, inside.clamp(min=start).sub_(start))
    return out + (picture - inside)
