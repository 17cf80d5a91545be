"""From a run of colour or of size to a release: weights in half precision, the judgement, the card, its page in words.

`python -m stylizer.evaluation.answer_release --run RUN --words WORDS.toml --photos FILE … --features DIR [--sheet PNG]`
writes `stylizer/weights/NAME/{model.safetensors,card.json}` and `docs/models/NAME.md`. What a person says is in the
TOML; every figure comes from the run and from the judgement.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stylizer.cards import WEIGHTS, Card, Weights, packaged, packaged_by_digest
from stylizer.evaluation import colouring, enlarging
from stylizer.evaluation.folder import read
from stylizer.evaluation.release import write_weights
from stylizer.evaluation.style_release import DOCS, write_card
from stylizer.evaluation.styling import reduced
from stylizer.recipe import resolve
from stylizer.training import photos, state

COLOUR_SIDE = 256  # colours are judged at the size that the network sees anyway
ARCHITECTURES = {"colourise": "colourist", "upscale": "enlarger"}
AIM = 0.8  # dB above Lanczos, of faithful weights


def release(run: Path, words: Path, learnt: Sequence[Path]) -> Path:
    """Weights and a card without figures yet, from a run's checkpoint; returns the folder.

    learnt: the photographs that were learnt from, whose mean colour is what colour has to beat.
    """
    prose = tomllib.loads(words.read_text("utf-8"))
    saved = state.load(run / "checkpoint.pt")
    config = json.loads(saved["config"])
    folder = WEIGHTS / str(prose["name"])
    tensors = {name: value.half().contiguous() for name, value in sorted(saved["average"].items())}
    digest = write_weights(tensors, folder / "model.safetensors")
    card = {
        "schema": 1, **{key: value for key, value in prose.items() if key not in {"training", "arguments"}},
        "architecture": ARCHITECTURES[prose["operation"]],
        "arguments": dict(config["architecture"]) | prose.get("arguments", {}), "reference": False,
        "weights": digest,
        "weights_file": {"bytes": (folder / "model.safetensors").stat().st_size, "dtype": "float16"},
        "training": prose.get("training", {}) | {
            "mean_chroma": mean_chroma(learnt), "steps": saved["step"], "seconds": round(saved["seconds"]), "config": config,
        },
        "metrics": {},
    }  # fmt: skip
    write_card(folder, card)
    return folder


def card_of(folder: Path) -> dict[str, Any]:
    """The card as it is stored, with what `Card` does not know of."""
    card: dict[str, Any] = json.loads((folder / "card.json").read_text("utf-8"))
    return card


def judged(folder: Path, paths: Sequence[Path], features: Path, *, sheet: Path | None) -> dict[str, Any]:
    """Judge a release and write the figures into its card; returns the card."""
    card = card_of(folder)
    typed = Card.from_dict(card)
    recipe = resolve({"steps": [{"model": typed.name}]}, cards={typed.name: typed})
    weights = Weights(folder / "model.safetensors", typed)
    if typed.operation == "colourise":
        pictures = [reduced(read(path), COLOUR_SIDE) for path in paths]
        card["metrics"] = colouring.judge(
            recipe,
            pictures,
            features,
            card["training"]["mean_chroma"],
            sheet=sheet,
            weights=lambda _: weights,
        )
    else:
        sets: dict[str, list[Any]] = {}
        for path in paths:
            sets.setdefault(path.name.split("_")[0], []).append(read(path))
        other = _counterpart_of(typed.name)
        card["metrics"] = enlarging.judge(
            recipe,
            sets,
            features,
            faithful=resolve({"steps": [{"model": other.name}]}, cards={other.name: other})
            if other
            else None,
            sheet=sheet,
            weights=lambda digest: weights if digest == typed.weights else packaged_by_digest(digest),
        )
    write_card(folder, card)
    return card


def page(card: Mapping[str, Any]) -> str:
    """The model's page in Markdown."""
    training = card["training"]
    failures = "\n".join(f"- {failure}" for failure in card["known_failures"])
    figures = _of_colour(card) if card["operation"] == "colourise" else _of_size(card)
    return f"""# The model “{card["name"]}”, version {card["version"]}

{card["summary"]} The same facts as data: `stylizer/weights/{card["name"]}/card.json`. This page is written from it.

## What it is for
{card["intended_use"]}

## What it promises
{card["promises"]}

## How it was made
{training["data"]} {training["credits"]} {training["steps"]} steps in {training["seconds"] / 60:.0f} minutes on {training["machine"]}.
{training["adversarial"]} Settings: in the card, whole. Weights: {card["weights_file"]["bytes"] / 1e6:.2f} MB in half precision, computed in fp32.

## How it was judged
{figures}

## What it cannot do
{failures}
"""


def _of_colour(card: Mapping[str, Any]) -> str:
    metrics = card["metrics"]
    lines = [
        f"| {'**' + name + '**' if name == 'colourise' else name} | {row['ciede2000']:.2f} | "
        f"{row['lpips-alex']:.4f} | {row['lpips-vgg']:.4f} | {row['colourfulness']:.1f} |"
        for name, row in metrics["means"].items()
        if name != "photographs"
    ]
    told = "\n".join(
        f"- {what.replace(' below ', ' against ')}: {share:+.1%} lower, interval {low:+.1%} to {high:+.1%}."
        for what, (share, low, high) in metrics["share_below"].items()
    )
    missed = [what for what, (_share, low, _high) in metrics["share_below"].items() if low <= 0]
    aims = f"Missed: {'; '.join(missed)}." if missed else "All are met."
    rows = "\n".join(lines)
    return f"""{metrics["pictures"]} photographs that nothing was learnt from, made grey by their luma, coloured by the engine, each at most
{COLOUR_SIDE} px; beside grey itself and the mean colour of the photographs learnt from. The photographs' own colourfulness is
{metrics["means"]["photographs"]["colourfulness"]:.1f}.

| | CIEDE2000 | LPIPS (AlexNet) | LPIPS (VGG16) | colourfulness |
|---|---|---|---|---|
{rows}

How much lower (95 % bootstrap over pictures):
{told}

Aims: distance of colour and LPIPS below grey's and below the mean colour's, intervals excluding zero. {aims}"""


