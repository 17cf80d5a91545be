"""Classical restoration without learning: the chain that a network has to beat.

Every chain is blind: it sees the damaged picture only, and one setting serves every picture. The settings were chosen
on the tuning pictures of the protocol (never on the test pictures) by `tune` and then frozen in `frozen_chains.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stylizer.evaluation import metrics, protocol

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Chain:
    """The settings of one chain; a zero leaves its step out.

    scratch_size: side of the top-hat in pixels; scratch_threshold: in 0…1 of luma; inpaint_radius: pixels (Telea);
    median: side in pixels; nlm: strength as a multiple of the noise that the chain estimates; tv: weight of total
    variation (Chambolle); low, high: share of pixels cut at the dark and at the bright end; middle: 0…1 how far a
    gamma brings the mean luma to 0.45; stretch_mix: 0…1 how far towards the stretched picture; per_channel: share of
    the stretch done channel by channel (against tint); unsharp: amount.
    """

    scratch_size: int = 0
    scratch_threshold: float = 0.15
    inpaint_radius: float = 3.0
    median: int = 0
    nlm: float = 0.0
    tv: float = 0.0
    low: float = 0.005
    high: float = 0.005
    middle: float = 0.0
    stretch_mix: float = 0.0
    per_channel: float = 0.0
    unsharp: float = 0.0

    def __call__(self, picture: Picture) -> Picture:
        """Restore a float32 picture (H, W, 3) in 0…1."""
        out = _without_scratches(picture, self) if self.scratch_size else picture
        out = _denoised(out, self)
        if self.stretch_mix:
            out = _stretched(out, self)
        if self.unsharp:
            out = out + self.unsharp * (out - cv2.GaussianBlur(out, (0, 0), 1.5))
        return np.clip(out, 0, 1).astype(np.float32)


def scratch_mask(picture: Picture, *, size: int, threshold: float) -> NDArray[np.uint8]:
    """Thin bright or dark marks: where a white or black top-hat of luma exceeds the threshold; 0 or 255."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    hat = np.maximum(
        cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel), cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel)
    )
    # Texture fires everywhere: a mark must stand out from what the top-hat says of its surroundings.
    marks = (hat > threshold + 2 * cv2.blur(hat, (31, 31))).astype(np.uint8) * 255
    return np.asarray(cv2.dilate(marks, np.ones((3, 3), np.uint8)), dtype=np.uint8)


def _without_scratches(picture: Picture, chain: Chain) -> Picture:
    mask = scratch_mask(picture, size=chain.scratch_size, threshold=chain.scratch_threshold)
    coded = np.round(picture * 255).astype(np.uint8)
    filled = cv2.inpaint(coded, mask, chain.inpaint_radius, cv2.INPAINT_TELEA).astype(np.float32) / 255
    return np.where(mask[..., None] > 0, filled, picture).astype(np.float32)


def _noise(picture: Picture) -> float:
    """Robust estimate of the noise in 0…1: the median of |a Laplacian that cancels linear structure|."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    return float(np.median(np.abs(cv2.filter2D(grey, -1, kernel))) / 0.6745)


def _denoised(picture: Picture, chain: Chain) -> Picture:
    out = picture
    if chain.median:
        out = (cv2.medianBlur(np.round(out * 255).astype(np.uint8), chain.median) / 255).astype(np.float32)
    if chain.nlm:
        strength = float(chain.nlm * _noise(out) * 255)
        if strength > 0.5:
            coded = np.round(out * 255).astype(np.uint8)
            smooth = cv2.fastNlMeansDenoisingColored(coded, None, strength, strength, 5, 15)
            out = (smooth / 255).astype(np.float32)
    if chain.tv:
        from skimage.restoration import denoise_tv_chambolle

        out = np.asarray(denoise_tv_chambolle(out, weight=chain.tv, channel_axis=-1), dtype=np.float32)
    return out


def _stretched(picture: Picture, chain: Chain) -> Picture:
    low = np.quantile(picture, chain.low, axis=(0, 1))
    high = np.quantile(picture, 1 - chain.high, axis=(0, 1))
    low = chain.per_channel * low + (1 - chain.per_channel) * low.min()
    high = chain.per_channel * high + (1 - chain.per_channel) * high.max()
    full = np.clip((picture - low) / np.maximum(high - low, 0.05), 0, 1)
    gamma = np.log(0.45) / np.log(np.clip(full.mean(), 0.1, 0.9))
    full = full ** (1 + chain.middle * (gamma - 1))
    return np.asarray(chain.stretch_mix * full + (1 - chain.stretch_mix) * picture, dtype=np.float32)


@cache
def chains() -> Mapping[str, Chain]:
    """The frozen chains by name, with the settings that tuning chose."""
    text = (files("stylizer.evaluation") / "frozen_chains.json").read_text("utf-8")
    return {name: Chain(**settings) for name, settings in json.loads(text)["chains"].items()}


GRID: dict[str, tuple[float, ...]] = {
    "stretch_mix": (0.0, 0.3, 0.5, 0.7, 0.85, 1.0),
    "per_channel": (0.0, 0.25, 0.5, 0.75, 1.0),
    "low": (0.0, 0.0005, 0.002, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1),
    "high": (0.0, 0.0005, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08),
    "middle": (0.0, 0.2, 0.4, 0.6, 0.8),
    "nlm": (0.0, 0.2, 0.35, 0.5, 0.75, 1.0),
    "tv": (0.0, 0.01, 0.02, 0.03, 0.045, 0.06, 0.08),
    "median": (0, 3),
    "scratch_size": (0, 7, 11, 15),
    "scratch_threshold": (0.1, 0.15, 0.22, 0.3),
    "unsharp": (0.0, 0.2, 0.4),
}
FAMILIES: dict[str, tuple[str, ...]] = {
    "denoise": ("nlm", "median"),
    "repair": ("scratch_size", "scratch_threshold"),
    "stretch": ("stretch_mix", "per_channel", "low", "high", "middle"),
    "chain-nlm": tuple(name for name in GRID if name != "tv"),
    "chain-tv": tuple(name for name in GRID if name != "nlm"),
}


def tune(photos: Path, *, family: str, rounds: int = 3) -> tuple[Chain, float]:
    """Coordinate search for the settings of one family by mean PSNR on the mixed tuning pairs."""
    tuning = list(protocol.pairs(photos, part="tuning", kind="mixed"))
    chain = Chain(scratch_size=7 if "scratch_size" in FAMILIES[family] else 0)

    def score(candidate: Chain) -> float:
        return float(np.mean([metrics.psnr(candidate(pair.input), pair.target) for pair in tuning]))

    best = score(chain)
    for _ in range(rounds):
        for name in FAMILIES[family]:
            for value in GRID[name]:
                kind = type(getattr(chain, name))
                candidate = replace(chain, **{name: kind(value)})
                if candidate != chain and (got := score(candidate)) > best + 0.005:
                    chain, best = candidate, got
    return chain, best


def tuned(photos: Path) -> str:
    """Tune every family; the text of frozen_chains.json."""
    found = {family: tune(photos, family=family) for family in FAMILIES}
    result = {
        "protocol": protocol.PROTOCOL,
        "tuned_on": "mixed tuning pairs, mean PSNR",
        "tuning_psnr": {family: round(score, 3) for family, (_, score) in found.items()},
        "chains": {family: asdict(chain) for family, (chain, _) in found.items()},
    }
    return json.dumps(result, indent=1) + "\n"
