"""Judging a style that is given by a picture: each content in the styles of pictures that nothing was learnt from.

The goal is the style picture's own Gram matrices; untouched content and a Reinhard transfer from the same picture stand
beside it. Figures are means over a content's pictures first, so that intervals are over contents.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stylizer.cards import Weights, packaged_by_digest
from stylizer.engine import Engine, Source
from stylizer.evaluation import styling
from stylizer.evaluation.folder import read
from stylizer.evaluation.metrics import Picture
from stylizer.recipe import Recipe

EACH = 2  # style pictures a content is judged with
METHODS = ("content", "reinhard", "style")


def judge(
    recipe: Callable[[str], Recipe],
    contents: Sequence[Picture],
    unseen: Sequence[Path],
    features: Path,
    *,
    sheet: Path | None = None,
    weights: Callable[[str], Weights] = packaged_by_digest,
) -> dict[str, Any]:
    """recipe: for a style picture's SHA-256; unseen: the pictures that training kept back, of all styles."""
    engine = Engine(device="cpu", weights=weights)
    judges = [
        styling.Judge.of([styling.middle(styling.reduced(read(path)), 320)], features) for path in unseen
    ]
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    shown: dict[str, list[Picture]] = {name: [] for name in METHODS}
    for number, content in enumerate(contents):
        found: dict[str, list[Mapping[str, float]]] = {name: [] for name in METHODS}
        for turn in range(EACH):
            which = (number * EACH + turn) % len(unseen)
            pictures = _made(engine, recipe, content, unseen[which])
            known = judges[which].see(content)
            for name, picture in pictures.items():
                found[name].append(judges[which].measure(picture, content, known))
                if turn == 0:
                    shown[name].append(picture)
        for name, several in found.items():
            rows[name].append(
                {figure: float(np.mean([one[figure] for one in several])) for figure in several[0]}
            )
    if sheet is not None:
        named = [styling.middle(styling.reduced(read(path))) for path in unseen]
        beside = [named[number * EACH % len(named)] for number in range(len(contents))]
        styling.write_sheet(sheet, shown, beside)
    return styling.told(rows, unseen=len(unseen), learnt=0)


def _made(
    engine: Engine, recipe: Callable[[str], Recipe], content: Picture, style: Path
) -> dict[str, Picture]:
    digest = hashlib.sha256(style.read_bytes()).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content.png"
        Image.fromarray((content * 255).round().astype(np.uint8)).save(path)
        made = engine.apply(
            Source(path), recipe(digest), out=Path(folder), name="made", reference=Source(style)
        )
        styled = read(made.output)
    wanted = styling.tone_of([styling.reduced(read(style), 200)])
    return {"content": content, "reinhard": styling.reinhard(content, wanted), "style": styled}
