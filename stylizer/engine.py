"""The engine: a source and a recipe in, a derivative with its sidecars and its report out.

`Engine.apply` works in bands of one row of tiles: read with the halo, run the network tile by tile, write the cores.
Nothing is left behind when it fails, and no tile that failed is ever written.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import torch
from safetensors.torch import load_file

from stylizer import machine
from stylizer.cards import Weights, packaged_by_digest, verify
from stylizer.disclosure import xmp
from stylizer.errors import EngineError, OutOfMemory, SourceChanged, WeightsMismatch
from stylizer.models import build
from stylizer.passage import Passage
from stylizer.recipe import Recipe, Step
from stylizer.report import Report as Report

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """A page of a file; with `sha256`, the file must still have that digest."""

    path: Path
    page: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Result:
    """Files made: the derivative, and sidecars by kind ("change_map", "damage_mask")."""

    output: Path
    report: Report
    sidecars: Mapping[str, Path] = field(default_factory=dict)


class Engine:
    """Keeps networks warm between pictures. One engine serves one thread."""

    def __init__(
        self, *, device: str | None = None, weights: Callable[[str], Weights] = packaged_by_digest
    ) -> None:
        machine.settle()
        self.device = machine.choose_device(device)
        self._find_weights = weights
        self._networks: dict[str, torch.nn.Module] = {}

    def network(self, step: Step) -> torch.nn.Module:
        """The step's network, built on first use from weights verified against the recipe's digest.

        Raises:
            ModelError: unknown weights, another digest, or weights that do not fit the architecture on their card.
        """
        if step.weights not in self._networks:
            found = self._find_weights(step.weights)
            verify(found.path, step.weights)
            try:
                network = build(found.card)
                state = {name: tensor.float() for name, tensor in load_file(found.path).items()}
                network.load_state_dict(state)
            except (KeyError, RuntimeError, TypeError, ValueError) as error:
                raise WeightsMismatch(
                    f"The weights of {step.model} {step.version} do not fit the architecture on their card: "
                    f"{str(error)[:200]}"
                ) from error
            network.eval().requires_grad_(False)
            self._networks[step.weights] = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self._networks[step.weights]

    def apply(
        self,
        source: Source,
        recipe: Recipe,
        *,
        out: Path,
        name: str = "output",
        on_tile: Progress | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Result:
        """Make the derivative `out/name.tif` with its sidecars beside it.

        Args:
            on_tile: called after each tile with how many are done and how many there are.
            cancel: asked before each tile.

        Raises:
            SourceChanged, ImageError, ModelError, BadTile, OutOfMemory, Cancelled
        """
        if recipe.mask or recipe.reference:
            # A mask is a promise of what does not change: better no picture than one that ignores it.
            raise EngineError(
                f"{name}: this release takes no mask and no reference picture. Leave it out of the recipe."
            )
        began, clock = datetime.now(UTC), time.monotonic()
        digest = _digest(source.path)
        if source.sha256 not in {None, digest}:
            raise SourceChanged(
                f"The source's bytes changed: expected {source.sha256}, got {digest}. Check its fixity."
            )
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name[:40]}.", dir=out) as scratch:
            passage = Passage(Path(scratch), recipe, device=self.device, on_tile=on_tile, cancel=cancel)
            try:
                with torch.inference_mode():
                    made = passage.run(source.path, source.page, [self.network(step) for step in recipe.steps],
                                       xmp=xmp(recipe=recipe.digest, source=digest))  # fmt: skip
            except (MemoryError, RuntimeError) as error:
                if not _no_memory(error):
                    raise
                raise OutOfMemory(
                    f"{name}: not enough memory for a tile of {passage.tile} px. Try again later."
                ) from error
            facts, seen = made.facts, made.fidelity
            report = Report(
                source_sha256=digest,
                source_pixel_sha256=made.source_pixels,
                output_sha256=_digest(made.output),
                output_pixel_sha256=made.output_pixels,
                recipe=recipe.digest,
                width=facts.width,
                height=facts.height,
                bands=facts.bands,
                bits=facts.bits,
                changed_share=round(seen.changed_share, 6),
                psnr=seen.psnr,
                ssim=round(seen.ssim, 6),
                precision=recipe.precision,
                tile=passage.tile,
                tiles=passage.total,
                device=machine.describe(self.device),
                fingerprint=machine.fingerprint(self.device, recipe.precision),
                software=machine.software(),
                started=began.isoformat(timespec="seconds"),
                ended=datetime.now(UTC).isoformat(timespec="seconds"),
                seconds=round(time.monotonic() - clock, 3),
            )
            sidecars = {
                kind: _place(path, out / f"{name}.{_short(kind)}.png") for kind, path in made.sidecars.items()
            }
            return Result(_place(made.output, out / f"{name}.tif"), report, sidecars)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _no_memory(error: Exception) -> bool:
    """On a processor torch says so in words alone."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def _place(made: Path, target: Path) -> Path:
    """Onto the disk first, then under its name: a name never stands for half a file."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    shutil.move(made, target)
    return target


def _short(kind: str) -> str:
    return {"change_map": "change", "damage_mask": "damage"}[kind]
