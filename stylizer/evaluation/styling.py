"""Judging a style: how near its unseen pictures, what is left of the content; beside untouched content and Reinhard.

`python -m stylizer.evaluation.styling --recipe style/NAME --contents DIR --style DIR --features DIR [--sheet PNG]`

Distances are over the layers of VGG16 (relu1_2, 2_2, 3_3, 4_3, 5_3), which training looked through too, and over those
of AlexNet, which nothing was trained with. The goal is the mean Gram matrix of style pictures that training kept back.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from stylizer.cards import Weights, packaged_by_digest, packaged_card
from stylizer.engine import Engine, Source
from stylizer.evaluation.folder import read
from stylizer.evaluation.metrics import Picture
from stylizer.evaluation.restoring import to_tensor
from stylizer.models import features
from stylizer.recipe import Recipe, load_spec, resolve
from stylizer.training import likeness, photos

SIDE = 224  # contents are judged by their middle square, enlarged by no one
STYLE_SIDE = 640  # as in training: the long side style pictures are reduced to
KEPT = 0.2  # the share of a style's pictures that training kept back
NETWORKS = ("vgg16", "alexnet")
DRAWS = 2000

# RGB to LMS, and from the logarithm of LMS to l, alpha and beta (Reinhard et al. 2001).
_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
_LAB = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])


@dataclass(frozen=True)
class Tone:
    """Means and spreads (3,) of l, alpha and beta over a picture or a folder."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]


def tone_of(pictures: Sequence[Picture]) -> Tone:
    """Over all pixels of all pictures."""
    flat = np.concatenate([_opponent(picture).reshape(-1, 3) for picture in pictures])
    return Tone(flat.mean(0), flat.std(0))


def reinhard(picture: Picture, wanted: Tone) -> Picture:
    """Colour transfer: each of l, alpha and beta given the mean and spread that are wanted; float32 in 0…1."""
    values = _opponent(picture)
    mean, spread = values.mean((0, 1)), values.std((0, 1))
    moved = (values - mean) / np.maximum(spread, 1e-4) * wanted.spread + wanted.mean
    lms = np.exp(moved @ np.linalg.inv(_LAB).T)
    rgb = np.clip(lms @ np.linalg.inv(_LMS).T, 0, 1)
    return np.asarray(rgb, dtype=np.float32)


def _opponent(picture: Picture) -> NDArray[np.float64]:
    lms = np.maximum(picture.astype(np.float64), 1 / 255) @ _LMS.T
    return np.asarray(np.log(np.maximum(lms, 1e-4)) @ _LAB.T)


