"""`python -m stylizer train KIND --data DIR … --out DIR [--max-seconds N] [--resume]`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch

from stylizer.training import config as configs
from stylizer.training import photos
from stylizer.training.loop import RestoreRun

KINDS = ("restore",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=KINDS, help="what to train")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of clean photographs")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run: checkpoint, log, samples")
    parser.add_argument("--config", type=Path, help="TOML laid over the packaged settings")
    parser.add_argument(
        "--max-seconds", type=float, help="stop after so long; the learning rate ends with it"
    )
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    begin.add_argument(
        "--start-from", type=Path, help="begin with the detail network of another run's checkpoint"
    )
    parser.add_argument(
        "--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes that make pairs"
    )


def run(args: argparse.Namespace) -> int:
    """Train and say where the checkpoint is; 0 on success."""
    torch.set_num_threads(os.cpu_count() or 1)
    run = RestoreRun(
        configs.load(args.config),
        photos.find(args.data),
        args.out,
        workers=args.workers,
        max_seconds=args.max_seconds,
    )
    if args.resume:
        run.resume()
    elif args.start_from:
        run.start_from(args.start_from)
    progress = run.train()
    print(f"{progress.checkpoint}: {progress.step} steps in {progress.seconds:.0f} s")
    return 0
