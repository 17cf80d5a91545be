"""`python -m stylizer evaluate --recipe RECIPE --pairs DIR [--baselines] [--out REPORT]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from stylizer.cards import packaged_card
from stylizer.engine import Engine
from stylizer.evaluation import baselines, folder, report
from stylizer.recipe import load_spec, resolve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--recipe", required=True, help="a preset, a chain of presets, or a TOML or JSON file"
    )
    parser.add_argument("--pairs", type=Path, required=True, help="folder with input/NAME and target/NAME")
    parser.add_argument(
        "--baselines", action="store_true", help="the frozen classical chains beside the recipe"
    )
    parser.add_argument("--out", type=Path, help="write all figures as JSON here")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: CUDA where there is one")


def run(args: argparse.Namespace) -> int:
    """Print one table of PSNR and one of SSIM, every kind beside its own input; 0 on success."""
    recipe = resolve(load_spec(args.recipe), cards=packaged_card)
    pairs = folder.find(args.pairs)
    results = {
        str(pair.input): picture
        for pair, picture in folder.restored(pairs, Engine(device=args.device), recipe)
    }
    chains: Mapping[str, report.Method] = dict(baselines.chains()) if args.baselines else {}
    measured = report.compare(
        ((pair.load(), {"recipe": results[str(pair.input)]}) for pair in pairs), methods=chains
    )
    names = ["input", "recipe", *chains]
    print(measured.table(names), measured.table(names, figure="ssim"), sep="\n\n")
    if args.out:
        text = {"recipe": recipe.digest, "pairs": len(pairs), **measured.to_dict()}
        args.out.write_text(json.dumps(text, indent=1) + "\n", "utf-8")
    return 0
