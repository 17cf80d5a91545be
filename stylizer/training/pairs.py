"""Pairs made ahead: worker processes age photographs into shards, training crops them again and again.

A shard is a uint8 array (n, 7, side, side): damaged RGB, target RGB, mask. The target is the original in the aged tone
(`toned`: what repairing detail alone should give) or as it was (`clean`: for a network that does both at once).
Shard k depends on the seed and k only, and the shards in use at a step depend on the step only, so that a run may stop
anywhere and go on as if it had not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylizer.damage import age
from stylizer.training import photos
from stylizer.training.config import Restore
from stylizer.training.team import ALONE, Team

Shard = NDArray[np.uint8]
_GROUP = 8


def make_shard(paths: Sequence[Path], config: Restore, index: int) -> Shard:
    """Shard `index` of a run: the same on every machine that rounds alike."""
    rng = np.random.default_rng((config.seed, index))
    generator = torch.Generator().manual_seed(int(rng.integers(0, 2**62)))
    groups = []
    for start in range(0, config.shard, _GROUP):
        chosen = [paths[i] for i in rng.integers(0, len(paths), min(_GROUP, config.shard - start))]
        clean = torch.cat([photos.cut(photos.read(path), config.side, rng) for path in chosen])
        aged = age(clean, generator, ranges=config.damage)
        target = {"toned": aged.toned, "clean": aged.clean}[config.target]
        groups.append(torch.cat([aged.damaged, target, aged.mask], 1).mul(255).round().byte())
    return np.asarray(torch.cat(groups).numpy(), dtype=np.uint8)


def _write_shard(paths: Sequence[Path], config: Restore, index: int, target: Path) -> None:
    torch.set_num_threads(1)  # one process a core; more threads only fight each other
    part = target.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.save(stream, make_shard(paths, config, index))
    part.replace(target)


class Pool:
    """The sliding window of shards that a step may draw from, kept filled by worker processes."""

    def __init__(
        self, paths: Sequence[Path], config: Restore, folder: Path, *, workers: int, team: Team = ALONE
    ) -> None:
        self._paths, self._config, self._folder, self._team = list(paths), config, folder, team
        folder.mkdir(parents=True, exist_ok=True)
        self._executor = ProcessPoolExecutor(workers, mp_context=get_context("spawn")) if workers else None
        self._pending: dict[int, Future[None]] = {}
        self._shards: dict[int, Shard] = {}

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Damaged, target (B, 3, c, c) and mask (B, 1, c, c), float32 in 0…1, of this step and this process."""
        config = self._config
        window = self._window(step)
        rng = np.random.default_rng((config.seed, 1, step * self._team.size + self._team.rank))
        crops = []
        for _ in range(config.batch):
            shard = window[int(rng.integers(0, len(window)))]
            picture = shard[int(rng.integers(0, len(shard)))]
            top, left = rng.integers(0, config.side - config.crop + 1, 2)
            crop = picture[:, top : top + config.crop, left : left + config.crop]
            crop = np.rot90(crop, int(rng.integers(0, 4)), (1, 2))
            crops.append(crop[:, :, ::-1] if rng.random() < 0.5 else crop)
        batch = torch.from_numpy(np.stack(crops)).float() / 255
        damaged, target, mask = batch.to(self._team.device).split((3, 3, 1), 1)
        return damaged.contiguous(memory_format=torch.channels_last), target, mask

    def _window(self, step: int) -> list[Shard]:
        first = step // self._config.refresh
        wanted = range(first, first + self._config.pool)
        for index in [*wanted, wanted.stop, wanted.stop + 1]:
            self._order(index)
        for index in [index for index in self._shards if index < first]:
            del self._shards[index]
            self._file(index).unlink(missing_ok=True)
        for index in wanted:
            if index not in self._shards:
                self._shards[index] = self._take(index)
        return [self._shards[index] for index in wanted]

    def _file(self, index: int) -> Path:
        return self._folder / f"shard-{index:05d}.npy"

    def _order(self, index: int) -> None:
        if (
            self._executor
            and index not in self._shards
            and index not in self._pending
            and not self._file(index).exists()
        ):
            work = self._executor.submit(_write_shard, self._paths, self._config, index, self._file(index))
            self._pending[index] = work

    def _take(self, index: int) -> Shard:
        if index in self._pending:
            self._pending.pop(index).result()
        if not self._file(index).exists():
            return make_shard(self._paths, self._config, index)
        return np.asarray(np.load(self._file(index)), dtype=np.uint8)

    def close(self) -> None:
        if self._executor:
            self._executor.shutdown(cancel_futures=True)
