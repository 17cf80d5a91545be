"""The engine against two peers' ways of running the same network on the same scan, end to end, in one run.

whole: the picture at once in fp32, contiguous, as the test script of pytorch-CycleGAN-and-pix2pix does;
padded: tiles of 512 px in fp32, contiguous, padded by 10 px, as Real-ESRGAN's tiler does; its seams are measured.

All read a 16-bit TIFF and write one. The aim, 2.5 times as fast in `fast`, is for processors with bf16 instructions;
elsewhere `fast` computes in fp32 and this is a report.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray

from benchmarks import _scans
from benchmarks.setting import say
from stylizer import machine
from stylizer.cards import Weights, packaged_by_digest, packaged_card
from stylizer.engine import Engine, Source
from stylizer.models import Restorer, build
from stylizer.recipe import resolve

WIDTH, HEIGHT = 2000, 1504  # multiples of the network's stride, so that the peers can take it whole
TILE, PAD = 512, 10
ROUNDS = 2
Run = Callable[[], object]


def network(weights: Weights) -> Restorer:
    """The packaged restorer as a peer would load it: fp32, contiguous."""
    from safetensors.torch import load_file

    made = cast(Restorer, build(weights.card)).requires_grad_(False)
    made.load_state_dict({name: tensor.float() for name, tensor in load_file(weights.path).items()})
    return made


def read(path: Path) -> torch.Tensor:
    return (
        torch.from_numpy(tifffile.imread(path).astype(np.float32) / 65535).permute(2, 0, 1)[None].contiguous()
    )


def write(path: Path, picture: torch.Tensor) -> None:
    values = (picture[0].permute(1, 2, 0).clamp(0, 1) * 65535).round().numpy().astype(np.uint16)
    tifffile.imwrite(path, values, photometric="rgb", compression="zlib")


def whole(net: Restorer, x: torch.Tensor) -> torch.Tensor:
    made: torch.Tensor = x + net(x).residual
    return made


def padded(net: Restorer, x: torch.Tensor) -> torch.Tensor:
    """Tiles with 10 px around them, where the picture has them; sides filled up to the stride by mirroring."""
    out = torch.empty_like(x)
    height, width = x.shape[2:]
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            y0, x0 = max(0, top - PAD), max(0, left - PAD)
            y1, x1 = min(height, top + TILE + PAD), min(width, left + TILE + PAD)
            tile = x[:, :, y0:y1, x0:x1]
            filled = torch.nn.functional.pad(tile, (0, -(x1 - x0) % 8, 0, -(y1 - y0) % 8), mode="reflect")
            made = whole(net, filled)
            h, w = min(TILE, height - top), min(TILE, width - left)
            out[:, :, top : top + h, left : left + w] = made[:, :, top - y0 :, left - x0 :][:, :, :h, :w]
    return out


def best(run: Run) -> float:
    """Seconds; the best of some rounds counts, since other work on the machine only slows."""
    taken = []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)


def seams(picture: torch.Tensor, exact: torch.Tensor) -> float:
    """The largest error, in steps of 16 bits."""
    return float((picture.clamp(0, 1) - exact.clamp(0, 1)).abs().max()) * 65535


def pixels(path: Path) -> "NDArray[np.int64]":
    return tifffile.imread(path).astype(np.int64)


def main() -> None:
    torch.set_num_threads(os.cpu_count() or 1)
    megapixels = WIDTH * HEIGHT / 1e6
    engine = Engine(device="cpu")
    # Detail alone: tone is applied by curves, which all of them would do alike.
    spec = {"steps": [{"model": "restore", "parameters": {"tone": False}}]}
    recipes = {name: resolve(spec, cards=packaged_card, precision=name) for name in ("archival", "fast")}
    net = network(packaged_by_digest(packaged_card("restore").weights))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        out, scan = Path(folder), _scans.write(Path(folder) / "scan.tif", WIDTH, HEIGHT)
        x = read(scan)
        seconds = {
            "whole": best(lambda: write(out / "w.tif", whole(net, read(scan)))),
            "padded": best(lambda: write(out / "p.tif", padded(net, read(scan)))),
            **{name: best(lambda recipe=recipe: engine.apply(Source(scan), recipe, out=out, name=recipe.precision))  # type: ignore[misc]
               for name, recipe in recipes.items()},
            "network whole": best(lambda: net(x)),
        }  # fmt: skip
        stage = engine.stage(recipes["fast"].steps[0], "fast").network
        last = x.contiguous(memory_format=torch.channels_last)
        seconds["network ours"] = best(lambda: stage(last))
        exact = whole(net, x)
        ours = tifffile.imread(out / "archival.tif").astype(np.float32) / 65535
        inner = np.s_[
            :, :, 112:-112, 112:-112
        ]  # where mirroring at the edges, which the peers do not do, is not seen
        halved = machine.arithmetic(torch.device("cpu"), "fast") == "bf16"
        figures = {
            **{
                f"{name} MP/s": megapixels / seconds[name] for name in ("whole", "padded", "archival", "fast")
            },
            "fast / whole": seconds["whole"] / seconds["fast"],
            "fast / padded": seconds["padded"] / seconds["fast"],
            "network alone, ours / theirs": seconds["network whole"] / seconds["network ours"],
            "seams padded, 1/65535": seams(padded(net, x), exact),
            "seams ours, 1/65535": seams(torch.from_numpy(ours).permute(2, 0, 1)[None][inner], exact[inner]),
        }
    ratio = min(figures["fast / whole"], figures["fast / padded"])
    kind = "bf16" if halved else "fp32, for want of bf16 instructions"
    claim = f"restore on {megapixels:.1f} MP against peers' ways, fast in {kind}; aim 2.5 with bf16"
    say(claim, figures, passed=ratio >= 2.5 if halved else None)


if __name__ == "__main__":
    main()
