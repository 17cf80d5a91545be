"""Arranging: pictures made of numbers, and rows made through the services that people's work goes through."""

import io
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import tifffile

from archive.accounts.models import Membership, Role, User
from archive.catalogue import services
from archive.catalogue.models import Collection, Item, Recipe, StoredFile, Version
from archive.review.services import decide
from archive.store import get_store
from stylizer.cards import Card
from stylizer.imageio import facts
from stylizer.recipe import resolve

COUNTER = itertools.count(1)
CARD = Card(name="restore", version="9.9.9", operation="restore", architecture="restorer", weights="a" * 64)


def pixels(
    height: int = 48, width: int = 64, *, bands: int = 3, bits: int = 8, seed: int = 0
) -> np.ndarray[Any, Any]:
    """A smooth gradient with noise: a picture that differs for every seed."""
    rng = np.random.default_rng(seed)
    top = 255 if bits == 8 else 65535
    ramp = np.linspace(0.2, 0.8, width)[None, :, None] * np.linspace(0.6, 1, height)[:, None, None]
    values = np.clip(ramp + rng.normal(0, 0.03, (height, width, bands)), 0, 1) * top
    return values.astype(np.uint8 if bits == 8 else np.uint16)


def tiff(path: Path, *, seed: int | None = None, bits: int = 8, **options: Any) -> Path:
    """A TIFF file with pixels of its own."""
    data = pixels(bits=bits, seed=next(COUNTER) if seed is None else seed)
    tifffile.imwrite(path, data, photometric="rgb", **options)
    return path


def tiff_bytes(*, seed: int | None = None) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, pixels(seed=next(COUNTER) if seed is None else seed), photometric="rgb")
    return out.getvalue()


def user(name: str, role: str | None = None, *, collection: Collection | None = None) -> User:
    made = User.objects.create_user(
        f"{name}-{uuid4().hex[:6]}", password="a good password", display_name=name.title()
    )
    if role:
        Membership.objects.create(user=made, role=role, collection=collection)
    return made


def collection(ref: str = "", *, access: str = "public", **more: Any) -> Collection:
    ref = ref or f"c-{uuid4().hex[:8]}"
    return services.create_collection(ref, title=ref.title(), by=None, access=access, **more)


def stored(data: bytes, media_type: str = "image/tiff") -> StoredFile:
    kept = get_store().put(io.BytesIO(data))
    return services.register_file(kept.sha256, size=kept.size, media_type=media_type)


def item(into: Collection, title: str = "A photograph", **more: Any) -> Item:
    return services.create_item(into, description={"title": title}, by=None, **more)


def master(
    into: Collection | None = None, *, title: str = "A photograph", seed: int | None = None
) -> Version:
    """An item with one scan and its master."""
    return master_of(into or collection(), pixels(seed=next(COUNTER) if seed is None else seed), title=title)


def master_of(into: Collection, values: np.ndarray[Any, Any], *, title: str = "A photograph") -> Version:
    """As `master`, of these pixels."""
    return services.add_master(item(into or collection(), title), _scanned(values), by=None)


def another_scan(of: Item, label: str) -> Version:
    """The master of a further scan of an item."""
    return services.add_master(of, _scanned(pixels(seed=next(COUNTER)), label), by=None)


def _scanned(values: np.ndarray[Any, Any], label: str = "") -> services.NewMaster:
    out = io.BytesIO()
    tifffile.imwrite(out, values, photometric="rgb")
    file = stored(out.getvalue())
    with get_store().local_path(file.sha256) as path:
        known = facts(path)
    return services.NewMaster(file=file, facts=known, label=label, original_name="scan.tif")


def recipe(**changes: Any) -> Recipe:
    """A resolved recipe; `strength=…` makes a different one."""
    steps = [{"model": "restore", **changes}]
    cards = {
        "restore": replace(CARD, counterpart="fresh"),
        "fresh": replace(CARD, name="fresh", weights="e" * 64),
    }
    return services.register_recipe(resolve({"steps": steps}, cards=cards))


def style(name: str = "style/halftone-plate", *, reference: Version | None = None, **changes: Any) -> Recipe:
    """A resolved recipe of style; with `reference`, of a model that takes its style from a picture."""
    card = Card(
        name,
        "1",
        operation="stylise",
        architecture="stylist",
        weights="b" * 64,
        reference=reference is not None,
    )
    steps = [{"model": name, **changes}]
    digest = reference.file_id if reference else None
    return services.register_recipe(resolve({"steps": steps}, cards={name: card}, reference=digest))


def derivative(
    source: Version,
    *,
    state: str = "draft",
    of: Recipe | None = None,
    run: int = 1,
    by: User | None = None,
    reference: Version | None = None,
) -> Version:
    """A derivative of a master, in a state of review."""
    made = services.NewDerivative(
        file=stored(tiff_bytes()),
        width=source.width,
        height=source.height,
        bands=source.bands,
        bits=source.bits,
        report={"changed_share": 0.1, "psnr": 30.0, "ssim": 0.9, "fingerprint": "f" * 12, "seconds": 1.0},
        technical={"mime": "image/tiff"},
        sidecars={"change_map": stored(b"\x89PNG not really " + uuid4().bytes, "image/png")},
        run=run,
    )
    version = services.add_derivative(
        source, made, recipe=of or recipe(), by=by, agents={"torch": "2.13.0"}, reference=reference
    )
    path = {
        "approved": ["approve"],
        "published": ["approve", "publish"],
        "rejected": ["reject"],
        "withdrawn": ["withdraw"],
    }
    decider = user("decider", Role.ADMIN) if state != "draft" else None
    for decision in path.get(state, []):
        assert decider is not None
        decide(version, decision, by=decider)
    return Version.objects.select_related("review").get(pk=version.pk)


def publish(version: Version) -> None:
    """Approved and published by somebody who may."""
    decider = user("decider", Role.ADMIN)
    for decision in ("approve", "publish"):
        decide(version, decision, by=decider)
