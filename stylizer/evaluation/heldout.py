"""Damage that no training run has seen: the generators of the frozen evaluation.

These are written apart from `stylizer.damage` on purpose (other mathematics, other parameters, and three kinds that
training does not have at all: craquelure, tape, fingerprints), so that a good figure here means that the network
learnt damage and not one simulator. Neither `stylizer.damage` nor `stylizer.training` may import this file; an import
contract holds that. Changing anything here changes the evaluation: bump `PROTOCOL` in `protocol.py` when you must.

Pictures are float32 arrays (H, W, 3) in 0…1, RGB. Every generator is a pure function of the picture and a generator.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Plane = NDArray[np.float32]
Rng = np.random.Generator


def _clip(picture: NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(picture, 0.0, 1.0), dtype=np.float32)


def _soft_noise(shape: tuple[int, int], scale: float, rng: Rng) -> Plane:
    """Smooth noise of unit variance whose blobs are about `scale` pixels wide."""
    plane = rng.standard_normal(shape).astype(np.float32)
    plane = np.asarray(cv2.GaussianBlur(plane, (0, 0), scale), dtype=np.float32)
    return np.asarray((plane - plane.mean()) / (plane.std() + 1e-6), dtype=np.float32)


def _step(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """The logistic step from 0 to 1, without overflow far from the edge."""
    return np.asarray(0.5 + 0.5 * np.tanh(x / 2))


def _lay(picture: Picture, alpha: NDArray[np.floating], colour: NDArray[np.floating]) -> Picture:
    return _clip(picture * (1 - alpha[..., None]) + alpha[..., None] * colour)


def fade(picture: Picture, rng: Rng) -> Picture:
    """Dyes lose density, each at its own rate; the base gains a little."""
    density = -np.log10(np.maximum(picture, 0.004))
    keep = rng.uniform(0.4, 0.8) * rng.uniform(0.88, 1.0, 3)
    base = rng.uniform(0.0, 0.06)
    return _clip(10.0 ** -(density * keep + base) * (1 - 0.06) + rng.uniform(0.02, 0.12))


def yellow(picture: Picture, rng: Rng) -> Picture:
    """Paper and binder turn yellow-brown: density in blue, less in green, little in red."""
    strength = rng.uniform(0.15, 0.5)
    return _clip(picture * np.exp(-strength * np.array([0.08, 0.3, 1.0]) * rng.uniform(0.8, 1.2, 3)))


def grain(picture: Picture, rng: Rng) -> Picture:
    """Silver grain: correlated noise in density, strongest in the middle tones."""
    height, width = picture.shape[:2]
    plane = _soft_noise((height, width), rng.uniform(0.5, 1.3), rng) * rng.uniform(0.03, 0.09)
    grey = picture.mean(axis=2)
    return _clip(picture + (plane * 2 * np.sqrt(np.maximum(grey * (1 - grey), 0.01)))[..., None])


def halftone(picture: Picture, rng: Rng) -> Picture:
    """A round-dot screen of one ink on paper, as scanned: dots softened by the optics."""
    height, width = picture.shape[:2]
    pitch, angle = rng.uniform(2.8, 6.5), np.deg2rad(rng.choice([15.0, 45.0, 75.0]) + rng.uniform(-3, 3))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / pitch)
    v = (-x * np.sin(angle) + y * np.cos(angle)) * (2 * np.pi / pitch)
    screen = 0.5 + 0.25 * (np.cos(u) + np.cos(v))
    dots = _step((picture - screen[..., None]) * rng.uniform(4.0, 9.0))
    soft = cv2.GaussianBlur(dots.astype(np.float32), (0, 0), rng.uniform(0.5, 0.9))
    mix = rng.uniform(0.6, 1.0)
    return _clip(soft * mix + picture * (1 - mix))


def stain(picture: Picture, rng: Rng) -> Picture:
    """A spilled liquid: an irregular patch with a darker tide line at its edge."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        cy, cx, radius = (
            rng.uniform(0, height),
            rng.uniform(0, width),
            rng.uniform(0.12, 0.4) * min(height, width),
        )
        distance = np.hypot((y - cy) * rng.uniform(0.7, 1.4), x - cx) / radius
        distance = distance + 0.18 * _soft_noise((height, width), radius / 4, rng)
        inside = _step((1 - distance) * 18)
        ring = np.exp(-(((distance - 1) / 0.06) ** 2))
        depth = rng.uniform(0.08, 0.35) * (0.6 * inside + ring)
        tint = np.array([0.35, 0.65, 1.0]) * rng.uniform(0.8, 1.1)
        picture = _clip(picture * np.exp(-depth[..., None] * tint))
    return picture