def _counterpart_of(name: str) -> Card | None:
    """The faithful release whose perceptual counterpart this is."""
    return next((card for card in packaged() if card.counterpart == name), None)


SIZES = """Photographs that nothing was learnt from, reduced to a half by two kernels (an average of four pixels, and a bicubic one
that does not alias), rounded to 8 bits, enlarged by the engine and by Lanczos' kernel. PSNR (dB) and SSIM are of luma; the
interval is a 95 % bootstrap over pictures; LPIPS is of the middle 224 px."""


def _of_size(card: Mapping[str, Any]) -> str:
    sets = card["metrics"]["sets"]
    if len(next(iter(sets.values()))["share_below"]) > 2:
        return _of_size_beside(card["name"], sets)
    lines, missed = [], []
    for name, found in sets.items():
        mine, plain = found["means"][card["name"]], found["means"]["lanczos"]
        gain, low, high = found["db_above_lanczos"]
        lines.append(
            f"| {name} | {found['pictures']} | {plain['psnr']:.2f} | {mine['psnr']:.2f} | {gain:+.2f} ({low:+.2f} to "
            f"{high:+.2f}) | {plain['ssim']:.4f} | {mine['ssim']:.4f} | {plain['lpips-alex']:.4f} | "
            f"{mine['lpips-alex']:.4f} | {plain['lpips-vgg']:.4f} | {mine['lpips-vgg']:.4f} |"
        )
        if gain < AIM:
            missed.append(f"{gain:.2f} dB on {name}")
        missed += [f"{w} on {name}" for w, (share, *_rest) in found["share_below"].items() if share <= 0]
    rows = "\n".join(lines)
    aims = f"Missed: {'; '.join(missed)}." if missed else "All are met."
    return f"""{SIZES}

| set, kernel | n | PSNR Lanczos | PSNR | above | SSIM Lanczos | SSIM | LPIPS-alex Lanczos | LPIPS-alex | LPIPS-vgg Lanczos | LPIPS-vgg |
|---|---|---|---|---|---|---|---|---|---|---|
{rows}

Aims: {AIM} dB above Lanczos on every set, and LPIPS below its. {aims}"""


def _of_size_beside(name: str, sets: Mapping[str, Any]) -> str:
    """Of a perceptual counterpart: beside Lanczos' kernel and the faithful weights."""
    faithful = next(key for key in next(iter(sets.values()))["means"] if key not in {*enlarging.PLAIN, name})
    lines, missed = [], []
    for where, found in sets.items():
        three = [found["means"][method] for method in ("lanczos", faithful, name)]
        gain, low, high = found["db_above_lanczos"]
        share, least, most = found["share_below"][f"lpips-alex below {faithful}"]
        cells = [f"{one['psnr']:.2f}" for one in three] + [f"{gain:+.2f} ({low:+.2f} to {high:+.2f})"]
        cells += [f"{one['lpips-alex']:.4f}" for one in three]
        cells += [f"{share:.0%} ({least:.0%} to {most:.0%})"] + [f"{one['lpips-vgg']:.4f}" for one in three]
        lines.append(f"| {where} | {found['pictures']} | " + " | ".join(cells) + " |")
        missed += [f"LPIPS on {where}"] if least <= 0 else []
        missed += [f"{gain:+.2f} dB on {where}"] if gain < 0 else []
    rows = "\n".join(lines)
    aims = f"Missed: {'; '.join(missed)}." if missed else "Both are met."
    return f"""{SIZES} Training looked through SqueezeNet, so neither LPIPS is what was trained for.

| set, kernel | n | PSNR Lanczos | `{faithful}` | `{name}` | above Lanczos | LPIPS-alex Lanczos | `{faithful}` | `{name}` | below `{faithful}` | LPIPS-vgg Lanczos | `{faithful}` | `{name}` |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
{rows}

Aims: LPIPS (AlexNet) below the faithful weights' on every set, interval excluding zero, and no PSNR below Lanczos'. {aims}"""


def mean_chroma(paths: Sequence[Path]) -> list[float]:
    """Blue − luma and red − luma, a mean over pictures."""
    found = [_chroma(read(path)) for path in paths]
    return [round(float(value), 5) for value in np.mean(found, 0)]


def _chroma(picture: Any) -> Any:
    light = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.array([(picture[..., 2] - light).mean(), (picture[..., 0] - light).mean()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the release, judge it, and say how it did."""
    parser = argparse.ArgumentParser(prog="python -m stylizer.evaluation.answer_release")
    parser.add_argument("--run", type=Path, help="a run's folder; without it the release is judged as it is")
    parser.add_argument("--learnt", type=Path, nargs="*", default=[], help="folders that were learnt from")
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="files nothing was learnt from")
    parser.add_argument("--features", type=Path, required=True, help="folder with VGG16 and AlexNet")
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args(arguments)
    name = tomllib.loads(args.words.read_text("utf-8"))["name"]
    folder = release(args.run, args.words, photos.find(args.learnt)) if args.run else WEIGHTS / name
    card = judged(folder, args.photos, args.features, sheet=args.sheet)
    (DOCS / f"{name}.md").write_text(page(card), "utf-8")
    print(json.dumps(card["metrics"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
