"""Learning a style from photographs and style pictures that do not belong together.

Two ways. The trunk (`encoder` in its architecture) learns many pictures' styles at once: each sample has a style
picture of its own, whose code an encoder reads off it. A named style starts from the trunk and learns one folder:
the statistics of the whole folder, and a critic of patches that tells its pictures from made ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from stylizer.models import channels_last
from stylizer.models.colours import recoloured
from stylizer.models.features import Features
from stylizer.models.stylist import Stylist
from stylizer.training import likeness, report, state
from stylizer.training.adversary import Unpaired
from stylizer.training.config import Adversary as Game
from stylizer.training.config import Watch
from stylizer.training.course import Figures, Pace
from stylizer.training.style_pictures import Folder, colours_of, cut, load, mean_of, recolouring, statistics

AFAR = 8  # pixels that are one where a result is compared with its ground
SHOWN = 4  # contents on the sheet
PACE = Pace(watch=Watch(every=200, metric="nearer"))
NO_GAME = Game()


@dataclass(frozen=True)
class Style:
    """Settings of a style's training. Sizes are pixels; weights of losses are relative to `style`'s 1.

    side: the long side style pictures are reduced to, so that a stroke of theirs is as large as one of the result;
    near, far: layers of the feature network looked at in the picture and in its half; view: what the encoder sees;
    content: squared distance of structure; contrast: PatchNCE, at `patches` places; edge, light, rough: see `likeness`;
    ground: how much the result, seen from afar, keeps the colours that it began with (a network with `laid` alone);
    margin: what the network sees around a crop and no loss is taken of: a scan is mirrored beyond its edges, and what
    the network would learn to draw where nothing is, no scan has; choose: what lies beneath is chosen by measurement.
    """

    seed: int = 20261124
    architecture: Mapping[str, Any] = field(default_factory=dict)
    pace: Pace = PACE
    crop: int = 128
    margin: int = 16
    batch: int = 4
    side: int = 640
    content_side: int = 480
    view: int = 192
    near: int = 0
    far: int = 3
    style: float = 1.0
    content: float = 0.3
    contrast: float = 0.0
    patches: int = 256
    edge: float = 0.3
    light: float = 0.3
    rough: float = 0.0
    ground: float = 0.0
    kept: float = 0.2
    choose: bool = False
    adversary: Game = NO_GAME

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class StyleLesson:
    """Folders of styles and photographs → a stylist. With an encoder: any of the pictures; without: the one folder."""

    def __init__(
        self,
        config: Style,
        contents: Folder,
        styles: Sequence[Folder],
        features: Features,
        *,
        keep: Path | None = None,
    ) -> None:
        """keep: where the statistics of the style pictures are kept, which take a minute to work out."""
        self.config = config
        torch.manual_seed(config.seed)
        self.network: Stylist = channels_last(Stylist(**_frozen(config.architecture)))
        self.eye = likeness.Eye(features, near=config.near, far=config.far)
        self.contents = load(contents.paths, side=config.content_side)
        self.kept = load(contents.kept, side=config.content_side)[:12]
        if self.network.matched:
            mean, spread = colours_of(self.contents[::8] or self.contents)
            self.network.get_buffer("usual").copy_(torch.cat([mean, spread.flatten()]))
        self.names = [folder.name for folder in styles]
        self.pictures = [load(folder.paths, side=config.side) for folder in styles]
        self.unseen = [load(folder.kept, side=config.side) for folder in styles]
        self.known, unseen = self._statistics(styles, keep)
        self.wanted = [mean_of(known) for known in self.known]
        self.unseen_wanted = [mean_of(known) for known in unseen]
        game = config.adversary
        self.adversary = Unpaired(game, seed=config.seed) if game.weight else None

    @property
    def reads(self) -> bool:
        return self.network.encoder is not None

    def start_from(self, weights: Path) -> None:
        """Begin with a trunk: its weights, and the mean code that its encoder reads off this style's pictures.

        A trunk may begin with a named style: it draws as that does, until its encoder has learnt to tell styles apart.
        """
        found = state.weights(weights)
        if self.reads:
            own = self.network.state_dict()
            fits = {
                name: value for name, value in found.items() if name in own and value.shape == own[name].shape
            }
            self.network.load_state_dict(own | fits)
            return
        width = found["encoder.layers.0.weight"].shape[0] if "encoder.layers.0.weight" in found else 0
        if width:
            trunk = Stylist(**{**_frozen(self.config.architecture), "encoder": width})
            trunk.load_state_dict(found)
            with torch.no_grad():
                codes = [trunk.code_of(picture[None].float() / 255) for picture in self.pictures[0]]
            found["code"] = torch.cat(codes).mean(0, keepdim=True)
        own = self.network.state_dict()
        self.network.load_state_dict({name: found[name] for name in own})

    def _statistics(
        self, styles: Sequence[Folder], keep: Path | None
    ) -> tuple[list[list[likeness.Grams]], list[list[likeness.Grams]]]:
        """Of each folder's pictures, and of those kept back (of the former, where none is)."""
        config = self.config
        told = [[path.name for path in (*folder.paths, *folder.kept)] for folder in styles]
        key = json.dumps([told, config.seed, config.crop, config.side, config.near, config.far])
        if keep is not None and keep.exists() and (kept := state.load(keep))["key"] == key:
            return kept["known"], kept["unseen"]
        rng = np.random.default_rng((config.seed, 1))

        def of(pictures: Sequence[Tensor]) -> list[likeness.Grams]:
            return statistics(pictures, self.eye, side=config.crop, rng=rng)

        known = [of(pictures) for pictures in self.pictures]
        unseen = [of(pictures) if pictures else known[place] for place, pictures in enumerate(self.unseen)]
        if keep is not None:
            keep.parent.mkdir(parents=True, exist_ok=True)
            state.save(keep, {"key": key, "known": known, "unseen": unseen})
        return known, unseen

    def recolour(self) -> None:
        """Begin with the style's colours, which need no learning: what is left to learn is how it draws."""
        if self.reads:
            return
        with torch.no_grad():
            self.network.colour.weight.zero_()
            self.network.colour.bias.copy_(self.begun)

    @cached_property
    def begun(self) -> Tensor:
        """The map of colours (12,) that learning begins with."""
        contents = self.contents[::8] or self.contents
        matrix, offset = recolouring(contents, self.pictures[0], clamped=self.network.laid is not None)
        return torch.cat([matrix.flatten(), offset])

    @torch.no_grad()
    def _ground(self, x: Tensor, code: Tensor | None) -> Tensor:
        """What the photographs are before a stroke is learnt."""
        laid = x if self.network.laid is None else self.network.laid(x)
        return recoloured(laid, self.begun[None] if code is None else code[:, :12]).clamp(0, 1)

    # ---- a step

    def loss(self, step: int) -> tuple[Tensor, Callable[[], Figures]]:
        config = self.config
        rng = np.random.default_rng((config.seed, 2, step))
        wide = self._contents(rng).contiguous(memory_format=torch.channels_last)
        code, wanted, real = self._styles(rng)
        x, made = self._trimmed(wide), self._trimmed(self.network(wide, code))
        inside = made.clamp(0, 1)
        seen = self.eye(made)
        with torch.no_grad():
            deep_known = self.eye.deepest(x)
        deep = seen.half[-1]
        parts = {
            "style": (config.style, likeness.style_distance(seen.layers, wanted)),
            "content": (config.content, likeness.content_distance(deep, deep_known)),
            "edge": (config.edge, 1 - likeness.edge_likeness(made, x)),
            "light": (config.light, likeness.light(made, x)),
            "rough": (config.rough, likeness.roughness(made)),
            # A value outside 0…1 would be cut off, and its gradient with it.
            "outside": (10.0, (made - inside).square().mean()),
        }
        if config.ground and (self.network.matched or not self.reads):
            apart = F.avg_pool2d(made - self._trimmed(self._ground(wide, code)), AFAR)
            parts["ground"] = (config.ground, apart.abs().mean())
        if config.contrast:
            places = torch.from_numpy(rng.permutation(deep.shape[2] * deep.shape[3])[: config.patches].copy())
            parts["contrast"] = (config.contrast, likeness.contrast(deep, deep_known, places))
        total = torch.stack([weight * value for weight, value in parts.values() if weight]).sum()
        told: Figures = {}
        if self.adversary and self.adversary.active(step):
            none = x[:, :1]
            told = self.adversary.turn(step, x, inside, real, none)
            if (weight := self.adversary.weight(step)) > 0:
                verdict = self.adversary.verdict(step, x, inside, real, none)
                total, told["verdict"] = total + weight * verdict, float(verdict.detach())
        return total, lambda: {name: float(value.detach()) for name, (_, value) in parts.items()} | told

    def _contents(self, rng: np.random.Generator) -> Tensor:
        """Photographs, some of them grey or toned: an archive's scans are, and the style must hold for them."""
        chosen = rng.integers(0, len(self.contents), self.config.batch)
        squares = []
        for place in chosen:
            square = cut(self.contents[int(place)], self.config.crop + 2 * self.config.margin, rng)
            if rng.random() < 0.3:
                tint = (
                    torch.tensor(rng.uniform([0.95, 0.9, 0.75], [1.0, 1.0, 1.0])).float().reshape(1, 3, 1, 1)
                )
                toned = tint if rng.random() < 0.5 else torch.ones(1, 3, 1, 1)
                square = likeness.luma(square) * toned
            squares.append(square)
        return torch.cat(squares)

    def _styles(self, rng: np.random.Generator) -> tuple[Tensor | None, likeness.Grams, Tensor]:
        """Codes (B, n) or None, the statistics asked for, and real pictures (B, 3, c, c) for the critic."""
        config = self.config
        views, wanted, real = [], [], []
        for _ in range(config.batch):
            folder = int(rng.integers(0, len(self.pictures)))
            place = int(rng.integers(0, len(self.pictures[folder])))
            picture = self.pictures[folder][place]
            if self.reads:
                views.append(cut(picture, config.view, rng))
                wanted.append(self.known[folder][place])
            else:
                wanted.append(self.wanted[folder])
            real.append(cut(picture, config.crop, rng) if self.adversary else picture.new_zeros(1, 3, 1, 1))
        code = self.network.code_of(torch.cat(views)) if views else None
        goal = [torch.cat(layer) for layer in zip(*wanted, strict=True)]
        return code, goal, torch.cat(real).float()

    # ---- judging

    @torch.no_grad()
    def judge(self, network: nn.Module) -> Figures:
        """Distance to the statistics of pictures kept back, of the result and of the untouched content."""
        if not self.kept:
            return {}
        assert isinstance(network, Stylist)  # noqa: S101  (the average of our own)
        figures: dict[str, list[float]] = {}
        rng = np.random.default_rng((self.config.seed, 3))
        x = torch.cat([cut(picture, self.config.crop, rng) for picture in self.kept])
        untouched = self.eye(x).layers
        for place, name in enumerate(self.names):
            made = self._whole(network, x, place)
            goal = self.unseen_wanted[place]
            apart = float(likeness.style_distance(self.eye(made).layers, goal))
            before = float(likeness.style_distance(untouched, goal))
            prefix = f"{name}_" if len(self.names) > 1 else ""
            figures[f"{prefix}gram"] = [apart]
            figures[f"{prefix}gram_untouched"] = [before]
            figures.setdefault("nearer", []).append(1 - apart / before)
            figures.setdefault("edge", []).append(float(likeness.edge_likeness(made, x)))
        return {name: float(np.mean(values)) for name, values in figures.items()}

    def _whole(self, network: Stylist, x: Tensor, place: int) -> Tensor:
        """A picture in a style as the engine makes it: mirrored beyond its edges."""
        by = self.config.margin
        made = network(F.pad(x, [by] * 4, mode="reflect"), self._code(network, place))
        return self._trimmed(made).clamp(0, 1)

    def _trimmed(self, x: Tensor) -> Tensor:
        by = self.config.margin
        return x[:, :, by:-by, by:-by] if by else x

    def _code(self, network: Stylist, place: int) -> Tensor | None:
        if network.encoder is None:
            return None
        pictures = (self.unseen[place] or self.pictures[place])[:8]
        return torch.cat([network.code_of(one[None].float() / 255) for one in pictures]).mean(0, keepdim=True)

    @torch.no_grad()
    def sheet(self, network: nn.Module, path: Path) -> None:
        """Contents kept back in the first column, then each style; the last row is what was learnt from."""
        assert isinstance(network, Stylist)  # noqa: S101  (the average of our own)
        side = 256 // network.stride * network.stride
        contents = (self.kept or self.contents)[:SHOWN]
        rng = np.random.default_rng((self.config.seed, 4))
        x = torch.cat([cut(picture, side, rng) for picture in contents])
        columns = [x]
        columns += [self._whole(network, x, place) for place in range(len(self.names))]
        known = [kept or learnt for kept, learnt in zip(self.unseen, self.pictures, strict=True)]
        bottom = [torch.ones(1, 3, side, side), *(cut(pictures[0], side, rng) for pictures in known)]
        rows = [torch.cat([column[row : row + 1] for column in columns], 3) for row in range(len(contents))]
        whole = torch.cat([*rows, torch.cat(bottom, 3)], 2)[0]
        pixels = whole.mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()
        Image.fromarray(pixels).save(path, format="PNG")

    def page(self) -> report.Page:
        config = self.config
        facts = {
            "Network": f"stylist {dict(config.architecture)}",
            "Styles": ", ".join(
                f"{name} ({len(pictures)} pictures)"
                for name, pictures in zip(self.names, self.pictures, strict=True)
            ),
            "Photographs": len(self.contents),
            "Adversarial": f"{config.adversary.loss}, {config.adversary.critic}"
            if config.adversary.weight
            else "no",
        }
        panels: report.Panels = (
            ("Loss", "step", ("loss",)),
            ("Style: distance of statistics", "step", ("style",)),
            ("Content", "step", ("content", "edge", "light", "ground", "contrast")),
            ("Critic", "step", ("critic", "critic_right", "verdict")),
            ("Kept back: nearer to the style by", "validation", ("nearer",)),
            ("Kept back: likeness of edges", "validation", ("edge",)),
        )
        words = (
            "Photographs that were kept back, then how they look in the style; below, a picture of the style."
        )
        return report.Page(facts, config.to_dict(), panels, words)

    def state(self) -> dict[str, Any]:
        return {"adversary": self.adversary.state() if self.adversary else None}

    def restore(self, saved: Mapping[str, Any]) -> None:
        if self.adversary and saved["adversary"]:
            self.adversary.restore(saved["adversary"])


def _frozen(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
