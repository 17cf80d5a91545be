"""Tiles against iipimage-server (Debian's, behind lighttpd): the same pyramid, the same requests, one after the other.

Needs `wrk`, `lighttpd` and `iipimage-server`, and `nginx` for the figure behind the proxy; without them it says so.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.setting import archive, say

WIDTH, HEIGHT, TILE = 10_000, 14_000, 256
SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
ROOT = Path(__file__).resolve().parent.parent
PEER = Path("/usr/lib/iipimage-server/iipsrv.fcgi")
CLAIM = "tiles a second, at least three times iipsrv 1.1's; behind the proxy eight times; p99 of a warm tile < 25 ms"


@dataclass(frozen=True)
class Load:
    """What wrk saw."""

    a_second: float
    p99: float  # milliseconds
    bad: int


def scan(path: Path) -> None:
    """10 000 × 14 000, 16-bit RGB: soft shapes and some grain, as a photograph has, written strip by strip."""
    generator = np.random.default_rng(7)
    grain = generator.integers(0, 2500, (100, WIDTH, 3), dtype=np.uint16)
    columns = np.arange(WIDTH)

    def strips() -> Iterator[np.ndarray]:
        for top in range(0, HEIGHT, 100):
            rows = np.arange(top, top + 100)[:, None]
            soft = 30_000 + 9_000 * np.sin(rows / 311) + 9_000 * np.sin(columns / 197 + rows / 1709)
            fine = 4_000 * np.sin(columns / 7) * np.sin(rows / 9)
            yield (np.stack([soft + fine, soft, 0.8 * soft], axis=2)).astype(np.uint16) + grain

    tifffile.imwrite(
        path, strips(), shape=(HEIGHT, WIDTH, 3), dtype=np.uint16, photometric="rgb", rowsperstrip=100
    )


def requests(count: int = 3000) -> dict[str, list[str]]:
    """Region and size of each request, `{x},{y},{w},{h}/{w},{h}`; the same for everybody."""
    choose = random.Random(7)
    tiles, wholes, regions = [], [], []
    for _ in range(count):
        side = TILE * 2 ** choose.choice([0, 0, 0, 1, 1, 2, 3])
        x, y = choose.randrange(WIDTH // side) * side, choose.randrange(HEIGHT // side) * side
        tiles.append(f"{x},{y},{side},{side}/256,256")
        # All but a margin, never twice the same: nobody is to answer from what was rendered before.
        left, top = choose.randrange(200), choose.randrange(280)
        wholes.append(f"{left},{top},{WIDTH - 200},{HEIGHT - 280}/731,1024")
        x, y = choose.randrange(WIDTH - 2048), choose.randrange(HEIGHT - 2048)
        regions.append(f"{x},{y},2048,2048/1024,1024")
    return {"tile": tiles, "full 1024": wholes, "region 2048": regions}


def load(port: int, paths: list[str], folder: Path, *, connections: int = 8, seconds: int = SECONDS) -> Load:
    listed = folder / "paths"
    listed.write_text("\n".join(paths))
    address = f"http://127.0.0.1:{port}"
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency",
         "-s", str(Path(__file__).with_name("requests.lua")), address, "--", str(listed)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if not rate or not late:
        raise RuntimeError(f"wrk said something unexpected:\n{said}")
    unit = {"us": 1e-3, "ms": 1.0, "s": 1e3}[late[2]]
    seen = Load(float(rate[1]), float(late[1]) * unit, int(bad[1]) if bad else 0)
    sys.stderr.write(f"{connections:>3} connections, {paths[0]}: {seen}\n")
    return seen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int, path: str) -> Iterator[None]:
    """A server in a process group of its own, from its first good answer until the block ends."""
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=sys.stderr)
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}"):
                break
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not answer")
            time.sleep(0.2)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def peer(folder: Path, port: int) -> list[str]:
    config = folder / "lighttpd.conf"
    config.write_text(
        f'''server.modules = ("mod_fastcgi")
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder}/lighttpd.log"
fastcgi.server = ("/iip" => ((
  "bin-path" => "{PEER}", "socket" => "{folder}/iip.sock", "check-local" => "disable", "max-procs" => 2,
  "bin-environment" => ("FILESYSTEM_PREFIX" => "{folder}/", "VERBOSITY" => "0", "JPEG_QUALITY" => "85",
                        "MAX_CVT" => "5000"))))
'''
    )
    return ["lighttpd", "-D", "-f", str(config)]


def proxy(folder: Path, port: int, behind: int) -> list[str]:
    """The project's own tile configuration, without TLS."""
    config = folder / "nginx.conf"
    for part in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        (folder / part).mkdir(exist_ok=True)
    config.write_text(
        f"""{"user root;" if os.geteuid() == 0 else ""}
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 2;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  proxy_cache_path {folder}/tiles keys_zone=tiles:20m max_size=2g inactive=1h use_temp_path=off;
  upstream archive {{ server 127.0.0.1:{behind}; keepalive 16; }}
  server {{ listen 127.0.0.1:{port}; include {ROOT}/deploy/tiles.conf; }}
}}
"""
    )
    return ["nginx", "-c", str(config), "-p", str(folder)]


