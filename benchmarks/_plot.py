"""The plot of growth: seconds and memory over megapixels, both axes logarithmic, as SVG."""

import math
from collections.abc import Sequence

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 60, 28, 60, 44
MEGAPIXELS, SECONDS, MEMORY = (0.7, 200.0), (0.3, 1000.0), (300.0, 3000.0)
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#5c574d}line{stroke:#d9d4c8}.s{stroke:#1d5c63;fill:#1d5c63}"
    ".m{stroke:#7a2e63;fill:#7a2e63}polyline{fill:none!important;stroke-width:2}text.s,text.m{stroke:none}"
)


def draw(rows: Sequence[tuple[float, float, float]]) -> str:
    """(megapixels, seconds, MB) of each size, as one picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Seconds and memory over megapixels"><style>{STYLE}</style>'
    ]
    for value in (1, 4, 16, 64, 140):
        x = _x(value)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value} MP</text>')
    for value in (1, 10, 100, 1000):
        y = _y(value, SECONDS)
        parts.append(f'<text class="s" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value} s</text>')
    for value in (500, 1000, 1500, 3000):
        y = _y(value, MEMORY)
        parts.append(f'<text class="m" x="{WIDTH - RIGHT + 8}" y="{y + 4}">{value} MB</text>')
    for name, span, place in (("s", SECONDS, 1), ("m", MEMORY, 2)):
        points = [(_x(row[0]), _y(row[place], span)) for row in rows]
        parts.append(f'<polyline class="{name}" points="{" ".join(f"{x},{y}" for x, y in points)}"/>')
        parts += [f'<circle class="{name}" cx="{x}" cy="{y}" r="4"/>' for x, y in points]
    parts.append(f'<text class="s" x="{LEFT}" y="16">seconds</text>')
    parts.append(f'<text class="m" x="{WIDTH - RIGHT}" y="16" text-anchor="end">peak memory</text></svg>')
    return "\n".join(parts) + "\n"


def _x(megapixels: float) -> float:
    return round(LEFT + _share(megapixels, MEGAPIXELS) * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, span: tuple[float, float]) -> float:
    return round(HEIGHT - BOTTOM - _share(value, span) * (HEIGHT - TOP - BOTTOM), 1)


def _share(value: float, span: tuple[float, float]) -> float:
    low, high = (math.log(end) for end in span)
    return (math.log(value) - low) / (high - low)
