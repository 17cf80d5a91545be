"""`python -m stylizer train style|colourise|upscale|paired --data …`: the kinds of training that share one loop."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from stylizer.cards import WEIGHTS, Card
from stylizer.models import features
from stylizer.training import beneath, photos, state
from stylizer.training.colour import Colour, ColourLesson
from stylizer.training.config import section
from stylizer.training.course import Course
from stylizer.training.lesson import SupervisedLesson
from stylizer.training.paired import Paired, PairedLesson
from stylizer.training.paired import find as find_pairs
from stylizer.training.style import Style, StyleLesson
from stylizer.training.style_pictures import DataMissing, folder, two_folders
from stylizer.training.upscale import Upscale, UpscaleLesson

# Where a style of one's own starts: what draws one style is halfway to the next.
TRUNK = "style/halftone-plate"
PERCEPTUAL = "vgg16"
HALF_AN_HOUR = 1800.0  # seconds, where neither seconds nor steps are given
NAME = re.compile(r"[^a-z0-9./_-]+")


def settings(path: Path | None, packaged: str) -> Mapping[str, Any]:
    """Settings from a TOML file, or packaged ones by their name."""
    if path is not None and path.suffix == ".toml":
        return tomllib.loads(path.read_text("utf-8"))
    name = str(path or packaged)
    return tomllib.loads((files("stylizer.training") / f"{name}.toml").read_text("utf-8"))


def train_style(args: argparse.Namespace) -> int:
    """One style from two folders; several at once, with an encoder, where `style` holds folders of its own."""
    if not args.data or len(args.data) != 1:
        raise DataMissing("Name one folder with --data: in it “photographs” and “style”, each with pictures.")
    data: Path = args.data[0]
    many = _folders(data / "style")
    if many:
        photographs = photos.find([data / "photographs"])
        styles = [photos.find([one]) for one in many]
    else:
        photographs, style = two_folders(data)
        styles = [style]
    config = section(Style, settings(args.config, "trunk" if many else "style"), "training settings")
    if args.steps:
        config = replace(config, pace=replace(config.pace, steps=args.steps))
    seeing = features.load(PERCEPTUAL, args.features).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if config.choose and not many:
        config = beneath.chosen(config, photographs, style, seeing)
    lesson = StyleLesson(
        config,
        folder(photographs, kept=0.03),
        [folder(paths, kept=config.kept, name=_name(paths[0], data)) for paths in styles],
        seeing,
        keep=args.out / "statistics.pt",
    )
    seconds = args.max_seconds or (None if args.steps else HALF_AN_HOUR)
    course = Course(lesson, config.pace, args.out, max_seconds=seconds)
    start = args.start_from or (None if many else _trunk())
    if args.resume and course.checkpoint.exists():
        course.resume()
    else:
        if start is not None:
            lesson.start_from(start)
        lesson.recolour()
        course.average.network.load_state_dict(course.network.state_dict())
    ended = course.train()
    keep_release(course, name=f"style/{data.resolve().name.lower()}", pictures=len(styles[0]))
    print(f"{ended.checkpoint}: {ended.step} steps in {ended.seconds:.0f} s. {ended.words}")
    print(f"Use it: python -m stylizer apply SCAN --recipe {args.out} --out DIR")
    print(f"How it looks: {args.out / 'sheet.png'}; all of it: {args.out / 'report.html'}")
    return 0


def keep_release(course: Course, *, name: str, pictures: int) -> Card:
    """Weights in half precision and a card beside the checkpoint: what `apply --recipe RUN` takes."""
    shape = dict(course.lesson.page().settings["architecture"])
    card = Card(
        name=NAME.sub("-", name), version="1", operation="stylise", architecture="stylist", weights="", arguments=shape,
        title=name, summary=f"A style of your own, learnt from {pictures} pictures in {course.step} steps.",
        reference=bool(shape.get("encoder")),
    )  # fmt: skip
    return _keep(course, card)


def train_answers(args: argparse.Namespace) -> int:
    """Colour, size, or pairs of one's own: kinds with a right answer, from folders to a release in the run's folder."""
    if not args.data:
        raise DataMissing("Name folders with --data: photographs in colour, or pairs for “paired”.")
    lesson, operation, words = _LESSONS[args.kind](args)
    seconds = args.max_seconds or (None if args.steps else HALF_AN_HOUR)
    pace = lesson.config.pace if args.steps is None else replace(lesson.config.pace, steps=args.steps)
    course = Course(lesson, pace, args.out, max_seconds=seconds)
    if args.resume and course.checkpoint.exists():
        course.resume()
    elif args.start_from:
        for network in (course.network, course.average.network):
            network.load_state_dict(state.weights(args.start_from))
    ended = course.train()
    name = f"{args.kind}/{args.out.resolve().name.lower()}"
    card = Card(
        name=NAME.sub("-", name), version="1", operation=operation, architecture=lesson.kind, weights="",
        arguments=lesson.architecture, title=name, summary=f"{words}, learnt in {course.step} steps.",
    )  # fmt: skip
    _keep(course, card)
    print(f"{ended.checkpoint}: {ended.step} steps in {ended.seconds:.0f} s. {ended.words}")
    print(f"Use it: python -m stylizer apply SCAN --recipe {args.out} --out DIR")
    print(f"How it looks: {args.out / 'sheet.png'}; all of it: {args.out / 'report.html'}")
    return 0


Taught = tuple[SupervisedLesson, str, str]  # the lesson, the operation of what it makes, and words for it


def _colour(args: argparse.Namespace) -> Taught:
    config = section(Colour, settings(args.config, "colour"), "training settings")
    photographs = folder(photos.find(args.data), kept=config.kept)
    return ColourLesson(config, photographs, args.features), "colourise", "Colours for grey pictures"


def _size(args: argparse.Namespace) -> Taught:
    config = section(Upscale, settings(args.config, "upscale"), "training settings")
    photographs = folder(photos.find(args.data), kept=config.kept)
    return UpscaleLesson(config, photographs, args.features), "upscale", "Twice the width and height"


def _pairs(args: argparse.Namespace) -> Taught:
    config = section(Paired, settings(args.config, "paired"), "training settings")
    return (
        PairedLesson(config, find_pairs(args.data), args.features),
        "stylise",
        "One kind of picture into another",
    )


_LESSONS: Mapping[str, Callable[[argparse.Namespace], Taught]] = {
    "colourise": _colour, "upscale": _size, "paired": _pairs,
}  # fmt: skip


def _keep(course: Course, card: Card) -> Card:
    """The average's weights in half precision, and the card completed with what is known of the run."""
    tensors = {key: value.half().contiguous() for key, value in course.average.network.state_dict().items()}
    path = course.out / "model.safetensors"
    part = path.with_suffix(".part")
    save_file(dict(sorted(tensors.items())), str(part))
    part.replace(path)
    card = replace(
        card, weights=hashlib.sha256(path.read_bytes()).hexdigest(), metrics=dict(course.watch.latest),
        training={"steps": course.step, "seconds": round(course.seconds),
                  "config": dict(course.lesson.page().settings)},
    )  # fmt: skip
    text = json.dumps(card.to_dict(), indent=1, ensure_ascii=False) + "\n"
    (course.out / "card.json").write_text(text, "utf-8")
    return card


def _folders(place: Path) -> list[Path]:
    return sorted(one for one in place.iterdir() if one.is_dir()) if place.is_dir() else []


def _name(path: Path, data: Path) -> str:
    return data.resolve().name if path.parent.name == "style" else path.parent.name


def _trunk() -> Path | None:
    path = WEIGHTS / TRUNK / "model.safetensors"
    return path if path.is_file() else None
