"""What the benchmarks of jobs share: a catalogue of many scans, a stand-in engine, and workers in processes."""

import hashlib
import io
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import imagecodecs
import numpy as np
import tifffile

SIDE = 64  # pixels of a stand-in scan: what is measured is all but the engine


def people() -> Any:
    from archive.accounts.models import Membership, Role, User

    odo = User.objects.create_user("odo", password=uuid4().hex, display_name="Odo")
    Membership.objects.create(user=odo, role=Role.ADMIN)
    return odo


def release() -> None:
    from archive.catalogue.services import register_file, register_release
    from archive.store import get_store
    from stylizer.cards import Card

    path = Path(os.environ["PALIMPSEST_HOME"]) / "weights-of-nothing"
    path.write_bytes(b"weights of the stand-in")
    kept = get_store().put_path(path)
    card = Card(
        name="restore", version="99.0.0", operation="restore", architecture="stand-in", weights=kept.sha256
    )
    register_release(card, register_file(kept.sha256, size=kept.size, media_type="application/octet-stream"))


def scans(count: int, *, ref: str = "bench", files: int = 50) -> None:
    """So many items with one scan and one event each, as an ingest leaves them, on so many files: ordering looks at
    rows, workers at files."""
    from archive.catalogue.models import Collection, Event, EventObject, Item, Scan, Version
    from archive.catalogue.services import create_collection

    place = Collection.objects.filter(ref=ref).first() or create_collection(ref, title="Benchmark", by=None)
    stored = _files(files)
    for start in range(0, count, 5_000):
        numbers = range(start, min(start + 5_000, count))
        items = Item.objects.bulk_create(
            [
                Item(collection=place, description={"title": [{"value": f"Scan {n}", "lang": ""}]})
                for n in numbers
            ]
        )
        rows = Scan.objects.bulk_create([Scan(item=item, position=1) for item in items])
        versions = Version.objects.bulk_create(
            [
                Version(
                    scan=scan, number=1, role="master", file=stored[n % files], width=SIDE, height=SIDE, bands=3,
                    bits=8, original_name="scan.tif",
                )
                for n, scan in zip(numbers, rows, strict=True)
            ]
        )  # fmt: skip
        for scan, version in zip(rows, versions, strict=True):
            scan.current_master = version
        Scan.objects.bulk_update(rows, ["current_master"], batch_size=1_000)
        events = Event.objects.bulk_create([Event(type=Event.Type.INGESTION) for _version in versions])
        EventObject.objects.bulk_create(
            [EventObject(event=e, role="outcome", version=v) for e, v in zip(events, versions, strict=True)]
        )
    from django.db import connection

    with connection.cursor() as cursor:  # as autovacuum does within a minute
        cursor.execute("ANALYZE")


def _files(count: int) -> "list[Any]":
    """So many different pictures in the store, and their rows."""
    from archive.catalogue.services import register_files
    from archive.store import get_store

    store, random = get_store(), np.random.default_rng(3)
    head = _head()
    pictures = [head + random.bytes(SIDE * SIDE * 3) for _n in range(count)]
    with ThreadPoolExecutor(8) as pool:  # each waits for the disk
        kept = list(pool.map(lambda picture: store.put(io.BytesIO(picture)), pictures))
    return list(register_files((one.sha256, one.size, "image/tiff") for one in kept).values())


def _head() -> bytes:
    """What stands before the pixels of a small uncompressed TIFF."""
    prepared = io.BytesIO()
    tifffile.imwrite(prepared, np.zeros((SIDE, SIDE, 3), np.uint8), photometric="rgb")
    return prepared.getvalue()[: -SIDE * SIDE * 3]