def foxing(picture: Picture, rng: Rng) -> Picture:
    """Clusters of rust-brown spots."""
    height, width = picture.shape[:2]
    plane = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(4, 9))):
        cy, cx, spread = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(10, 60)
        for _ in range(int(rng.integers(5, 20))):
            centre = (int(cx + rng.normal() * spread), int(cy + rng.normal() * spread))
            cv2.circle(plane, centre, int(rng.integers(1, 7)), float(rng.uniform(0.4, 1.0)), -1, cv2.LINE_AA)
    plane = np.asarray(cv2.GaussianBlur(plane, (0, 0), rng.uniform(0.7, 1.8)), dtype=np.float32)
    return _clip(picture * np.exp(-plane[..., None] * np.array([0.25, 0.6, 1.0]) * rng.uniform(0.4, 1.0)))


def _walk(height: int, width: int, rng: Rng, *, points: int, wobble: float) -> NDArray[np.int32]:
    """A wandering line from edge to edge or within, as sixteenths of pixels for anti-aliased drawing."""
    start, heading = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0, 2 * np.pi)
    step = rng.uniform(0.15, 1.2) * max(height, width) / points
    turns = np.cumsum(rng.normal(0, wobble, points)) + heading
    path = start + np.cumsum(np.stack([np.cos(turns), np.sin(turns)], 1) * step, 0)
    return np.asarray(np.round(path * 16), dtype=np.int32)


def scratches(picture: Picture, rng: Rng) -> Picture:
    """Wandering scratches: through the emulsion to white, or filled with dirt."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(2, 10))):
        plane = np.zeros((height, width), np.float32)
        path = _walk(height, width, rng, points=24, wobble=rng.uniform(0.01, 0.15))
        cv2.polylines(plane, [path], False, 1.0, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
        plane = cv2.GaussianBlur(plane, (0, 0), rng.uniform(0.4, 0.8)) * rng.uniform(0.45, 1.0)
        value = rng.uniform(0.8, 1.0) if rng.random() < 0.65 else rng.uniform(0.0, 0.2)
        picture = _lay(picture, np.minimum(plane, 1), value * np.array([1.0, 0.99, 0.96]))
    return picture


def dust(picture: Picture, rng: Rng) -> Picture:
    """Specks and curled hairs lying on the glass."""
    height, width = picture.shape[:2]
    light = rng.random() < 0.5
    plane = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(10, 90))):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (int(rng.integers(0, 3)), int(rng.integers(0, 3)))
        cv2.ellipse(
            plane,
            centre,
            axes,
            float(rng.uniform(0, 180)),
            0,
            360,
            float(rng.uniform(0.4, 1)),
            -1,
            cv2.LINE_AA,
        )
    for _ in range(int(rng.integers(0, 5))):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (int(rng.integers(5, 30)), int(rng.integers(5, 30)))
        begin = float(rng.uniform(0, 360))
        cv2.ellipse(plane, centre, axes, 0.0, begin, begin + float(rng.uniform(40, 200)), 0.9, 1, cv2.LINE_AA)
    plane = np.asarray(cv2.GaussianBlur(plane, (0, 0), 0.5), dtype=np.float32)
    return _lay(picture, np.minimum(plane, 1), np.full(3, 0.92 if light else 0.1))


def crease(picture: Picture, rng: Rng) -> Picture:
    """A fold: a light and a dark flank beside a broken ridge that shows paper."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.3, 0.3) * min(height, width)
        distance = (x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle) - offset
        distance = distance + 1.2 * _soft_noise((height, width), 12, rng)
        flank = distance / 5 * np.exp(-((distance / 5) ** 2)) * rng.uniform(0.1, 0.35)
        ridge = np.exp(-((distance / rng.uniform(0.8, 1.6)) ** 2)) * (
            _soft_noise((height, width), 3, rng) > -0.3
        )
        picture = _lay(
            _clip(picture + flank[..., None]), np.asarray(ridge * 0.85, np.float32), np.full(3, 0.93)
        )
    return picture


def tear(picture: Picture, rng: Rng) -> Picture:
    """A rip from the edge with a bare paper core and a shadow, or a lost corner."""
    height, width = picture.shape[:2]
    rough = _soft_noise((height, width), 5, rng) * 2 + _soft_noise((height, width), 1.2, rng) * 0.7
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    paper = rng.uniform(0.82, 0.97) * np.array([1.0, 0.98, 0.93])
    if rng.random() < 0.35:
        reach = rng.uniform(0.1, 0.25) * min(height, width)
        distance = (
            (x if rng.random() < 0.5 else width - x)
            + (y if rng.random() < 0.5 else height - y)
            - reach
            + rough * 2
        )
        return _lay(picture, _step(-distance * 1.5), paper)
    angle, length = rng.uniform(-0.6, 0.6), rng.uniform(0.3, 0.7) * width
    x = x if rng.random() < 0.5 else width - x
    distance = (y - height * rng.uniform(0.2, 0.8)) * np.cos(angle) - x * np.sin(angle) + rough
    half = rng.uniform(1.5, 5.0) * np.clip(1 - x / length, 0, 1)
    picture = _clip(
        picture * (1 - 0.35 * np.exp(-(((distance - half - 2) / 2.5) ** 2)) * (half > 0))[..., None]
    )
    core = (half > 0) * _step((half - np.abs(distance)) * 3)
    return _lay(picture, np.asarray(core, np.float32), paper)


