"""From training runs to a release: weights, the figures of the frozen evaluation, and the card that says it all."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from stylizer.evaluation import baselines, classic, measures, protocol, report
from stylizer.evaluation.restoring import NetworkMethods
from stylizer.models import Restorer, channels_last, create
from stylizer.training import state


@dataclass(frozen=True)
class Trained:
    """A checkpoint as a release needs it: the averaged weights, the config as a plain dictionary, what it took."""

    weights: Mapping[str, Tensor]
    config: Mapping[str, Any]
    steps: int
    tone_steps: int
    seconds: float


def read(run: Path) -> Trained:
    """The newest checkpoint of a run's folder, or of the folder of a release (its card has the settings)."""
    if (run / "model.safetensors").exists():
        card = json.loads((run / "card.json").read_text("utf-8"))
        told = card["training"]["detail"]
        return Trained(state.weights(run / "model.safetensors"), told["config"], told["steps"],
                       card["training"]["tone"]["steps"], told["seconds"])  # fmt: skip
    saved = state.load(run / "checkpoint.pt")
    config = json.loads(saved["config"])
    return Trained(saved["average"], config, saved["step"], saved["tone_step"], saved["seconds"])


def joined(detail: Trained, tone: Trained) -> dict[str, Tensor]:
    """The detail network of one run with the tone network of another, rounded to half precision for storage."""
    body = {k: v for k, v in detail.weights.items() if not k.startswith("tone_net.")}
    head = {k: v for k, v in tone.weights.items() if k.startswith("tone_net.")}
    return {key: value.half().contiguous() for key, value in sorted((body | head).items())}


def figures(
    network: Restorer,
    photos: Path,
    *,
    part: str,
    kinds: Sequence[str],
    feature_folder: Path | None = None,
    classical_from: Path | None = None,
) -> report.Report:
    """The frozen evaluation of a network: both stages, each stage alone, and the classical chains.

    LPIPS is among the figures where the weights of its backbone are at hand. The chains are as frozen as the pairs:
    with `classical_from` (an earlier release's evaluation.json) only the best of them runs again, on mixed damage,
    where it is compared picture by picture.
    """
    own: dict[str, report.Method] = dict(NetworkMethods(network).methods())
    chains: dict[str, report.Method] = dict(baselines.chains())
    earlier = json.loads(classical_from.read_text("utf-8"))["figures"] if classical_from else {}
    seeing = measures.perceptual(feature_folder) if feature_folder else None
    if not earlier:
        return report.evaluate(_pairs(photos, part, kinds), own | chains, measures=seeing)
    best = max(chains, key=lambda name: float(earlier["mixed"][name]["psnr"]))
    rest = [kind for kind in kinds if kind != "mixed"]
    singles = report.evaluate(_pairs(photos, part, rest), own, measures=seeing)
    mixed = report.evaluate(_pairs(photos, part, ["mixed"]), own | {best: chains[best]}, measures=seeing)
    merged = {**singles.figures, **mixed.figures}
    # Earlier releases judged some chains on mixed damage only; the classic formulation is as frozen as they are.
    frozen = [*chains, classic.NAME]
    known = {kind: {name: earlier[kind][name] for name in frozen if name in earlier[kind]} for kind in kinds}
    rows = {kind: {**known[kind], **merged[kind]} for kind in kinds}
    return report.Report(rows, {**singles.counts, **mixed.counts}, {**singles.pictures, **mixed.pictures},
                         {**singles.names, **mixed.names})  # fmt: skip


def _pairs(photos: Path, part: str, kinds: Sequence[str]) -> Iterator[protocol.Pair]:
    return chain.from_iterable(protocol.pairs(photos, part=part, kind=kind) for kind in kinds)


