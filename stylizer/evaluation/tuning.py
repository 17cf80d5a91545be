"""Settings of a release, chosen on the tuning pictures: how sure the gates must be before anything is changed.

`python -m stylizer.evaluation.tuning --detail RUN --tone RUN --photos DIR`: the network sees every tuning picture once;
then floors and tone settings are tried on what it said. Chosen is what restores mixed damage best among the settings
that keep the promise: no single kind more than `ALLOWED` dB below its own input, sound pictures at `SOUND` dB or more.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from stylizer.evaluation import metrics, protocol
from stylizer.evaluation.restoring import mirrored, thumbnail, to_tensor
from stylizer.models import Restorer, create

ALLOWED = 0.3
SOUND = 45.0
MARGIN = 48  # pixels mirrored around a picture: less than the halo, since comparing needs no exact borders
GRID: Mapping[str, tuple[float, ...]] = {
    "gate_floor": (0.05, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.93),
    "tone_floor": (0.6, 0.7, 0.8, 0.9, 0.93, 0.945),
    "tone_restraint": (0.0, 0.7),
    "tone_deepen": (0.0, 0.7),
}


@dataclass(frozen=True)
class Seen:
    """What a network said about one pair: the residual with the gate fully open to its own say, and the gate."""

    pair: protocol.Pair
    residual: Tensor
    gate: Tensor


@dataclass(frozen=True)
class Outcome:
    """Settings and what they give: mean gain over the input in dB per kind, and the PSNR of sound pictures."""

    settings: Mapping[str, float]
    gains: Mapping[str, float]
    sound: float

    @property
    def worst(self) -> float:
        """The gain of the single kind that fares worst."""
        return min(gain for kind, gain in self.gains.items() if kind != "mixed")

    @property
    def harmless(self) -> bool:
        return self.worst >= -ALLOWED and self.sound >= SOUND


@torch.inference_mode()
def look(network: Restorer, pairs: Iterable[protocol.Pair]) -> list[Seen]:
    """Every pair through the network, once."""
    network.gate_floor, seen = 0.0, []
    halo = min(network.halo, MARGIN)
    for pair in pairs:
        height, width = pair.input.shape[:2]
        padded = mirrored(to_tensor(pair.input), halo=halo, stride=network.stride)
        out = network(padded.contiguous(memory_format=torch.channels_last))
        inner = (..., slice(halo, halo + height), slice(halo, halo + width))
        seen.append(Seen(pair, out.residual[inner].half(), out.gate[inner].half()))
    return seen


@torch.inference_mode()
def outcome(network: Restorer, seen: Sequence[Seen], settings: Mapping[str, float]) -> Outcome:
    """The gains of these settings. The residual is linear in the cut gate, so nothing has to be computed again."""
    floor = settings["gate_floor"]
    tone = network.tone_net
    tone.floor, tone.restraint = settings["tone_floor"], settings["tone_restraint"]
    tone.deepen = settings["tone_deepen"]
    gains, sound = defaultdict(list), []
    for one in seen:
        gate, x = one.gate.float(), to_tensor(one.pair.input)
        full = (gate / 0.95).clamp(1e-6, 1)
        cut = ((gate - floor) / (0.95 - floor)).clamp(0, 1)
        out = x + one.residual.float() * (cut / full)
        if settings["tone_floor"] < 1:
            out = network.apply_tone(out, network.tone(thumbnail(x)))
        result = np.asarray(((out.clamp(0, 1) * 255).round() / 255)[0].permute(1, 2, 0).numpy(), np.float32)
        after = metrics.psnr(result, one.pair.target)
        if one.pair.kind == "clean":
            sound.append(after)
        else:
            gains[one.pair.kind].append(after - metrics.psnr(one.pair.input, one.pair.target))
    means = {kind: float(np.mean(values)) for kind, values in gains.items()}
    return Outcome(dict(settings), means, float(np.mean(sound)) if sound else 100.0)


def choose(network: Restorer, seen: Sequence[Seen]) -> tuple[Outcome, list[Outcome]]:
    """The best harmless settings on mixed damage (the least harmful, where none is), and all that were tried.

    The gate of detail is set first, tone shut; then tone, with that gate.
    """
    shut = {"tone_floor": 1.0, "tone_restraint": 0.0, "tone_deepen": 0.0}
    details = [outcome(network, seen, {"gate_floor": floor, **shut}) for floor in GRID["gate_floor"]]
    detail = _best(details)
    tones = [
        outcome(network, seen, {"gate_floor": detail.settings["gate_floor"], "tone_floor": floor,
                                "tone_restraint": restraint, "tone_deepen": deepen})
        for floor, restraint, deepen in product(*(GRID[name] for name in list(GRID)[1:]))
    ]  # fmt: skip
    tried = [*details, *tones]
    return _best(tried), tried


def _best(tried: Sequence[Outcome]) -> Outcome:
    harmless = [one for one in tried if one.harmless]
    if harmless:
        return max(harmless, key=lambda one: one.gains["mixed"])
    return max(tried, key=lambda one: min(one.worst, (one.sound - SOUND) / 10))


def table(outcomes: Sequence[Outcome]) -> str:
    """One line a setting: mixed, worst single kind, sound."""
    lines = ["| settings | mixed | worst kind | sound |", "|---|---|---|---|"]
    for one in outcomes:
        name = min((kind for kind in one.gains if kind != "mixed"), key=lambda kind: one.gains[kind])
        words = " ".join(f"{value:g}" for value in one.settings.values())
        lines.append(f"| {words} | {one.gains['mixed']:+.2f} | {name} {one.worst:+.2f} | {one.sound:.1f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was chosen as JSON, with its gains."""
    from stylizer.evaluation.release import joined, read  # the release imports nothing of this

    parser = argparse.ArgumentParser(prog="python -m stylizer.evaluation.tuning")
    parser.add_argument("--detail", type=Path, required=True, help="folder of a run or of a release")
    parser.add_argument("--tone", type=Path, required=True, help="folder of a run or of a release")
    parser.add_argument("--photos", type=Path, required=True, help="folder with the tuning pictures")
    args = parser.parse_args(arguments)
    detail, tone = read(args.detail), read(args.tone)
    shape: dict[str, Any] = dict(detail.config["architecture"])
    network = cast(Restorer, create(detail.config.get("network", "restorer"), **shape)).eval()
    network.load_state_dict({key: value.float() for key, value in joined(detail, tone).items()})
    pairs = chain.from_iterable(protocol.pairs(args.photos, part="tuning", kind=k) for k in protocol.kinds())
    best, tried = choose(network, look(network, pairs))
    print(table(tried))
    print(json.dumps({"settings": best.settings, "gains": best.gains, "sound": best.sound}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
