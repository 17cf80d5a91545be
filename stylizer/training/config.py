"""What a training run is: a frozen description, read from TOML, written whole into checkpoints and cards."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from stylizer.damage import DEFAULT, Ranges


@dataclass(frozen=True)
class Adversary:
    """The adversarial part; a `weight` of zero leaves it out.

    critic: classic, patch or unet, `width` channels at its first level; loss: cross-entropy, least-squares, hinge or
    relativistic; r1: weight of the critic's gradient penalty, every `r1_every` steps; outside: 0…1 what a place outside
    the true damage counts; start: the detail step it begins at, the critic alone for `alone` steps, its weight rising
    for `ramp` more.
    """

    weight: float = 0.0
    critic: str = "unet"
    width: int = 32
    loss: str = "hinge"
    rate: float = 2e-4
    beta: float = 0.5
    clip: float = 1.0
    r1: float = 0.0
    r1_every: int = 16
    outside: float = 0.1
    augment: tuple[str, ...] = ("colour", "translation", "cutout")
    start: int = 0
    alone: int = 200
    ramp: int = 500


@dataclass(frozen=True)
class Watch:
    """Validation on photographs kept back from training, and when to stop.

    every: steps between validations, 0 for none; share: of the photographs kept back; pictures: validation pairs;
    metric: the figure that decides, higher being better; patience: validations without a new best before the run ends,
    0 for never; target: the run ends when the metric reaches it; collapse: the largest share of logged steps in a row
    (`collapse_steps` of them) in which the critic may be right about everything.
    """

    every: int = 0
    share: float = 0.05
    pictures: int = 48
    metric: str = "gain_db"
    patience: int = 0
    target: float | None = None
    collapse: float = 0.995
    collapse_steps: int = 20


@dataclass(frozen=True)
class Restore:
    """Training of the restorer. Sizes are pixels, rates per step; `seed` decides every pair, crop, first weight."""

    seed: int = 20261123
    network: str = "restorer"
    architecture: Mapping[str, Any] = field(default_factory=dict)
    damage: Ranges = DEFAULT
    # tone stage
    tone_steps: int = 3000
    tone_batch: int = 64
    tone_pictures: int = 4000
    tone_rate: float = 1e-3
    tone_decay: float = 1e-3
    tone_sound: float = 0.0
    tone_muted: float = 0.0
    tone_sure: float = 0.1
    tone_votes: bool = False
    tone_harm: float = 0.0
    # detail stage
    target: str = "toned"
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
    harm_weight: float = 0.0
    identity_weight: float = 0.0
    frequency_weight: float = 0.05
    mask_weight: float = 0.3
    mask_positive: float = 2.0
    gate_weight: float = 0.05
    judge_harm: float = 1.0
    perceptual_weight: float = 0.0
    perceptual: str = "squeezenet"
    adversary: Adversary = Adversary()
    bf16: bool = True
    compile: bool = False
    # pairs made ahead
    shard: int = 200
    side: int = 224
    pool: int = 20
    refresh: int = 150
    # records
    log_every: int = 50
    save_every: int = 500
    watch: Watch = Watch()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


Section = TypeVar("Section")
PACKAGED = ("restore", "judge", "perceptual", "classic", "minute", "accelerated")


def load(path: Path | None = None) -> Restore:
    """Settings from a TOML file, or packaged ones by their name (None: `restore`).

    Raises ValueError for a setting that does not exist.
    """
    name = str(path) if path else "restore"
    text = (
        (files("stylizer.training") / f"{name}.toml").read_text("utf-8")
        if name in PACKAGED
        else Path(name).read_text("utf-8")
    )
    return from_dict(tomllib.loads(text))


def from_dict(values: Mapping[str, Any]) -> Restore:
    """Settings from plain values, as TOML and checkpoints hold them. Raises ValueError naming what is unknown."""
    return section(Restore, values, "training settings")


def section(kind: type[Section], values: Mapping[str, Any], where: str) -> Section:
    """A frozen section of settings from plain values. Raises ValueError naming what is unknown."""
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - known):
        raise ValueError(f"{where}: {', '.join(unknown)} unknown; expected names among {sorted(known)}")
    hints = get_type_hints(kind)
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if is_dataclass(hints[name]) and isinstance(value, Mapping):
            value = section(hints[name], value, f"{where}, [{name}]")
        plain[name] = tuple(value) if isinstance(value, list) else value
    return kind(**plain)
