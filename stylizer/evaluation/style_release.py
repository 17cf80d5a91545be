"""From a style's run to a release: weights in half precision, the judgement, the card, and its page in words.

`python -m stylizer.evaluation.style_release --run RUN --words WORDS.toml --contents DIR … --style DIR --features DIR`
writes `stylizer/weights/NAME/{model.safetensors,card.json}` and `docs/models/NAME.md`. What a person says is in the
TOML; every figure comes from the run and from the judgement. Of a network that takes its style from a picture, the folder
STYLE holds a folder for each style it learnt from.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylizer.cards import WEIGHTS, Card, Weights
from stylizer.evaluation import by_reference, styling
from stylizer.evaluation.folder import read
from stylizer.evaluation.release import write_weights
from stylizer.recipe import Recipe, resolve
from stylizer.training import photos, state, style_pictures

DOCS = Path(__file__).parents[2] / "docs" / "models"
AIMS = {"gram": 0.2, "edge-ssim": 0.45, "lpips-vgg": 0.60}


def release(run: Path, words: Path, *, out: Path | None = None) -> Path:
    """Weights and a card without figures yet, from a run's checkpoint; returns the folder."""
    prose = tomllib.loads(words.read_text("utf-8"))
    saved = state.load(run / "checkpoint.pt")
    config = json.loads(saved["config"])
    eased = prose.pop("eased", {})
    average = ease(saved["average"], config["architecture"], eased)
    shape = dict(config["architecture"])
    folder = out or WEIGHTS / prose["name"]
    tensors = {name: value.half().contiguous() for name, value in sorted(average.items())}
    digest = write_weights(tensors, folder / "model.safetensors")
    training = prose.pop("training", {}) | {
        "steps": saved["step"], "seconds": round(saved["seconds"]), "config": config,
    }  # fmt: skip
    if eased:
        training["eased"] = eased
    card = {
        "schema": 1, **prose, "operation": "stylise", "architecture": "stylist", "arguments": shape,
        "reference": bool(shape.get("encoder")), "weights": digest,
        "weights_file": {"bytes": (folder / "model.safetensors").stat().st_size, "dtype": "float16"},
        "training": training, "metrics": {},
    }  # fmt: skip
    write_card(folder, card)
    return folder


