"""`python -m stylizer.damage.sheet --clean DIR --real DIR --out PNG`: simulated ageing beside real, and its figures.

Rows alternate without a label (the key is printed): whoever looks can try to tell them apart.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylizer.damage.pipeline import age
from stylizer.damage.ranges import DEFAULT
from stylizer.damage.statistics import quartiles
from stylizer.training import photos

SIDE = 224


def crops(paths: Sequence[Path], count: int, rng: np.random.Generator, *, side: int = SIDE) -> Tensor:
    """`count` random squares (count, 3, side, side) of random pictures; those that are too small are enlarged."""
    chosen = [paths[i] for i in rng.choice(len(paths), count, replace=count > len(paths))]
    found = []
    for path in chosen:
        picture = photos.read(path)
        if min(picture.shape[2:]) < side:
            scale = side / min(picture.shape[2:])
            picture = torch.nn.functional.interpolate(picture, scale_factor=scale * 1.001, mode="bilinear")
        found.append(photos.cut(picture, side, rng))
    return torch.cat(found)


def contact_sheet(simulated: Tensor, real: Tensor, *, columns: int, seed: int) -> tuple[Image.Image, str]:
    """The sheet, and its key: S or R for each picture, row by row."""
    rng = np.random.default_rng(seed)
    both = [(picture, "S") for picture in simulated] + [(picture, "R") for picture in real]
    order = rng.permutation(len(both))
    rows, key = [], []
    for start in range(0, len(order), columns):
        places = order[start : start + columns]
        cells = [both[place][0] for place in places]
        cells += [torch.ones_like(cells[0])] * (columns - len(cells))
        rows.append(torch.cat(cells, 2))
        key.append("".join(both[place][1] for place in places))
    sheet = torch.cat(rows, 1).clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(sheet), "\n".join(key)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sheet; print its key and the figures of grain and paper, simulated beside real."""
    parser = argparse.ArgumentParser(prog="python -m stylizer.damage.sheet")
    parser.add_argument("--clean", type=Path, nargs="+", required=True, help="folders of clean photographs")
    parser.add_argument("--real", type=Path, nargs="+", required=True, help="folders of old photographs")
    parser.add_argument("--out", type=Path, required=True, help="the sheet, a PNG")
    parser.add_argument("--pictures", type=int, default=18, help="of each sort (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    rng = np.random.default_rng(args.seed)
    clean = crops(photos.find(args.clean), args.pictures, rng)
    aged = age(clean, torch.Generator().manual_seed(args.seed), ranges=DEFAULT).damaged
    real = crops(photos.find(args.real), args.pictures, rng)
    sheet, key = contact_sheet(aged, real, columns=6, seed=args.seed)
    sheet.save(args.out, format="PNG")
    print(f"{args.out}\n{key}\n(S simulated, R real)")
    simulated, found = quartiles(aged), quartiles(real)
    print(f"{'':10} {'simulated: 25 %, median, 75 %':32} real")
    for name, values in simulated.items():
        print(f"{name:10} {_three(values):32} {_three(found[name])}")
    return 0


def _three(values: tuple[float, float, float]) -> str:
    return " ".join(f"{value:+.3f}" for value in values)


if __name__ == "__main__":
    sys.exit(main())
