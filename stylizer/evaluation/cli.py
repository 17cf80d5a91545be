"""`python -m stylizer evaluate --recipe RECIPE --pairs DIR [--baselines] [--features DIR] [--out REPORT]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from stylizer.cards import packaged_card
from stylizer.engine import Engine
from stylizer.evaluation import baselines, distances, folder, measures, metrics, report
from stylizer.models import features
from stylizer.recipe import load_spec, resolve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--recipe", required=True, help="a preset, a chain of presets, or a TOML or JSON file"
    )
    parser.add_argument("--pairs", type=Path, required=True, help="folder with input/NAME and target/NAME")
    parser.add_argument(
        "--baselines", action="store_true", help="the frozen classical chains beside the recipe"
    )
    parser.add_argument(
        "--features", type=Path,
        help="folder with the weights of AlexNet (LPIPS) and SqueezeNet (distances between sets)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="write all figures as JSON here")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: CUDA where there is one")


def run(args: argparse.Namespace) -> int:
    """Print a table for each measure, every kind beside its own input, and the worst pictures; 0 on success."""
    recipe = resolve(load_spec(args.recipe), cards=packaged_card)
    pairs = folder.find(args.pairs)
    results = {
        str(pair.input): picture
        for pair, picture in folder.restored(pairs, Engine(device=args.device), recipe)
    }
    chains: Mapping[str, report.Method] = dict(baselines.chains()) if args.baselines else {}
    measured = report.compare(
        ((pair.load(), {"recipe": results[str(pair.input)]}) for pair in pairs),
        methods=chains,
        measures=measures.perceptual(args.features) if args.features else None,
    )
    names = ["input", "recipe", *chains]
    figures = ["psnr", "ssim", "outside"] + (["lpips-alexnet"] if args.features else [])
    for figure in figures:
        print(f"{figure}\n{measured.table(names, figure=figure)}\n")
    print("worst: " + ", ".join(f"{w.kind} {w.name} {w.gain:+.2f} dB" for w in measured.worst("recipe")))
    text: dict[str, object] = {"recipe": recipe.digest, "pairs": len(pairs), **measured.to_dict()}
    if args.features:
        text["distances"] = _apart(args.features, pairs, results)
        print(json.dumps(text["distances"]))
    if args.out:
        args.out.write_text(json.dumps(text, indent=1) + "\n", "utf-8")
    return 0


def _apart(
    features_folder: Path, pairs: Sequence[folder.FilePair], results: Mapping[str, metrics.Picture]
) -> dict[str, float]:
    """Distances of damaged and of restored pictures to the originals, as sets."""
    network = features.load("squeezenet", features_folder)
    loaded = [pair.load() for pair in pairs]
    goal = distances.samples(network, (pair.target for pair in loaded))
    sets = {
        "input": distances.samples(network, (pair.input for pair in loaded)),
        "recipe": distances.samples(network, (results[str(pair.input)] for pair in pairs)),
    }
    measured = {
        f"frechet-squeezenet-fire9 {name}": distances.frechet(one, goal) for name, one in sets.items()
    }
    return measured | {
        f"kernel-squeezenet-fire9 {name}": distances.kernel(one, goal) for name, one in sets.items()
    }
