"""The report of a run: curves.png, and report.html that needs no other file and no network."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylizer.training import records
from stylizer.training.config import Restore

Line = Mapping[str, Any]

# Panels of the curves: title, stage of the log, its figures.
Panels = tuple[tuple[str, str, tuple[str, ...]], ...]
PANELS: Panels = (
    ("Loss of the generator", "detail", ("loss", "pixel", "left", "harm")),
    ("Gain over the damaged picture, dB", "detail", ("gain_db",)),
    ("Validation: gain, dB", "validation", ("gain_db",)),
    ("Validation: sound pictures, dB", "validation", ("clean_db",)),
    ("Critic: loss, and share it is right about", "detail", ("critic", "critic_right")),
    ("Tone: dB before and after", "tone", ("aged_before", "aged_after", "well_before", "well_after")),
)


@dataclass(frozen=True)
class Page:
    """What a report says beside the curves and the samples: facts by name, settings, what the sheet's columns are."""

    facts: Mapping[str, object]
    settings: Mapping[str, Any]
    panels: Panels
    samples: str
    stage: str = "step"


def write(out: Path, config: Restore, *, ended: str, validation: Mapping[str, float]) -> None:
    """The report of a restorer's run, from the log as it is."""
    facts = {
        "Network": f"{config.network} {json.dumps(dict(config.architecture))}",
        "Adversarial": f"{config.adversary.loss}, {config.adversary.critic}"
        if config.adversary.weight
        else "no",
    }
    samples = "Damaged, repaired, target, damage map as found, true damage."
    page = Page(facts, config.to_dict(), PANELS, samples, stage="detail")
    publish(out, page, ended=ended, validation=validation)


def publish(out: Path, page: Page, *, ended: str, validation: Mapping[str, float]) -> None:
    """Both files, from the log as it is."""
    lines = list(records.read(out))
    curves(lines, out / "curves.png", page.panels)
    text = _page(out, page, lines, ended=ended, validation=validation)
    part = out / "report.html.part"
    part.write_text(text, "utf-8")
    part.replace(out / "report.html")


def curves(lines: Sequence[Line], path: Path, wanted: Panels = PANELS) -> None:
    """Every panel that the log has figures for, as one PNG."""
    from matplotlib.figure import Figure  # slow to import, and only wanted where a picture is

    panels = [
        (title, [(name, _series(lines, stage, name)) for name in names]) for title, stage, names in wanted
    ]
    panels = [(title, [one for one in series if one[1][0]]) for title, series in panels]
    panels = [panel for panel in panels if panel[1]]
    rows = max(1, -(-len(panels) // 2))
    figure = Figure(figsize=(11, 2.8 * rows), layout="constrained")
    for place, (title, series) in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, 2, place)
        for name, (steps, values) in series:
            axes.plot(steps, values, label=name, linewidth=0.9)
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        if len(series) > 1:
            axes.legend(fontsize=7)
    figure.savefig(path, dpi=110, format="png")


def _series(lines: Sequence[Line], stage: str, name: str) -> tuple[list[float], list[float]]:
    found = [(line["step"], line[name]) for line in lines if line.get("stage") == stage and name in line]
    return [step for step, _ in found], [value for _, value in found]


def _page(
    out: Path, page: Page, lines: Sequence[Line], *, ended: str, validation: Mapping[str, float]
) -> str:
    last: Line = next((line for line in reversed(lines) if line.get("stage") == page.stage), {})
    facts = {
        **page.facts,
        "Steps": last.get("step", 0),
        "Seconds": round(float(last.get("seconds", 0.0))),
    }
    rows = "".join(f"<tr><th>{html.escape(k)}<td>{html.escape(str(v))}" for k, v in facts.items())
    judged = "".join(
        f"<tr><th>{html.escape(name)}<td>{value:.3f}" for name, value in sorted(validation.items())
    )
    settings = html.escape(json.dumps(dict(page.settings), indent=1))
    validated = f"<h2>Last validation</h2><table>{judged}</table>" if judged else ""
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Training run {html.escape(out.name)}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }}
img {{ max-width: 100% }} th {{ text-align: left; padding-right: 1.5rem; font-weight: 500 }}
pre {{ background: #f4f4f2; padding: 1rem; overflow: auto }} .end {{ font-size: 1.15rem }}
@media (prefers-color-scheme: dark) {{ body {{ color: #ddd; background: #191919 }} pre {{ background: #242424 }} }}
</style>
<h1>Training run {html.escape(out.name)}</h1>
<p class="end">{html.escape(ended)}</p>
<table>{rows}</table>
<h2>Curves</h2>{_picture(out / "curves.png", "Losses and gains over the steps of the run")}
<h2>Samples</h2><p>{html.escape(page.samples)}</p>
{_picture(out / "sheet.png", "Samples, one a row")}
{validated}<details><summary>Settings</summary><pre>{settings}</pre></details>
</html>
"""


def _picture(path: Path, words: str) -> str:
    if not path.exists():
        return ""
    coded = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{html.escape(words)}" src="data:image/png;base64,{coded}">'
