"""Our manifests in somebody else's viewer: Mirador, from another origin, offers the original and the derivative."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import ROOT, Running

pytestmark = pytest.mark.timeout(180)
BUNDLE = ROOT / "node_modules" / ".mirador" / "mirador.min.js"
LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1)[:/]")
ITEM = """
from tests.archive import factories
from archive.catalogue.models import Collection
from archive.iiif.services import want
import numpy as np
rows, columns = np.mgrid[0:900, 0:700]
values = np.stack([rows * 0.2 + 30, columns * 0.3, 120 + 60 * np.sin(rows / 40)], axis=2).astype(np.uint8)
there = Collection.objects.filter(ref="streets").first() or factories.collection("streets")
master = factories.master_of(there, values, title="A street in Shanghai")
made = factories.derivative(master)
factories.publish(made)
want([master.pk, made.pk])
print("ITEM", master.scan.item_id, master.pk, made.pk)
"""


@pytest.fixture
def elsewhere() -> Iterator[Callable[[dict[str, Any]], str]]:
    """A page of another institution, on another origin: Mirador with the settings given."""
    pages: dict[str, tuple[str, bytes]] = {"/mirador.min.js": ("text/javascript", BUNDLE.read_bytes())}

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = pages.get(self.path, ("text/plain", b""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def page_with(settings: dict[str, Any]) -> str:
        html = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Elsewhere</title>
            <div id="viewer"></div><script src="/mirador.min.js"></script>
            <script>Mirador.viewer({json.dumps(settings)})</script>"""
        pages["/"] = ("text/html", html.encode())
        return f"http://127.0.0.1:{server.server_port}/"

    yield page_with
    server.shutdown()
    server.server_close()


def test_mirador_shows_the_original_first_and_offers_the_derivative_by_name(
    page: Page, running: Running, elsewhere: Callable[[dict[str, Any]], str], tmp_path: Path
) -> None:
    made = running.manage("shell", "-v0", "-c", ITEM)
    assert made.returncode == 0, made.stderr
    item, master, derivative = made.stdout.split("ITEM", 1)[1].split()
    for version in (master, derivative):
        page.request.get(f"/iiif/3/{version}/info.json")
    settings = {
        "id": "viewer",
        "windows": [{"manifestId": f"{running.url}/iiif/presentation/3/items/{item}/manifest"}],
        "window": {
            "sideBarOpen": True,
            "defaultSideBarPanel": "layers",
            "panels": {"layers": True, "info": True},
        },
        "workspaceControlPanel": {"enabled": False},
    }
    strangers: list[str] = []

    def only_here(route: Route) -> None:
        if LOOPBACK.match(route.request.url):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    page.route("**/*", only_here)
    tiles: list[str] = []
    page.on("response", lambda got: tiles.append(got.url) if "/iiif/3/" in got.url and got.ok else None)
    page.goto(elsewhere(settings))
    expect(page.get_by_role("heading", name="A street in Shanghai").first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("original scan").first).to_be_visible()
    expect(page.get_by_text(re.compile("AI restoration .*not the original")).first).to_be_visible()
    page.wait_for_timeout(1500)
    page.screenshot(path=str(tmp_path / "mirador.png"))
    assert any(master in address and "default.jpg" in address for address in tiles)
    assert not [address for address in strangers if not address.endswith("favicon.ico")]
