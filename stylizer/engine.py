"""The engine: a source and a recipe in, a derivative with its sidecars and its report out.

`Engine.apply` works in bands of one row of tiles: read with the halo, run the network tile by tile, write the cores.
Nothing is left behind when it fails, and no tile that failed is ever written.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from stylizer import machine
from stylizer.cards import Weights, packaged_by_digest, verify
from stylizer.errors import MaskMismatch, OutOfMemory, ReferenceMismatch, SourceChanged, WeightsMismatch
from stylizer.imageio.disclosure import xmp
from stylizer.look import Look, Region, look
from stylizer.models import build, lowered
from stylizer.operations import REFERENCE, THUMBNAIL, takes_reference
from stylizer.passage import Made, Passage, Stage, canonical_thumbnail
from stylizer.recipe import Recipe, Step
from stylizer.report import Report as Report
from stylizer.scratch import scratch

Progress = Callable[[int, int], None]

BATCHES = {"cpu": 1, "cuda": 4}  # tiles at once; a processor gains nothing from more
WARM = 6  # networks kept
LARGE = 4  # megapixels; what a larger picture took of memory is given back


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
        self._networks: dict[tuple[str, str | None, str, str], Stage] = {}
        self._thumbnails: dict[tuple[str, int | None, int], torch.Tensor] = {}

    def stage(self, step: Step, precision: str) -> Stage:
        """The step with its network, built on first use from weights verified against the recipe's digests.

        Raises:
            ModelError: unknown weights, another digest, or weights that do not fit the architecture on their card.
        """
        key = (step.weights, step.blend, step.perceptual, precision)
        if key not in self._networks:
            found = self._find_weights(step.weights)
            state = _load(found, step.weights)
            if step.blend is not None:
                other, share = _load(self._find_weights(step.blend), step.blend), float(step.perceptual)
                state = {name: torch.lerp(tensor, other[name], share) for name, tensor in state.items()}
            try:
                network = build(found.card)
                network.load_state_dict(state)
            except (KeyError, RuntimeError, TypeError, ValueError) as error:
                raise WeightsMismatch(
                    f"The weights of {step.model} {step.version} do not fit the architecture on their card: "
                    f"{str(error)[:200]}"
                ) from error
            network.eval().requires_grad_(False)
            network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            limits = {k: float(v) for k, v in found.card.limits.items() if isinstance(v, int | float)}
            while len(self._networks) >= WARM:
                self._networks.pop(next(iter(self._networks)))
            halved = machine.arithmetic(self.device, precision) == "bf16"
            self._networks[key] = Stage(step, lowered(network) if halved else network, limits)
        return replace(self._networks[key], step=step)

    def apply(
        self,
        source: Source,
        recipe: Recipe,
        *,
        out: Path,
        name: str = "output",
        mask: Path | None = None,
        reference: Source | None = None,
        on_tile: Progress | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Result:
        """Make the derivative `out/name.tif` with its sidecars beside it.

        Args:
            mask: the file whose digest the recipe names; grey, of the upright scan's size: black keeps, white allows.
            reference: the style picture whose file's digest the recipe names.
            on_tile: called after each tile with how many are done and how many there are.
            cancel: asked before each tile and within it.

        Raises:
            SourceChanged, MaskMismatch, ReferenceMismatch, ImageError, ModelError, OutsideTraining, BadTile,
            OutOfMemory, Cancelled
        """
        began, clock = datetime.now(UTC), time.monotonic()
        digest = _digest(source.path)
        if source.sha256 not in {None, digest}:
            raise SourceChanged(
                f"The source's bytes changed: expected {source.sha256}, got {digest}. Check its fixity."
            )
        _check_mask(recipe, mask, name)
        style = self._reference(recipe, reference, name)
        out.mkdir(parents=True, exist_ok=True)
        with scratch(out, name) as folder:
            passage, made = self._run(source, recipe, folder, digest, name, mask, style, on_tile, cancel)
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
                damaged_share=round(made.trust.damaged, 6),
                trust=made.trust.to_dict(),
                precision=recipe.precision,
                arithmetic=machine.arithmetic(self.device, recipe.precision),
                tile=passage.tile,
                tiles=passage.total,
                batch=passage.batch,
                device=machine.describe(self.device),
                fingerprint=machine.fingerprint(self.device, recipe.precision),
                software=machine.software(),
                started=began.isoformat(timespec="seconds"),
                ended=datetime.now(UTC).isoformat(timespec="seconds"),
                seconds=round(time.monotonic() - clock, 3),
                reference_sha256=recipe.reference,
                enlarged=made.enlarged,
            )
            sidecars = {
                kind: _place(path, out / f"{name}.{_short(kind)}.png") for kind, path in made.sidecars.items()
            }
            if facts.megapixels > LARGE:
                machine.release()
            return Result(_place(made.output, out / f"{name}.tif"), report, sidecars)

    def look(
        self,
        source: Source,
        recipe: Recipe,
        region: Region,
        *,
        mask: Path | None = None,
        reference: Source | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Look:
        """One region as the recipe would make it, nothing written; the source's digest is not verified for a look.

        Raises:
            MaskMismatch, ReferenceMismatch, ImageError, ModelError, OutsideTraining, BadTile, OutOfMemory, Cancelled
            EngineError: an empty region, or one of more than 1 024 px a side.
        """
        _check_mask(recipe, mask, "the look")
        style = self._reference(recipe, reference, "the look")
        stages = [self.stage(step, recipe.precision) for step in recipe.steps]
        passage = Passage(Path(), recipe, device=self.device, mask=mask, reference=style, cancel=cancel)
        try:
            with torch.inference_mode(), _asking(stages, passage.stop_if_cancelled):
                return look(
                    passage,
                    source.path,
                    source.page,
                    region,
                    stages,
                    thumbnail=lambda: self._thumbnail(source),
                )
        except (MemoryError, RuntimeError) as error:
            if not _no_memory(error):
                raise
            raise OutOfMemory("Not enough memory for a look. Try again later.") from error

    def _reference(self, recipe: Recipe, reference: Source | None, name: str) -> torch.Tensor | None:
        """The style picture's thumbnail, once it is certain that it is the one the recipe names."""
        taking = [
            step for step in recipe.steps if takes_reference(self.stage(step, recipe.precision).network)
        ]
        if taking and (recipe.reference is None or reference is None):
            raise ReferenceMismatch(
                f"{name}: {taking[0].model} takes its style from a picture, and "
                + ("the recipe names none." if recipe.reference is None else "none was given.")
            )
        if not taking:
            if recipe.reference is not None or reference is not None:
                raise ReferenceMismatch(
                    f"{name}: no step of this recipe takes a style picture. Leave it out."
                )
            return None
        assert reference is not None  # noqa: S101  (asked above)
        if (found := _digest(reference.path)) != recipe.reference:
            raise ReferenceMismatch(
                f"{name}: expected the style picture {recipe.reference}, got {found}. Check its fixity."
            )
        return self._thumbnail(replace(reference, sha256=found), side=REFERENCE)

    def _thumbnail(self, source: Source, *, side: int = THUMBNAIL) -> torch.Tensor:
        """The canonical thumbnail, kept for the next look at a source that is named by its digest."""
        key = (source.sha256 or "", source.page, side)
        small = self._thumbnails.get(key)
        if small is None:
            small = canonical_thumbnail(source.path, source.page, self.device, side=side)
            while len(self._thumbnails) >= WARM:
                self._thumbnails.pop(next(iter(self._thumbnails)))
            if source.sha256:
                self._thumbnails[key] = small
        return small

    def _run(
        self,
        source: Source,
        recipe: Recipe,
        folder: Path,
        digest: str,
        name: str,
        mask: Path | None,
        reference: torch.Tensor | None,
        on_tile: Progress | None,
        cancel: Callable[[], bool] | None,
    ) -> tuple[Passage, Made]:
        """With half as many tiles at once each time memory does not suffice, down to one."""
        stages = [self.stage(step, recipe.precision) for step in recipe.steps]
        batch = BATCHES[self.device.type]
        while True:
            passage = Passage(
                folder, recipe, device=self.device, mask=mask, reference=reference, batch=batch,
                on_tile=on_tile, cancel=cancel,
            )  # fmt: skip
            try:
                with torch.inference_mode(), _asking(stages, passage.stop_if_cancelled):
                    made = passage.run(
                        source.path, source.page, stages, xmp=xmp(recipe=recipe.digest, source=digest)
                    )
                return passage, made
            except (MemoryError, RuntimeError) as error:
                if not _no_memory(error):
                    raise
                if batch == 1:
                    raise OutOfMemory(
                        f"{name}: not enough memory for a tile of {passage.tile[0]} × {passage.tile[1]} px. "
                        "Try again later, or on a machine with more of it."
                    ) from error
            batch //= 2


@contextmanager
def _asking(stages: Sequence[Stage], stop: Callable[[], None]) -> Iterator[None]:
    """Ask whether to stop before each block of a network too: a tile may take seconds on a processor."""

    def ask(_module: torch.nn.Module, _inputs: Any) -> None:
        stop()

    hooks = [
        block.register_forward_pre_hook(ask)
        for stage in stages
        for block in stage.network.modules()
        if isinstance(block, torch.nn.Conv2d)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _load(found: Weights, digest: str) -> dict[str, torch.Tensor]:
    verify(found.path, digest)
    return {name: tensor.float() for name, tensor in load_file(found.path).items()}


def _check_mask(recipe: Recipe, mask: Path | None, name: str) -> None:
    """A mask is a promise of what does not change: better no picture than one made without it, or with another."""
    if recipe.mask is None and mask is None:
        return
    found = _digest(mask) if mask else "none"
    if recipe.mask != found:
        raise MaskMismatch(f"{name}: expected the mask {recipe.mask or 'none'}, got {found}.")


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
