"""`python -m stylizer train KIND [--data DIR …] [--out DIR] [--max-seconds N] [--resume]`, KIND one of KINDS."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch

from stylizer.training import config as configs
from stylizer.training import kinds, photos
from stylizer.training.judge import JudgeRun
from stylizer.training.loop import RestoreRun
from stylizer.training.team import gather

KINDS = ("restore", "judge", "style", "colourise", "upscale", "paired")
ANSWERS = {"colourise", "upscale", "paired"}
OUT = Path("var/training/restore")
SHORT = 600  # seconds; less than this would not even make the pictures that a real run learns from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=KINDS, help="what to train")
    parser.add_argument(
        "--data", type=Path, nargs="+",
        help="folders of clean photographs; without it, the few that scikit-image ships: enough to try it; for style "
        "one folder that holds “photographs” and “style”; for paired NAME_A and NAME_B in one folder, or two folders",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=OUT,
        help="folder of the run: checkpoint, log, samples, report (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--config",
        type=Path,
        help=f"settings: a TOML file, or one of {', '.join(configs.PACKAGED)} (default: restore, "
        "and minute for a run of less than ten minutes)",
    )
    parser.add_argument(
        "--max-seconds", type=float, help="stop after so long; the learning rate ends with it"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the folder's checkpoint, if it has one"
    )
    parser.add_argument(
        "--start-from", type=Path,
        help="begin with the detail network of another run's checkpoint or of a release (.safetensors)",
    )  # fmt: skip
    parser.add_argument(
        "--tone-from", type=Path, help="begin with the tone network of another run or release"
    )
    parser.add_argument(
        "--revive", action="store_true", help="with --start-from: begin blocks anew that let nothing through"
    )
    parser.add_argument(
        "--features", type=Path, help="folder with the weights of the perceptual loss's network"
    )
    parser.add_argument("--steps", type=int, help="end after so many steps, whatever the settings say")
    parser.add_argument(
        "--workers", type=int, default=min(16, os.cpu_count() or 1), help="processes that make pairs"
    )


def run(args: argparse.Namespace) -> int:
    """Train, say where the checkpoint is and why the run ended; 0 on success."""
    torch.set_num_threads(os.cpu_count() or 1)
    if args.kind == "style":
        if args.out == OUT and args.data:  # never into the folder of a restorer's run
            args.out = OUT.with_name(args.data[0].resolve().name)
        return kinds.train_style(args)
    if args.kind in ANSWERS:
        if args.out == OUT:
            args.out = OUT.with_name(args.kind)
        return kinds.train_answers(args)
    if args.kind == "judge":
        return _judge(args)
    team = gather()
    short = args.max_seconds is not None and args.max_seconds < SHORT
    settings = args.config or (Path("minute") if short else None)
    run = RestoreRun(
        configs.load(settings),
        photos.find(args.data) if args.data else photos.shipped(),
        args.out,
        workers=args.workers,
        max_seconds=args.max_seconds,
        feature_folder=args.features,
        team=team,
    )
    if args.resume and run.checkpoint.exists():
        run.resume()
    elif args.start_from:
        run.start_from(args.start_from, revive=args.revive)
    if args.tone_from and not args.resume:
        run.start_tone_from(args.tone_from)
    progress = run.train()
    if team.writes:
        print(f"{progress.checkpoint}: {progress.step} steps in {progress.seconds:.0f} s. {progress.ended}")
    return 0


def _judge(args: argparse.Namespace) -> int:
    if args.start_from is None:
        print("A judge judges a finished network: name its weights with --start-from.", file=sys.stderr)
        return 2
    paths = photos.find(args.data) if args.data else photos.shipped()
    run = JudgeRun(configs.load(args.config or Path("judge")), paths, args.out, weights=args.start_from)
    print(f"{run.train()}: the judge is trained")
    return 0
