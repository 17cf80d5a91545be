"""A 2 GB upload through the real web server, at least 70 % of what loopback and disk allow, in under 150 MB of memory;
and five hundred small files, at least 20 a second.

What loopback and disk allow is measured in the same run: a bare socket whose bytes are written to the same disk and
synced as often as the archive syncs, and hashed, as an archive must.
"""

import argparse
import base64
import hashlib
import http.client
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import tifffile
from PIL import Image

from benchmarks.setting import archive, say

SIDE = 18_900  # × 18 900 × 3 × 16 bit: 2.1 GB
PART = 16 * 2**20
SMALL, AT_ONCE = 500, 4
TUS = "/api/v1/uploads/tus/"
LEAST_SHARE, MOST_MEMORY, LEAST_RATE = 0.7, 150.0, 20.0


def large(path: Path) -> Path:
    random = np.random.default_rng(1)
    pixels = tifffile.memmap(path, shape=(SIDE, SIDE, 3), dtype=np.uint16, photometric="rgb", bigtiff=True)
    row = random.integers(0, 65535, (SIDE, 3), dtype=np.uint16)
    for at in range(SIDE):
        pixels[at] = np.roll(row, at, axis=0)
    pixels.flush()
    return path


def small(folder: Path) -> list[Path]:
    random = np.random.default_rng(2)
    folder.mkdir()
    made = []
    for number in range(SMALL):
        path = folder / f"{number:04}.jpg"
        coarse = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC).save(path, quality=88)
        made.append(path)
    return made


def bare(path: Path, to: Path) -> float:
    """Seconds for the same bytes over a bare socket to the same disk, synced every part, then hashed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def receive() -> None:
        connection, _address = listener.accept()
        with connection, to.open("wb") as out:
            done = 0
            while chunk := connection.recv(2**20):
                out.write(chunk)
                if (done + len(chunk)) // PART > done // PART:
                    out.flush()
                    os.fdatasync(out.fileno())
                done += len(chunk)
            out.flush()
            os.fsync(out.fileno())

    started = time.perf_counter()
    thread = threading.Thread(target=receive)
    thread.start()
    with socket.create_connection(listener.getsockname()) as sender, path.open("rb") as file:
        sender.sendfile(file)
    thread.join()
    with to.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    seconds = time.perf_counter() - started
    listener.close()
    to.unlink()
    return seconds


@contextmanager
def web(home: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The web server as `manage.py up` starts it."""
    from archive.system.management.commands.up import web as command

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (home / "web.log").open("wb") as log:
        process = subprocess.Popen(command("127.0.0.1", port), stdout=log, stderr=log)
        try:
            for _try in range(300):
                try:
                    urllib.request.urlopen(f"http://localhost:{port}/health/live", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


def headers(token: str, name: str, length: int) -> dict[str, str]:
    said = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in {"filename": name, "collection": "bench"}.items()
    )
    return {
        "Authorization": f"Token {token}",
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(length),
        "Upload-Metadata": said,
        "Content-Type": "application/offset+octet-stream",
    }


def send_large(port: int, token: str, path: Path) -> float:
    """Seconds from the first request to the answer that says it is taken in."""
    size = path.stat().st_size
    started = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=300, blocksize=2**20)
    line.request("POST", TUS, headers=headers(token, path.name, size))
    answer = line.getresponse()
    answer.read()
    place = answer.headers["Location"]
    with path.open("rb") as file:
        for at in range(0, size, PART):
            more = headers(token, path.name, size) | {"Upload-Offset": str(at)}
            line.request("PATCH", place, body=file.read(PART), headers=more)
            answer = line.getresponse()
            assert answer.status == 204, answer.read()
            answer.read()
    return time.perf_counter() - started


def send_small(port: int, token: str, paths: list[Path]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path in paths:
        data = path.read_bytes()
        line.request("POST", TUS, body=data, headers=headers(token, path.name, len(data)))
        answer = line.getresponse()
        assert answer.status == 201, answer.read()
        answer.read()


class Memory:
    """The most memory a process and its children held, looked at ten times a second; private pages only."""

    def __init__(self, process: psutil.Process) -> None:
        self.process, self.peak = process, 0.0
        self.over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self.over.wait(0.1):
            total = 0
            for one in [self.process, *self.process.children(recursive=True)]:
                try:
                    total += one.memory_full_info().uss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total / 2**20)


def measure_large(port: int, token: str, process: psutil.Process, home: Path) -> dict[str, float]:
    """One large file, between two turns of the bare socket."""
    from archive.catalogue.models import Version

    scan, before = large(home / "large.tif"), Version.objects.count()
    size = scan.stat().st_size / 2**20
    allowed = bare(scan, home / "bare")
    memory = Memory(process)
    seconds = send_large(port, token, scan)
    memory.over.set()
    allowed = (allowed + bare(scan, home / "bare")) / 2
    assert Version.objects.count() == before + 1
    return {
        "MB/s": size / seconds, "bare MB/s": size / allowed, "share": allowed / seconds,
        "web process MB": memory.peak,
    }  # fmt: skip


def measure_small(port: int, token: str, home: Path) -> dict[str, float]:
    """Many small files on a few connections."""
    from archive.catalogue.models import Version

    pictures, before = small(home / "small"), Version.objects.count()
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda n: send_small(port, token, pictures[n::AT_ONCE]), range(AT_ONCE)))
    rate = SMALL / (time.perf_counter() - started)
    assert Version.objects.count() == before + SMALL
    return {"small files/s": rate}


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m benchmarks.upload")
    words.add_argument("--only", choices=["large", "small"])
    only = words.parse_args().only
    with archive() as home:
        from knox.models import AuthToken

        from archive.accounts.models import Membership, Role, User
        from archive.catalogue.services import create_collection

        create_collection("bench", title="Benchmark", by=None)
        ada = User.objects.create_user("ada")
        Membership.objects.create(user=ada, role=Role.ADMIN)
        _row, token = AuthToken.objects.create(ada)
        figures: dict[str, float] = {}
        with web(home) as (port, process):
            if only != "small":
                figures |= measure_large(port, token, process, home)
            if only != "large":
                figures |= measure_small(port, token, home)
        kept = (
            figures.get("share", 1) >= LEAST_SHARE
            and figures.get("web process MB", 0) < MOST_MEMORY
            and figures.get("small files/s", LEAST_RATE) >= LEAST_RATE
        )
        say("2 GB upload at 70 % of bare, under 150 MB; 500 small files at 20/s", figures, passed=kept)


if __name__ == "__main__":
    main()
