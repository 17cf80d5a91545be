"""`python -m stylizer apply | train | evaluate | models`: files in, files out, no database.

Exit codes: 0 all done, 1 something was refused or failed (each named on standard error), 2 the command was not
understood, 130 stopped by Ctrl-C.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from stylizer.cards import Weights, packaged, packaged_by_digest, packaged_card, release_in
from stylizer.errors import StylizerError
from stylizer.recipe import REFUSALS, TILES, Recipe, load_spec, resolve

if TYPE_CHECKING:
    from stylizer.engine import Engine

# Commands that live with what they do; imported only when asked for, since they bring torch and more with them.
ELSEWHERE = {
    "train": ("stylizer.training.cli", "train a network on clean photographs"),
    "evaluate": ("stylizer.evaluation.cli", "judge a recipe on pairs of pictures"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    args = _parser(words[0] if words else "").parse_args(words)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        return run(args)
    except StylizerError as error:
        print(error, file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"This command needs {error.name}, which is not installed: pip install 'palimpsest[worker,train]'.",
              file=sys.stderr)  # fmt: skip
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _parser(asked: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stylizer", description="Restoration as exact, repeatable steps."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _apply_arguments(commands.add_parser("apply", help="make derivatives of pictures by a recipe"))
    for name, (module, words) in ELSEWHERE.items():
        command = commands.add_parser(name, help=words)
        if name == asked:
            try:
                home = import_module(module)
            except ModuleNotFoundError as error:
                parser.exit(1, f"“{name}” needs {error.name}, which is not installed: "
                               "pip install 'palimpsest[worker,train]'.\n")  # fmt: skip
            home.add_arguments(command)
            command.set_defaults(run=home.run)
    models = commands.add_parser("models", help="the model releases and their cards")
    models.add_argument("name", nargs="?", help="show the whole card of this one")
    models.set_defaults(run=show_models)
    return parser


def _apply_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="pictures")
    parser.add_argument(
        "--recipe",
        required=True,
        help="a preset, a chain of presets, a TOML or JSON file, or the folder of a style you trained",
    )
    parser.add_argument(
        "--out", required=True, type=Path, help="folder for NAME.tif, NAME.report.json and maps"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: CUDA where there is one")
    parser.add_argument(
        "--precision", choices=("archival", "fast"), help="fp32 or bf16; default: the recipe's"
    )
    parser.add_argument("--tile", type=int, choices=(0, *TILES), help="default: chosen by the picture's size")
    parser.add_argument("--reference", type=Path, help="the style picture, for recipes that take one")
    parser.add_argument("--mask", type=Path, help="grey, of the scan's size: black keeps, white may change")
    parser.add_argument(
        "--accept", action="append", choices=REFUSALS, default=[], help="go on where this would be refused"
    )
    parser.add_argument("--change-map", action="store_true", help="keep the change map and the damage mask")
    parser.set_defaults(run=apply)


def apply(args: argparse.Namespace) -> int:
    """Every input through the recipe; one that is refused is named and the others go on."""
    own = release_in(Path(args.recipe)) if Path(args.recipe).is_dir() else None
    recipe = _recipe(args, own)
    from stylizer.engine import Engine  # torch, only now: a mistyped recipe should not wait for it

    names = _names(args.inputs)
    found = packaged_by_digest if own is None else lambda _digest: own
    engine, refused = Engine(device=args.device, weights=found), 0
    for path, name in zip(args.inputs, names, strict=True):
        try:
            _apply_one(engine, path, name, recipe, args)
        except (StylizerError, OSError) as error:
            refused += 1
            print(f"{path}: {error}", file=sys.stderr)
    if len(names) > 1:
        print(f"{len(names) - refused} of {len(names)} made.")
    return 1 if refused else 0


def _apply_one(engine: "Engine", path: Path, name: str, recipe: Recipe, args: argparse.Namespace) -> None:
    from stylizer.engine import Source

    with tqdm(total=0, desc=name, unit="tile", disable=not sys.stderr.isatty(), leave=False) as bar:

        def on_tile(done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.refresh()

        reference = Source(args.reference) if args.reference else None
        result = engine.apply(
            Source(path),
            recipe,
            out=args.out,
            name=name,
            mask=args.mask,
            reference=reference,
            on_tile=on_tile,
        )
    if not args.change_map:
        for sidecar in result.sidecars.values():
            sidecar.unlink()
    record = {
        "recipe": json.loads(recipe.canonical()),
        "report": result.report.to_dict(),
        "source": path.name,
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    (args.out / f"{name}.report.json").write_text(text, "utf-8")
    seen = result.report
    print(
        f"{result.output}: {seen.width} × {seen.height}, {seen.changed_share:.1%} changed, {seen.seconds:.1f} s"
    )


def _recipe(args: argparse.Namespace, own: Weights | None) -> Recipe:
    """What is asked for; `own` is the release in the folder that the recipe names, of which it is the one step."""
    mask, reference = (_digest(path) for path in (args.mask, args.reference))
    spec = load_spec(args.recipe) if own is None else {"steps": [{"model": own.card.name}]}
    cards = packaged_card if own is None else {own.card.name: own.card}
    recipe = resolve(spec, cards=cards, precision=args.precision, mask=mask, reference=reference)
    accept = tuple(sorted({*recipe.accept, *args.accept}))
    return replace(recipe, accept=accept, tile=recipe.tile if args.tile is None else args.tile)


def _digest(path: Path | None) -> str | None:
    """Of a file that was named. Raises StylizerError where it cannot be read."""
    if path is None:
        return None
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise StylizerError(f"{path}: expected a readable picture ({error.strerror}).") from error


def _names(inputs: Sequence[Path]) -> list[str]:
    """The stem of each input; where two share one, the later get a number, so that nothing is overwritten."""
    names: list[str] = []
    for path in inputs:
        name, number = path.stem, 2
        while name in names:
            name, number = f"{path.stem}-{number}", number + 1
        names.append(name)
    return names


def show_models(args: argparse.Namespace) -> int:
    """One line a release, or one whole card."""
    if args.name:
        print(json.dumps(packaged_card(args.name).to_dict(), indent=1, ensure_ascii=False))
        return 0
    for card in packaged():
        print(f"{card.name} {card.version}  {card.operation}  {card.weights[:12]}  {card.title}")
    return 0
