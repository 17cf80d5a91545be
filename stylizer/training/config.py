"""What a training run is: a frozen description, read from TOML, written whole into checkpoints and cards."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from stylizer.damage import DEFAULT, Ranges


@dataclass(frozen=True)
class Restore:
    """Training of the restorer. Sizes are pixels, rates per step; `seed` decides every pair, crop, first weight."""

    seed: int = 20261123
    architecture: Mapping[str, Any] = field(default_factory=dict)
    damage: Ranges = DEFAULT
    # tone stage
    tone_steps: int = 3000
    tone_batch: int = 64
    tone_pictures: int = 4000
    tone_rate: float = 1e-3
    tone_decay: float = 1e-3
    # detail stage
    steps: int = 1_000_000
    batch: int = 12
    crop: int = 128
    rate: float = 1e-3
    final_rate: float = 1e-5
    warmup: int = 300
    weight_decay: float = 1e-4
    clip: float = 1.0
    ema: float = 0.999
    relative_weight: float = 0.05
    frequency_weight: float = 0.05
    mask_weight: float = 0.3
    mask_positive: float = 2.0
    gate_weight: float = 0.05
    bf16: bool = True
    # pairs made ahead
    shard: int = 200
    side: int = 224
    pool: int = 20
    refresh: int = 150
    # records
    log_every: int = 50
    save_every: int = 500

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def load(path: Path | None = None) -> Restore:
    """The packaged defaults, or a TOML file laid over them. Raises ValueError for a name that does not exist."""
    text = (
        path.read_text("utf-8") if path else (files("stylizer.training") / "restore.toml").read_text("utf-8")
    )
    return from_dict(tomllib.loads(text))


def from_dict(values: Mapping[str, Any]) -> Restore:
    known = {item.name for item in fields(Restore)}
    if unknown := sorted(set(values) - known):
        raise ValueError(
            f"training settings: {', '.join(unknown)} unknown; expected names among {sorted(known)}"
        )
    plain = dict(values)
    given: Mapping[str, Any] = plain.pop("damage", {})
    damage: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    return Restore(damage=Ranges(**damage), **plain)