def craquelure(picture: Picture, rng: Rng) -> Picture:
    """A net of drying cracks: the borders between the cells of scattered points. Training has nothing like it."""
    height, width = picture.shape[:2]
    seeds = rng.uniform(0, 1, (int(rng.integers(25, 90)), 2)) * (height, width)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y + 3 * _soft_noise((height, width), 6, rng), x + 3 * _soft_noise((height, width), 6, rng)
    distances = np.sort(np.stack([np.hypot(y - sy, x - sx) for sy, sx in seeds]), axis=0)[:2]
    cracks = np.exp(-(((distances[1] - distances[0]) / rng.uniform(0.8, 1.8)) ** 2))
    cracks *= _soft_noise((height, width), 25, rng) > rng.uniform(-0.8, 0.5)
    return _lay(
        picture, np.asarray(cracks * rng.uniform(0.5, 0.9), np.float32), np.full(3, rng.uniform(0.05, 0.3))
    )


def tape(picture: Picture, rng: Rng) -> Picture:
    """A strip of aged adhesive tape: a translucent amber band with sharp edges. Training has nothing like it."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, half = rng.uniform(0, np.pi), rng.uniform(0.05, 0.12) * min(height, width)
    across = (x - width * rng.uniform(0.2, 0.8)) * np.cos(angle) + (
        y - height * rng.uniform(0.2, 0.8)
    ) * np.sin(angle)
    inside = _step((half - np.abs(across)) * 2)
    depth = rng.uniform(0.15, 0.4) * inside * (1 + 0.1 * _soft_noise((height, width), 8, rng))
    return _clip(picture * np.exp(-depth[..., None] * np.array([0.15, 0.45, 1.0])) + 0.02 * inside[..., None])


def fingerprint(picture: Picture, rng: Rng) -> Picture:
    """A greasy print: faint curved ridges within an oval. Training has nothing like it."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cy, cx = rng.uniform(0.2, 0.8) * height, rng.uniform(0.2, 0.8) * width
    size = rng.uniform(25, 50)
    bend = np.hypot((y - cy) * 1.3, x - cx + 6 * _soft_noise((height, width), 14, rng))
    ridges = 0.5 + 0.5 * np.cos(bend * (2 * np.pi / rng.uniform(4, 7)))
    oval = _step((size - np.hypot((y - cy) / 1.3, x - cx)) * 0.3)
    return _clip(picture + (ridges * oval * rng.uniform(0.06, 0.18) * rng.choice([-1, 1]))[..., None])


def blur(picture: Picture, rng: Rng) -> Picture:
    """Out of focus: a disc, then a little Gaussian."""
    radius = rng.uniform(0.8, 2.2)
    grid = np.arange(-4, 5)
    disc = np.clip(radius + 0.5 - np.hypot(*np.meshgrid(grid, grid)), 0, 1).astype(np.float32)
    out = cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101)
    return _clip(np.asarray(cv2.GaussianBlur(out, (0, 0), 0.4), dtype=np.float32))


def noise(picture: Picture, rng: Rng) -> Picture:
    """A scanner's noise: read noise and shot noise, channel by channel."""
    spread = np.sqrt(rng.uniform(0.01, 0.05) ** 2 + rng.uniform(0.0, 0.002) * picture)
    return _clip(picture + rng.standard_normal(picture.shape) * spread)


def jpeg(picture: Picture, rng: Rng) -> Picture:
    """Saved small: JPEG of quality 22…60 with halved colour."""
    coded = cv2.imencode(
        ".jpg",
        np.round(picture[..., ::-1] * 255).astype(np.uint8),
        [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(22, 60))],
    )[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    if decoded is None:
        raise RuntimeError("OpenCV could not decode a JPEG that it had just written")
    return _clip(decoded[..., ::-1].astype(np.float32) / 255)


# Physical order: print, ageing, handling, scanning. The second figure is the chance of a kind within "mixed".
KINDS: dict[str, tuple[Callable[[Picture, Rng], Picture], float]] = {
    "grain": (grain, 0.4),
    "halftone": (halftone, 0.1),
    "fade": (fade, 0.65),
    "yellow": (yellow, 0.45),
    "stain": (stain, 0.35),
    "foxing": (foxing, 0.3),
    "scratches": (scratches, 0.6),
    "dust": (dust, 0.5),
    "crease": (crease, 0.35),
    "tear": (tear, 0.25),
    "craquelure": (craquelure, 0.12),
    "tape": (tape, 0.12),
    "fingerprint": (fingerprint, 0.12),
    "blur": (blur, 0.4),
    "noise": (noise, 0.5),
    "jpeg": (jpeg, 0.5),
}


def mixed(picture: Picture, rng: Rng) -> Picture:
    """Every kind with its own chance, in physical order; never fewer than three."""
    while True:
        chosen = [generator for generator, chance in KINDS.values() if rng.random() < chance]
        if len(chosen) >= 3:
            break
    for generator in chosen:
        picture = generator(picture, rng)
    return picture
