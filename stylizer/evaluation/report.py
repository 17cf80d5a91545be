"""Every kind of damage beside its own input, for every method: one table, one plain dictionary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stylizer.evaluation import metrics
from stylizer.evaluation.protocol import Pair

Method = Callable[[metrics.Picture], metrics.Picture]
Figures = dict[str, float]


@dataclass(frozen=True)
class Report:
    """Means per kind and method: `figures[kind][method]` has mse, psnr, ssim, and psnr_low/psnr_high (95 %)."""

    figures: Mapping[str, Mapping[str, Figures]]
    counts: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        return {"figures": {k: dict(v) for k, v in self.figures.items()}, "counts": dict(self.counts)}

    def best(self, kind: str, methods: Sequence[str]) -> str:
        """The method with the highest PSNR on a kind."""
        return max(methods, key=lambda name: self.figures[kind][name]["psnr"])

    def table(self, methods: Sequence[str], *, figure: str = "psnr") -> str:
        """A Markdown table, one kind a row."""
        lines = [f"| kind | n | {' | '.join(methods)} |", "|---|---|" + "---|" * len(methods)]
        for kind, row in self.figures.items():
            cells = " | ".join(
                f"{row[name][figure]:.2f}" if figure == "psnr" else f"{row[name][figure]:.3f}"
                for name in methods
            )
            lines.append(f"| {kind} | {self.counts.get(kind, 0)} | {cells} |")
        return "\n".join(lines)


def interval(values: Sequence[float], *, seed: int = 0, rounds: int = 1000) -> tuple[float, float]:
    """A 95 % bootstrap interval of the mean, pictures drawn with replacement."""
    sample = np.asarray(values)
    rng = np.random.default_rng(seed)
    means = sample[rng.integers(0, len(sample), (rounds, len(sample)))].mean(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def evaluate(pairs: Iterable[Pair], methods: Mapping[str, Method]) -> Report:
    """Run every method on every pair; "input" (the damaged picture as it is) is always among the methods."""
    return compare(((pair, {}) for pair in pairs), methods=methods)


def compare(
    pairs: Iterable[tuple[Pair, Mapping[str, metrics.Picture]]], *, methods: Mapping[str, Method]
) -> Report:
    """As `evaluate`, where results by name may come with a pair because they were made before."""
    rows: dict[str, dict[str, list[tuple[float, float, float]]]] = defaultdict(lambda: defaultdict(list))
    for pair, made in pairs:
        results = {
            "input": pair.input,
            **made,
            **{name: method(pair.input) for name, method in methods.items()},
        }
        for name, result in results.items():
            rows[pair.kind][name].append(
                (
                    metrics.mse(result, pair.target),
                    metrics.psnr(result, pair.target),
                    metrics.ssim(result, pair.target),
                )
            )
    figures = {kind: {name: _summary(values) for name, values in row.items()} for kind, row in rows.items()}
    return Report(figures, {kind: len(row["input"]) for kind, row in rows.items()})


def _summary(values: Sequence[tuple[float, float, float]]) -> Figures:
    mse, psnr, ssim = (float(np.mean(column)) for column in zip(*values, strict=True))
    low, high = interval([value[1] for value in values])
    return {"mse": mse, "psnr": psnr, "ssim": ssim, "psnr_low": low, "psnr_high": high}
