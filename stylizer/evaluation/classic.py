"""The classic formulation beside a release: trained with `classic.toml`, judged on the same frozen pairs.

`python -m stylizer.evaluation.classic --run RUN --photos PHOTOS --release stylizer/weights/restore` adds its figures to
the release's evaluation.json, with how long it was trained, and leaves all others as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from stylizer.evaluation import measures, protocol, report
from stylizer.evaluation.metrics import Picture
from stylizer.evaluation.restoring import mirrored, to_tensor
from stylizer.models import channels_last, create
from stylizer.models.classic import ClassicGenerator
from stylizer.training import state

NAME = "classic"


class Painter:
    """A classic generator as a method: it paints the whole picture anew, (H, W, 3) float32 in 0…1, 8-bit steps."""

    def __init__(self, network: ClassicGenerator) -> None:
        self.network = network

    @torch.inference_mode()
    def __call__(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        halo = self.network.halo
        padded = mirrored(to_tensor(picture), halo=halo, stride=self.network.stride)
        painted = padded + self.network(padded.contiguous(memory_format=torch.channels_last)).residual
        inside = painted[0, :, halo : halo + height, halo : halo + width]
        rounded = (inside.clamp(0, 1) * 255).round() / 255
        return np.asarray(rounded.permute(1, 2, 0).numpy(), dtype=np.float32)


def load(run: Path) -> tuple[ClassicGenerator, dict[str, float]]:
    """The averaged generator of a run's newest checkpoint, in fp32, and what it took: steps and seconds.

    Raises:
        ValueError: the run trained another network.
    """
    saved = state.load(run / "checkpoint.pt")
    config = json.loads(saved["config"])
    if config["network"] != NAME:
        raise ValueError(f"{run}: expected a run of “{NAME}”, got one of “{config['network']}”")
    network = cast(ClassicGenerator, channels_last(create(NAME, **config["architecture"])))
    network.load_state_dict(saved["average"])
    network.eval()
    return network, {"steps": saved["step"], "seconds": round(saved["seconds"])}


def add(evaluation: Path, measured: report.Report, training: dict[str, float]) -> None:
    """Put the figures beside those of the release."""
    told = json.loads(evaluation.read_text("utf-8"))
    for kind, row in measured.figures.items():
        told["figures"][kind][NAME] = row[NAME]
    told["worst"][NAME] = [vars(one) for one in measured.worst(NAME)]
    told["classic"] = training
    evaluation.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def carried(earlier: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """A new release's evaluation with what an earlier one's says of the classic formulation beside its figures."""
    if "classic" not in earlier:
        return dict(told)
    return {**told, "worst": {**told["worst"], NAME: earlier["worst"][NAME]}, "classic": earlier["classic"]}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stylizer.evaluation.classic", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run with `classic.toml`")
    parser.add_argument("--photos", type=Path, required=True, help="pictures of the frozen evaluation")
    parser.add_argument(
        "--release", type=Path, required=True, help="folder with the release's evaluation.json"
    )
    parser.add_argument("--features", type=Path, help="folder with the weights of AlexNet, for LPIPS")
    args = parser.parse_args(arguments)
    torch.set_num_threads(2)
    network, training = load(args.run)
    seeing = measures.perceptual(args.features) if args.features else None
    pairs = chain.from_iterable(
        protocol.pairs(args.photos, part="test", kind=kind) for kind in protocol.kinds()
    )
    measured = report.evaluate(pairs, {NAME: Painter(network)}, measures=seeing)
    add(args.release / "evaluation.json", measured, training)
    sys.stdout.write(measured.table(["input", NAME]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
