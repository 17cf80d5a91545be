"""Every kind of damage beside its own input, for every method: one table, one plain dictionary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stylizer.evaluation import measures as measuring
from stylizer.evaluation import metrics
from stylizer.evaluation.protocol import Pair

Method = Callable[[metrics.Picture], metrics.Picture]
Figures = dict[str, float]
Row = Mapping[str, Sequence[Figures]]  # method → one set of figures a picture, in the order of `names`


@dataclass(frozen=True)
class Worst:
    """A picture that a method has harmed, or helped least: PSNR after minus before, in dB."""

    kind: str
    name: str
    gain: float


@dataclass(frozen=True)
class Report:
    """Means per kind and method: `figures[kind][method]` has every measure, and the 95 % bootstrap interval of some.

    psnr_low/psnr_high: of the mean PSNR; gain, gain_low, gain_high: of the gain over each picture's own input.
    `pictures` and `names` keep what the means are made of.
    """

    figures: Mapping[str, Mapping[str, Figures]]
    counts: Mapping[str, int] = field(default_factory=dict)
    pictures: Mapping[str, Row] = field(default_factory=dict)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        methods = {method for row in self.figures.values() for method in row} - {"input"}
        return {
            "figures": {k: dict(v) for k, v in self.figures.items()},
            "counts": dict(self.counts),
            "worst": {m: [vars(one) for one in self.worst(m)] for m in sorted(methods)},
        }

    def best(self, kind: str, methods: Sequence[str]) -> str:
        """The method with the highest PSNR on a kind."""
        return max(methods, key=lambda name: self.figures[kind][name]["psnr"])

    def worst(self, method: str, *, count: int = 5) -> list[Worst]:
        """The pictures on which a method loses most against their own input, by name; sound pictures left out."""
        found = [
            Worst(kind, name, round(after["psnr"] - before["psnr"], 3))
            for kind, row in self.pictures.items()
            if kind != "clean" and method in row
            for name, before, after in zip(self.names[kind], row["input"], row[method], strict=True)
        ]
        return sorted(found, key=lambda one: one.gain)[:count]

    def difference(
        self, kind: str, method: str, other: str, *, figure: str = "psnr"
    ) -> tuple[float, float, float]:
        """Mean of `method` minus `other` over the pictures of a kind, and its 95 % interval, picture by picture."""
        row = self.pictures[kind]
        apart = [a[figure] - b[figure] for a, b in zip(row[method], row[other], strict=True)]
        return float(np.mean(apart)), *interval(apart)

    def table(self, methods: Sequence[str], *, figure: str = "psnr") -> str:
        """A Markdown table, one kind a row."""
        lines = [f"| kind | n | {' | '.join(methods)} |", "|---|---|" + "---|" * len(methods)]
        digits = {"psnr": 2, "gain": 2}.get(figure, 3)
        for kind, row in self.figures.items():
            cells = " | ".join(
                f"{row[name][figure]:.{digits}f}" if figure in row.get(name, {}) else "–" for name in methods
            )
            lines.append(f"| {kind} | {self.counts.get(kind, 0)} | {cells} |")
        return "\n".join(lines)


def interval(values: Sequence[float], *, seed: int = 0, rounds: int = 1000) -> tuple[float, float]:
    """A 95 % bootstrap interval of the mean, pictures drawn with replacement."""
    sample = np.asarray(values)
    rng = np.random.default_rng(seed)
    means = sample[rng.integers(0, len(sample), (rounds, len(sample)))].mean(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def evaluate(
    pairs: Iterable[Pair],
    methods: Mapping[str, Method],
    *,
    measures: Mapping[str, measuring.Measure] | None = None,
) -> Report:
    """Run every method on every pair; "input" (the damaged picture as it is) is always among the methods."""
    return compare(((pair, {}) for pair in pairs), methods=methods, measures=measures)


def compare(
    pairs: Iterable[tuple[Pair, Mapping[str, metrics.Picture]]],
    *,
    methods: Mapping[str, Method],
    measures: Mapping[str, measuring.Measure] | None = None,
) -> Report:
    """As `evaluate`, where results by name may come with a pair because they were made before."""
    asked = measuring.standard() | dict(measures or {})
    rows: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    names: dict[str, list[str]] = defaultdict(list)
    for pair, made in pairs:
        names[pair.kind].append(pair.name)
        results = {
            "input": pair.input,
            **made,
            **{name: method(pair.input) for name, method in methods.items()},
        }
        for name, result in results.items():
            rows[pair.kind][name].append(measuring.of(result, pair, asked))
    figures = {
        kind: {name: _summary(values, row["input"]) for name, values in row.items()}
        for kind, row in rows.items()
    }
    counts = {kind: len(found) for kind, found in names.items()}
    return Report(figures, counts, {kind: dict(row) for kind, row in rows.items()}, dict(names))


def _summary(values: Sequence[Figures], inputs: Sequence[Figures]) -> Figures:
    summary = {name: _mean([one[name] for one in values]) for name in values[0]}
    gains = [one["psnr"] - before["psnr"] for one, before in zip(values, inputs, strict=True)]
    summary["psnr_low"], summary["psnr_high"] = interval([one["psnr"] for one in values])
    summary["gain"] = float(np.mean(gains))
    summary["gain_low"], summary["gain_high"] = interval(gains)
    for name in (name for name in values[0] if name.startswith("lpips")):
        low, high = interval([one[name] for one in values])
        summary |= {f"{name}_low": low, f"{name}_high": high}
    return summary


def _mean(values: Sequence[float]) -> float:
    """The mean of those that are numbers: some measures say nothing about some pictures. 0 where none does."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else 0.0
