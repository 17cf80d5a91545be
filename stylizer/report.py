"""What the engine says of a run: what it was given, what it made, by what, and how far the two differ."""

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Report:
    """All digests are SHA-256 in hexadecimal; times are ISO 8601 in UTC; shares 0…1; `psnr` in dB.

    `trust` as `trust.Trust.to_dict`; `arithmetic` is what the network computed in ("fp32" or "bf16"); `tile` are the
    rows and columns the network saw at once, halo included; `batch` is how many tiles were worked on at once.
    `enlarged` is how many times as wide the output is; if more than once, `changed_share`, `psnr` and `ssim` compare it
    with the source plainly enlarged (Lanczos' kernel), and so say what the network added.
    """

    source_sha256: str
    source_pixel_sha256: str
    output_sha256: str
    output_pixel_sha256: str
    recipe: str
    width: int
    height: int
    bands: int
    bits: int
    changed_share: float
    psnr: float
    ssim: float
    damaged_share: float
    trust: dict[str, object]
    precision: str
    arithmetic: str
    tile: tuple[int, int]
    tiles: int
    batch: int
    device: str
    fingerprint: str
    software: dict[str, str]
    started: str
    ended: str
    seconds: float
    reference_sha256: str | None = None  # of the style picture, where there was one
    enlarged: int = 1

    def to_dict(self) -> dict[str, Any]:
        """As JSON: equal pictures have no finite PSNR, and JSON knows no infinity, so it is null."""
        return asdict(self) | {"psnr": None if math.isinf(self.psnr) else round(self.psnr, 4)}