def prepared(home: Path) -> tuple[str, Path, dict[str, float]]:
    """The picture in the archive, its pyramid, and what making that took."""
    from archive.catalogue.models import Version
    from archive.catalogue.services import create_collection
    from archive.iiif.models import Rendition
    from archive.ingest.services import receive
    from archive.store import get_renditions

    path = home / "scan.tif"
    scan(path)
    collection = create_collection("bench", title="Benchmark", by=None, access="public")
    receive(path, filename=path.name, collection=collection, by=None)
    path.unlink(missing_ok=True)
    version = Version.objects.get()
    made = subprocess.run(
        [sys.executable, "-c", MAKE, str(version.pk)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    mebibytes, seconds = map(float, made.stdout.split()[-2:])
    row = Rendition.objects.get(version=version, kind="pyramid")
    with get_renditions().local_path(row.key) as pyramid:
        figures = {
            "s pyramid": seconds,
            "MiB pyramid peak": mebibytes,
            "MiB pyramid": pyramid.stat().st_size / 2**20,
        }
        return str(version.pk), pyramid, figures


MAKE = """
import sys, time, uuid, resource, django
django.setup()
from archive.iiif.renditions import make
from archive.iiif.models import Rendition
begun = time.perf_counter()
make(uuid.UUID(sys.argv[1]))
assert Rendition.objects.filter(kind="pyramid", state="ready").exists()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.perf_counter() - begun)
"""


def main() -> None:
    if missing := [name for name in ("wrk", "lighttpd", "nginx") if not shutil.which(name)]:
        say(f"{CLAIM} (not measured: {', '.join(missing)} missing)", {}, passed=None)
        return
    with archive() as home:
        version, pyramid, figures = prepared(home)
        folder = home / "peer"
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "scan.tif").symlink_to(pyramid)
        asked = requests()
        ours_at, peer_at, proxy_at = free_port(), free_port(), free_port()
        ours = {
            kind: [f"/iiif/3/{version}/{part}/0/default.jpg" for part in parts]
            for kind, parts in asked.items()
        }
        theirs = {
            kind: [f"/iip?IIIF=scan.tif/{part}/0/default.jpg" for part in parts]
            for kind, parts in asked.items()
        }
        from archive.system.management.commands.up import web

        loads: dict[str, Load] = {}
        with running(peer(folder, peer_at), peer_at, theirs["tile"][0]):
            for kind, paths in theirs.items():
                loads[f"iipsrv {kind}"] = load(peer_at, paths, folder)
        with running(web("127.0.0.1", ours_at), ours_at, ours["tile"][0]):
            load(ours_at, ours["tile"], folder, seconds=2)
            for kind, paths in ours.items():
                loads[kind] = load(ours_at, paths, folder)
            loads["tile, 32 connections"] = load(ours_at, ours["tile"], folder, connections=32)
            with running(proxy(folder, proxy_at, ours_at), proxy_at, ours["tile"][0]):
                load(proxy_at, ours["tile"], folder, seconds=4)
                loads["tile, proxy"] = load(proxy_at, ours["tile"], folder)
        figures |= {f"{name}/s": seen.a_second for name, seen in loads.items()}
        figures |= {f"{name} p99 ms": loads[name].p99 for name in ("tile", "tile, 32 connections")}
        figures["bad answers"] = sum(seen.bad for seen in loads.values())
        by = {kind: loads[kind].a_second / loads[f"iipsrv {kind}"].a_second for kind in asked}
        by["tile, proxy"] = loads["tile, proxy"].a_second / loads["iipsrv tile"].a_second
        figures |= {f"{name} ratio": value for name, value in by.items()}
        kept = (
            by["tile"] >= 3 and by["tile, proxy"] >= 8 and by["full 1024"] >= 1 and by["region 2048"] >= 1
            and loads["tile, 32 connections"].p99 < 25 and not figures["bad answers"]
        )  # fmt: skip
        say(CLAIM, figures, passed=kept)


if __name__ == "__main__":
    main()