class StandIn:
    """An engine that writes a prepared picture with its change map and damage mask, other bytes each time, after a set
    time: the rest of a worker is the real thing."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.random = np.random.default_rng(os.getpid())
        self.head = _head()

    def apply(self, source: Any, recipe: Any, *, out: Path, name: str, **_more: Any) -> Any:
        from stylizer import machine
        from stylizer.engine import Result
        from stylizer.report import Report

        out.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(source.path.read_bytes()).hexdigest()  # verified, as the engine does
        assert source.sha256 in {None, digest}
        if self.seconds:
            time.sleep(self.seconds)
        path = out / f"{name}.tif"
        path.write_bytes(self.head + self.random.bytes(SIDE * SIDE * 3))
        sidecars = {kind: out / f"{name}.{kind}.png" for kind in ("change_map", "damage_mask")}
        for sidecar in sidecars.values():
            pixels = self.random.integers(0, 255, (SIDE, SIDE), dtype=np.uint8)
            sidecar.write_bytes(imagecodecs.png_encode(pixels))
        report = Report(
            source_sha256=digest, source_pixel_sha256="", output_sha256="", output_pixel_sha256="",
            recipe=recipe.digest, width=SIDE, height=SIDE, bands=3, bits=8, changed_share=1.0, psnr=5.0, ssim=0.1,
            damaged_share=0.0, trust={}, batch=1, precision=recipe.precision, arithmetic="fp32",
            tile=(256, 256), tiles=1, device="stand-in",
            fingerprint="0" * 12, software=machine.software(), started="", ended="", seconds=self.seconds,
        )  # fmt: skip
        return Result(path, report, sidecars)


def work(engine_seconds: float, seconds: float, ready: Any, told: Any) -> None:
    """A worker process: once all are `ready` it works for so long or until there is nothing more, and puts what was
    `told` into the queue: items, seconds the engine was busy, queries."""
    from django.db import connections
    from django.db.backends.signals import connection_created

    import workers.setup  # noqa: F401
    from workers import runner
    from workers.presence import Here, Presence

    asked: list[int] = []

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(1)
        return execute(sql, params, many, context)

    connection_created.connect(
        lambda connection, **_: connection.execute_wrappers.append(counting), weak=False
    )
    Here.presence = Presence("gpu", "cpu (stand-in)")
    engine, items, busy = StandIn(engine_seconds), 0, 0.0
    ready.wait()  # starting a process takes seconds of a shared processor
    until = time.time() + seconds
    while time.time() < until:
        done = runner.stretch(until - time.time(), engine=engine, presence=Here.presence)  # type: ignore[arg-type]
        items, busy = items + done.items, busy + done.busy
        if not done.more:
            break
    Here.presence.stop()
    connections.close_all()
    told.put((items, busy, len(asked)))


@dataclass(frozen=True)
class Ran:
    """What worker processes did: items, seconds from the first to the last, seconds engines were busy, statements."""

    items: int
    wall: float
    busy: float
    statements: int


def run(workers: int, engine_seconds: float, seconds: float) -> Ran:
    """Let so many worker processes work on what is queued for so long."""
    context = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[Any] = context.Queue()
    ready = context.Barrier(workers + 1, timeout=120 + 10 * workers)
    processes = [
        context.Process(target=work, args=(engine_seconds, seconds, ready, told)) for _ in range(workers)
    ]
    for process in processes:
        process.start()
    ready.wait()
    began = time.time()
    found = [told.get(timeout=seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    from archive.jobs.models import JobItem

    rows = JobItem.objects.filter(state="done").order_by("ended").values_list("begun", "ended")
    ends = [(begun.timestamp(), ended.timestamp()) for begun, ended in rows if begun and ended]
    ends = [both for both in ends if both[0] >= began - 1]  # not what an earlier run made
    wall = ends[-1][1] - ends[0][0] if ends else 0.0
    return Ran(sum(f[0] for f in found), wall, sum(f[1] for f in found), sum(f[2] for f in found))


def clear() -> None:
    """Forget what was ordered: the next figure starts with an empty queue."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_job SET state = 'cancelled'")
        cursor.execute("UPDATE jobs_jobitem SET state = 'cancelled', lease_token = NULL, lease_until = NULL "
                       "WHERE state IN ('queued', 'running')")  # fmt: skip


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    found = act()
    return found, time.perf_counter() - started