def edge_ssim(made: Picture, content: Picture) -> float:
    """SSIM (Gaussian window, sigma 1.5; data range 1) of Sobel magnitudes of luma: what is left of the drawing."""
    from skimage.metrics import structural_similarity

    one, other = (_edges(picture) for picture in (made, content))
    return float(
        structural_similarity(
            one, other, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def _edges(picture: Picture) -> NDArray[np.float32]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    x, y = (cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx, ksize=3) / 4 for dx in (1, 0))
    return np.asarray(np.hypot(x, y), dtype=np.float32)


def light_kept(made: Picture, content: Picture) -> float:
    """The correlation of luma in cells of 8 px, −1…1: below zero the picture is a negative."""
    one, other = (
        cv2.resize(
            cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA
        )
        for picture in (made, content)
    )
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@dataclass
class Judge:
    """Feature networks and the goal of one style: for each network the mean Gram matrices of its unseen pictures."""

    networks: Mapping[str, features.Features]
    goals: Mapping[str, likeness.Grams]

    @classmethod
    @torch.inference_mode()
    def of(cls, unseen: Sequence[Picture], folder: Path) -> Judge:
        networks = {name: features.load(name, folder) for name in NETWORKS}
        goals = {}
        for name, network in networks.items():
            grams = [likeness.grams(network(to_tensor(picture))) for picture in unseen]
            goals[name] = [torch.stack(layer).mean(0) for layer in zip(*grams, strict=True)]
        return cls(networks, goals)

    @torch.inference_mode()
    def measure(
        self, made: Picture, content: Picture, known: Sequence[Tensor] | None = None
    ) -> dict[str, float]:
        """Distances to the style and to the content. known: VGG's layers of the content, where they are at hand."""
        found: dict[str, float] = {}
        for name, network in self.networks.items():
            layers = network(to_tensor(made))
            found[f"gram-{name}"] = float(likeness.style_distance(layers, self.goals[name]))
            if name == "vgg16":
                before = known or network(to_tensor(content))
                found["lpips-vgg"] = _lpips(layers, before, network)
        found["edge-ssim"] = edge_ssim(made, content)
        found["light"] = light_kept(made, content)
        return found

    @torch.inference_mode()
    def see(self, content: Picture) -> list[Tensor]:
        layers: list[Tensor] = self.networks["vgg16"](to_tensor(content))
        return layers


def _lpips(one: Sequence[Tensor], other: Sequence[Tensor], network: features.Features) -> float:
    parts = [
        ((features.unit(a) - features.unit(b)).square() * weight.reshape(1, -1, 1, 1)).sum(1).mean()
        for a, b, weight in zip(one, other, network.lins, strict=True)
    ]
    return float(torch.stack(parts).sum())


def below(
    method: NDArray[np.float64], other: NDArray[np.float64], *, seed: int = 1
) -> tuple[float, float, float]:
    """By what share the mean of one lies below that of the other, with the 95 % interval over contents (bootstrap)."""
    draws = np.random.default_rng(seed).integers(0, len(method), (DRAWS, len(method)))
    shares = 1 - method[draws].mean(1) / other[draws].mean(1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(1 - method.mean() / other.mean()), float(low), float(high)


def middle(picture: Picture, side: int = SIDE) -> Picture:
    """The middle square of `side`, or as much as there is of it, on multiples of 8."""
    down, across = (min(side, length) // 8 * 8 for length in picture.shape[:2])
    top, left = (picture.shape[0] - down) // 2, (picture.shape[1] - across) // 2
    return np.ascontiguousarray(picture[top : top + down, left : left + across])


def reduced(picture: Picture, side: int = STYLE_SIDE) -> Picture:
    """By area, to a long side of at most `side`."""
    scale = side / max(picture.shape[:2])
    return (
        picture
        if scale >= 1
        else np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    )


def stylised(
    engine: Engine, recipe: Recipe, contents: Sequence[Picture], reference: Path | None = None
) -> list[Picture]:
    """Through the engine, as 8-bit files, whole."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(contents):
            path = Path(folder) / f"{number}.png"
            Image.fromarray((content * 255).round().astype(np.uint8)).save(path)
            style = Source(reference) if reference else None
            made = engine.apply(Source(path), recipe, out=Path(folder), name=f"made{number}", reference=style)
            found.append(read(made.output))
    return found


def judge(
    recipe: Recipe,
    contents: Sequence[Picture],
    paths: Sequence[Path],
    folder: Path,
    *,
    sheet: Path | None = None,
    weights: Callable[[str], Weights] = packaged_by_digest,
) -> dict[str, object]:
    """All figures of a named style: per method the means, per comparison the share below with its interval."""
    learnt, unseen = photos.kept_back(paths, KEPT)
    judging = Judge.of([middle(reduced(read(path)), 320) for path in unseen], folder)
    wanted = tone_of([reduced(read(path), 200) for path in learnt])
    made = stylised(Engine(device="cpu", weights=weights), recipe, contents)
    methods = {
        "content": list(contents),
        "reinhard": [reinhard(content, wanted) for content in contents],
        "style": made,
    }
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    for place, content in enumerate(contents):
        known = judging.see(content)
        for name, pictures in methods.items():
            rows[name].append(judging.measure(pictures[place], content, known))
    if sheet is not None:
        write_sheet(sheet, methods, [middle(reduced(read(path))) for path in unseen])
    return told(rows, unseen=len(unseen), learnt=len(learnt))


def told(rows: Mapping[str, Sequence[Mapping[str, float]]], *, unseen: int, learnt: int) -> dict[str, object]:
    table = {
        name: {figure: np.array([row[figure] for row in found]) for figure in found[0]}
        for name, found in rows.items()
    }
    compared = {
        f"{figure} below {other}": [
            round(value, 4) for value in below(table["style"][figure], table[other][figure])
        ]
        for figure in ("gram-vgg16", "gram-alexnet")
        for other in ("content", "reinhard")
    }
    return {
        "contents": len(rows["style"]), "unseen_style_pictures": unseen, "style_pictures_learnt_from": learnt,
        "means": {name: {f: round(float(v.mean()), 4) for f, v in row.items()} for name, row in table.items()},
        "worst": {"edge-ssim": round(float(table["style"]["edge-ssim"].min()), 4),
                  "lpips-vgg": round(float(table["style"]["lpips-vgg"].max()), 4),
                  "light": round(float(table["style"]["light"].min()), 4)},
        "share_below": compared,
    }  # fmt: skip


def write_sheet(
    path: Path, methods: Mapping[str, Sequence[Picture]], unseen: Sequence[Picture], rows: int = 6
) -> None:
    """At 1:1, a row a content: content, Reinhard, style; at the right unseen pictures of the style."""
    strips = []
    for place in range(min(rows, len(methods["content"]))):
        cells = [pictures[place] for pictures in methods.values()] + [unseen[place % len(unseen)]]
        strips.append(np.concatenate([_fitted(cell) for cell in cells], 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.concatenate(strips) * 255).round().astype(np.uint8)).save(path)


def _fitted(picture: Picture) -> Picture:
    cell = np.ones((SIDE, SIDE, 3), np.float32)
    cell[: picture.shape[0], : picture.shape[1]] = picture[:SIDE, :SIDE]
    return cell


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m stylizer.evaluation.styling")
    parser.add_argument("--recipe", required=True, help="a style's preset, or a TOML or JSON file")
    parser.add_argument(
        "--contents", type=Path, nargs="+", required=True, help="pictures nothing was learnt from"
    )
    parser.add_argument(
        "--style", type=Path, required=True, help="the folder of the style; what training kept back counts"
    )
    parser.add_argument("--features", type=Path, required=True, help="folder with VGG16 and AlexNet")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sheet", type=Path, help="a PNG at 1:1, to look at")
    args = parser.parse_args(arguments)
    recipe = resolve(load_spec(args.recipe), cards=packaged_card)
    contents = [middle(read(path)) for path in args.contents]
    figures = judge(recipe, contents, photos.find([args.style]), args.features, sheet=args.sheet)
    text = json.dumps({"recipe": recipe.digest, **figures}, indent=1)
    print(text)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
