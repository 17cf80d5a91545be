"""`python -m stylizer.damage PICTURE … --out DIR`: age pictures by simulation, repeatably; 16-bit TIFF out.

Each picture is aged by a seed of its own name, so that adding one does not change the others.
"""

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylizer.damage import DEFAULT, age
from stylizer.imageio import DerivativeWriter, open_picture

# Every picture aged, and by enough to see: no identity, more scratches, dust and fading than in training.
CERTAIN = {
    "fade": 0.9,
    "yellow": 0.75,
    "scratches": 0.95,
    "dust": 0.8,
    "grain": 0.6,
    "crease": 0.35,
    "stain": 0.35,
}
NEVER = {"identity": 0.0, "halftone": 0.0, "jpeg": 0.0, "resample": 0.0, "corner": 0.0, "hole": 0.0}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m stylizer.damage", description=__doc__)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for path in arguments.pictures:
        age_file(path, arguments.out / f"{path.stem}.tif")
    return 0


def age_file(path: Path, target: Path) -> None:
    """One picture, 8 or 16 bits, grey or RGB, to a 16-bit TIFF at 300 ppi, its profile kept."""
    with open_picture(path) as picture:
        facts = picture.facts
        pixels = picture.read(0, facts.height)[..., : facts.bands - facts.alpha]
    colours = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    clean = torch.from_numpy(colours.astype(np.float32) / np.iinfo(facts.dtype).max).permute(2, 0, 1)[None]
    seed = int.from_bytes(hashlib.sha256(path.stem.encode()).digest()[:6], "big")
    settings: dict[str, Any] = {**CERTAIN, **NEVER}
    ranges = replace(DEFAULT, **settings)
    aged = age(clean, torch.Generator().manual_seed(seed), ranges=ranges).damaged[0].permute(1, 2, 0).numpy()
    with DerivativeWriter(
        target,
        width=facts.width,
        height=facts.height,
        bands=3,
        bits=16,
        colour="rgb",
        icc=facts.icc,
        ppi=(300.0, 300.0),
    ) as writer:
        writer.write(np.rint(aged * 65535).astype(np.uint16))


if __name__ == "__main__":
    raise SystemExit(main())
