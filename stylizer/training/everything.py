"""`python -m stylizer.training.everything --data DIR --out DIR [--features DIR] [--minutes 25]`: all a release needs.

In order, each within its share of the minutes: the faithful restorer with its tone (65 %), the judge of its gate
(10 %), the perceptual counterpart with a critic (25 %). Meant for an accelerator with some sixteen cores beside it, and
the same everywhere. What comes after needs none: `stylizer.evaluation.tuning`, then `stylizer.evaluation.release`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stylizer.training import config as configs
from stylizer.training import photos
from stylizer.training.config import Restore
from stylizer.training.judge import JudgeRun
from stylizer.training.loop import RestoreRun
from stylizer.training.team import gather

SHARES = {"restore": 0.65, "perceptual": 0.25}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train everything; print where it lies and why each run ended."""
    parser = argparse.ArgumentParser(prog="python -m stylizer.training.everything")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of clean photographs")
    parser.add_argument("--features", type=Path, help="folder with SqueezeNet's weights")
    parser.add_argument("--out", type=Path, required=True, help="a folder for each run in here")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--workers", type=int, default=14, help="processes that make pairs")
    args = parser.parse_args(arguments)
    everything(
        configs.load(Path("accelerated")), photos.find(args.data), args.out,
        seconds=60 * args.minutes, features=args.features, workers=args.workers,
    )  # fmt: skip
    return 0


def everything(
    config: Restore, paths: Sequence[Path], out: Path, *, seconds: float, features: Path | None, workers: int
) -> None:
    """The three runs, each in a folder of its own name."""
    team = gather()
    faithful = RestoreRun(config, paths, out / "restore", workers=workers,
                          max_seconds=SHARES["restore"] * seconds, team=team)  # fmt: skip
    _say("restore", faithful.train().ended)
    shape = {**config.architecture, "judge": 24}
    judged = replace(configs.load(Path("judge")), architecture=shape, damage=config.damage, shard=config.shard,
                     pool=max(1, config.pool // 8), side=config.side // 8 * 8)  # fmt: skip
    weights = JudgeRun(judged, paths, out / "judge", weights=faithful.checkpoint).train()
    _say("judge", "The steps are used up.")
    game = configs.load(Path("perceptual"))
    fresh = replace(
        config, network="judged-restorer", architecture=shape, tone_steps=0, gate_weight=0.0,
        rate=game.rate, warmup=game.warmup, adversary=game.adversary, perceptual=game.perceptual,
        perceptual_weight=game.perceptual_weight if features else 0.0,
    )  # fmt: skip
    counterpart = RestoreRun(fresh, paths, out / "perceptual", workers=workers, feature_folder=features,
                             max_seconds=SHARES["perceptual"] * seconds, team=team)  # fmt: skip
    counterpart.start_from(weights)
    _say("perceptual", counterpart.train().ended)


def _say(name: str, ended: str) -> None:
    sys.stdout.write(f"{name}: {ended}\n")


if __name__ == "__main__":
    sys.exit(main())