def write_weights(weights: Mapping[str, Tensor], path: Path) -> str:
    """Write safetensors (without a clock in them) and return their SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file(dict(weights), str(part))
    part.chmod(0o644)  # safetensors writes for the owner alone; the archive may run as another user
    part.replace(path)  # never in place: a store may hold the old release by a hard link
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_network(weights: Path, arguments: Mapping[str, Any], architecture: str = "restorer") -> Restorer:
    """A restorer with these weights, fp32, ready to judge."""
    network = channels_last(cast(Restorer, create(architecture, **arguments)))
    network.load_state_dict(load_file(str(weights)))
    return network.eval()


def summary(measured: report.Report, *, judged: str = "restore") -> dict[str, Any]:
    """The card's figures: every kind beside its own input and beside the best classical chain on mixed damage.

    `judged` is the method that the model's own preset stands for; where it leaves out tone, the gains with tone and at
    full boldness stand beside it.
    """
    classical = measured.best("mixed", list(baselines.chains()))
    rows = {
        kind: {
            "pictures": measured.counts[kind],
            **{f"psnr_{name}": round(row[key]["psnr"], 2) for name, key in
               (("input", "input"), ("restored", judged), ("classical", classical))},
            **{f"ssim_{name}": round(row[key]["ssim"], 4) for name, key in
               (("input", "input"), ("restored", judged), ("classical", classical))},
            **{f"lpips_alexnet_{name}": round(row[key]["lpips-alexnet"], 4) for name, key in
               (("input", "input"), ("restored", judged), ("classical", classical))
               if "lpips-alexnet" in row[key]},
            "gain": [round(row[judged][name], 2) for name in ("gain", "gain_low", "gain_high")],
            **({} if judged == "restore" else {
                name: round(row[key]["gain"], 2)
                for name, key in (("gain_with_tone", "restore"), ("gain_boldest", "boldest"))}),
            "changed_outside_damage": round(row[judged]["outside"], 4),
        }
        for kind, row in measured.figures.items()
    }  # fmt: skip
    return {"protocol": protocol.PROTOCOL, "unit": "PSNR in dB of RGB 8 bit; 100 means equal",
            "classical": classical, "judged": judged, "kinds": rows,
            "worst": [vars(one) for one in measured.worst(judged)]}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m stylizer.evaluation.release`: join the runs, judge them, write weights and card."""
    parser = argparse.ArgumentParser(prog="python -m stylizer.evaluation.release")
    parser.add_argument(
        "--detail", type=Path, required=True, help="folder of the run whose detail network to take"
    )
    parser.add_argument(
        "--tone", type=Path, required=True, help="folder of the run whose tone network to take"
    )
    parser.add_argument(
        "--photos", type=Path, required=True, help="folder with the pictures of the frozen evaluation"
    )
    parser.add_argument(
        "--words", type=Path, required=True, help="TOML with the card's prose, version and credits"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for model.safetensors and card.json")
    parser.add_argument(
        "--classical-from", type=Path, help="evaluation.json of an earlier release, for the frozen chains"
    )
    parser.add_argument("--features", type=Path, help="folder with the weights of AlexNet, for LPIPS")
    args = parser.parse_args(arguments)
    torch.set_num_threads(2)
    print(release(args.detail, args.tone, photos=args.photos, words=args.words, out=args.out,
                  feature_folder=args.features, classical_from=args.classical_from))  # fmt: skip
    return 0


def release(
    detail_run: Path,
    tone_run: Path,
    *,
    photos: Path,
    words: Path,
    out: Path,
    feature_folder: Path | None = None,
    classical_from: Path | None = None,
) -> str:
    """Write the release and return the table of all methods (Markdown)."""
    prose = tomllib.loads(words.read_text("utf-8"))
    judged = prose.pop("judged", "restore")
    detail, tone = read(detail_run), read(tone_run)
    digest = write_weights(joined(detail, tone), out / "model.safetensors")
    shape = {**detail.config["architecture"], **prose.pop("arguments", {})}
    architecture = detail.config.get("network", "restorer")
    network = load_network(out / "model.safetensors", shape, architecture)
    measured = figures(network, photos, part="test", kinds=protocol.kinds(), feature_folder=feature_folder,
                       classical_from=classical_from)  # fmt: skip
    training = prose.pop("training", {}) | {
        "detail": {"steps": detail.steps, "seconds": round(detail.seconds), "config": detail.config},
        "tone": {"steps": tone.tone_steps, "config": tone.config},
    }
    card = {
        "schema": 1,
        **prose,
        "operation": "restore",
        "architecture": architecture,
        "arguments": shape,
        "weights": digest,
        "weights_file": {"bytes": (out / "model.safetensors").stat().st_size, "dtype": "float16"},
        "training": training,
        "damage": detail.config["damage"],
        "metrics": summary(measured, judged=judged),
    }
    (out / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
    told = measured.to_dict()
    if classical_from:
        told = classic.carried(json.loads(classical_from.read_text("utf-8")), told)
    (out / "evaluation.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    return measured.table(["input", "restore", "detail only", "tone only", *baselines.chains()])


if __name__ == "__main__":
    sys.exit(main())