def ease(
    average: Mapping[str, Tensor], architecture: dict[str, Any], eased: Mapping[str, Any]
) -> dict[str, Tensor]:
    """What a person chose by eye after training: how strongly what was learnt is put on, and on what.

    eased: `drawn`, a share of the learnt strokes; `laid`, other arguments of what lies beneath them; `colours`, the
    change of colours as twelve numbers (a matrix row by row, an offset), whatever code and training say.
    """
    found = dict(average)
    for name in ("head.0.weight", "head.0.bias"):
        found[name] = found[name] * eased.get("drawn", 1.0)
    if "laid" in eased:
        architecture["laid"] = {**architecture["laid"], **eased["laid"]}
    if "colours" in eased:
        found["colour.weight"] = torch.zeros_like(found["colour.weight"])
        found["colour.bias"] = torch.tensor(eased["colours"], dtype=found["colour.bias"].dtype)
    return found


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    (folder / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")


def judged(
    folder: Path, contents: Sequence[Path], style: Path, features: Path, *, sheet: Path | None = None
) -> dict[str, Any]:
    """Judge a style's release and write the figures into its card; returns the card."""
    card: dict[str, Any] = json.loads((folder / "card.json").read_text("utf-8"))
    typed = Card.from_dict(card)
    weights = Weights(folder / "model.safetensors", typed)
    pictures = [styling.middle(read(path)) for path in contents]

    def recipe(reference: str | None = None) -> Recipe:
        return resolve({"steps": [{"model": typed.name}]}, cards={typed.name: typed}, reference=reference)

    if card["reference"]:
        card["metrics"] = by_reference.judge(
            recipe, pictures, unseen_of(style), features, sheet=sheet, weights=lambda _digest: weights
        )
    else:
        card["metrics"] = styling.judge(
            recipe(), pictures, photos.find([style]), features, sheet=sheet, weights=lambda _digest: weights
        )
    write_card(folder, card)
    return card


def unseen_of(styles: Path) -> list[Path]:
    """Of every style in a folder of its own, the pictures that training kept back."""
    folders = [one for one in sorted(styles.iterdir()) if one.is_dir()]
    parts = {one: style_pictures.folder(photos.find([one]), kept=styling.KEPT).kept for one in folders}
    few = [one.name for one, kept in parts.items() if not kept]
    if few or not parts:
        raise FileNotFoundError(
            f"{styles}: expected folders of at least eight style pictures each, got {', '.join(few) or 'none'}."
        )
    return [path for kept in parts.values() for path in kept]


def page(card: Mapping[str, Any]) -> str:
    """The model's page in Markdown."""
    metrics, training = card["metrics"], card["training"]
    rows = "\n".join(
        "| {name} | {g} | {a} | {e} | {l} | {c} |".format(
            name={"content": "untouched content", "reinhard": "Reinhard transfer", "style": f"**{card['name']}**"}[name],
            g=row["gram-vgg16"], a=row["gram-alexnet"], e=row["edge-ssim"], l=row["lpips-vgg"], c=row["light"],
        )
        for name, row in metrics["means"].items()
    )  # fmt: skip
    compared = "\n".join(
        f"- {what.replace(' below ', ' against ')}: {share:+.1%} nearer, interval {low:+.1%} to {high:+.1%}."
        for what, (share, low, high) in metrics["share_below"].items()
    )
    failures = "\n".join(f"- {failure}" for failure in card["known_failures"])
    return f"""# The model “{card["name"]}”, version {card["version"]}

{card["summary"]} The same facts as data: `stylizer/weights/{card["name"]}/card.json`. This page is written from it.

## What it is for
{card["intended_use"]}

## How it was made
{training["data"]} {training["credits"]} {training["steps"]} steps in {training["seconds"] / 60:.0f} minutes on {training["machine"]}.
{training["adversarial"]} Settings: in the card, whole. Weights: {card["weights_file"]["bytes"] / 1e6:.1f} MB in half precision, computed in fp32.

## How it was judged
{metrics["contents"]} photographs that nothing was learnt from (their middle {styling.SIDE} px), through the engine, against {_goal(card)}. The distance is ‖G − G′‖ / ‖G′‖, a mean over the layers of VGG16 (which training looked through too) and of AlexNet (which
nothing was trained with). With so few style pictures a kernel distance would be noise, so none is given. Edge SSIM is taken of Sobel
magnitudes of luma; “light” is the correlation of luma in cells of 8 px.

| | Gram VGG16 | Gram AlexNet | edge SSIM | LPIPS-vgg to content | light |
|---|---|---|---|---|---|
{rows}

How much nearer the style's pictures (95 % bootstrap over contents):
{compared}

{aims(metrics)} Worst single content: edge SSIM {metrics["worst"]["edge-ssim"]}, LPIPS-vgg {metrics["worst"]["lpips-vgg"]}, light
{metrics["worst"]["light"]}.

## What it cannot do
{failures}
"""


def _goal(card: Mapping[str, Any]) -> str:
    metrics = card["metrics"]
    if card["reference"]:
        return (
            f"the Gram matrices of the very picture whose style each takes: {by_reference.EACH} for each photograph, in turn of the "
            f"{metrics['unseen_style_pictures']} that training kept back"
        )
    return (
        f"the mean Gram\nmatrices of {metrics['unseen_style_pictures']} pictures of the style that training kept back "
        f"({metrics['style_pictures_learnt_from']} were learnt\nfrom)"
    )


def aims(metrics: Mapping[str, Any]) -> str:
    """Which of the aims are met, and which are missed, as sentences."""
    means, missed = metrics["means"]["style"], []
    for other in ("content", "reinhard"):
        share, low, _ = metrics["share_below"][f"gram-vgg16 below {other}"]
        if share < AIMS["gram"] or low <= 0:
            missed.append(f"VGG16's Gram distance is {share:.1%} below that of {other}, not 20 %")
    if means["edge-ssim"] < AIMS["edge-ssim"]:
        missed.append(f"edge SSIM is {means['edge-ssim']}, not .45")
    if means["lpips-vgg"] > AIMS["lpips-vgg"]:
        missed.append(f"LPIPS-vgg is {means['lpips-vgg']}, not .60 or less")
    aim = "Aims: Gram distance 20 % below untouched content's and below Reinhard's, edge SSIM ≥ .45, LPIPS-vgg ≤ .60."
    return f"{aim} " + (f"Missed: {'; '.join(missed)}." if missed else "All are met.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the release, judge it, and say how it did."""
    parser = argparse.ArgumentParser(prog="python -m stylizer.evaluation.style_release")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--contents", type=Path, nargs="+", required=True)
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args(arguments)
    folder = release(args.run, args.words)
    card = judged(folder, args.contents, args.style, args.features, sheet=args.sheet)
    (DOCS / f"{card['name'].replace('/', '-')}.md").write_text(page(card), "utf-8")
    print(json.dumps(card["metrics"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
