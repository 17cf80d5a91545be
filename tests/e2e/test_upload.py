"""Uploads through everything that goes wrong on the way: nothing lost, nothing doubled, every byte the same."""

import contextlib
import hashlib
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile
from playwright.sync_api import Page, expect
from tusclient import client as tusclient
from tusclient.exceptions import TusCommunicationError

from tests.archive import factories
from tests.e2e.conftest import ROOT, Running
from tests.e2e.test_the_main_job import sign_in

pytestmark = pytest.mark.timeout(400)
GOOD, DOUBLED, BROKEN = 50, 5, 5


@pytest.fixture(scope="module")
def token(running: Running) -> str:
    made = running.manage("token", "ada")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip().splitlines()[-1]


def collection(running: Running, ref: str) -> None:
    create = f"create_collection('{ref}', title='{ref}', by=None, access='public')"
    made = running.manage(
        "shell", "-v0", "-c", f"from archive.catalogue.services import create_collection; {create}"
    )
    assert made.returncode == 0, made.stderr


def asked(running: Running, path: str, token: str) -> Any:
    request = urllib.request.Request(running.url + path, headers={"Authorization": f"Token {token}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def kill_the_web(running: Running) -> None:
    """SIGKILL to the processes that answer requests; whoever keeps them starts new ones."""
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if not any("granian" in word for word in words):
            continue
        try:
            ours = process.environ().get("PALIMPSEST_HOME") == str(running.home)
        except psutil.Error:
            continue
        parent = process.parent()
        if ours and parent and any("granian" in word for word in parent.cmdline()):
            process.kill()


def kill_the_web_once_some_arrived(running: Running, *, of: int) -> None:
    """As soon as a file of more than `of` bytes lies there half sent: in its midst, however slow the machine."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for path in (running.home / "incoming" / "uploads").glob("*"):
            with contextlib.suppress(FileNotFoundError):  # one that came whole is gone
                if path.stat().st_size > of:
                    kill_the_web(running)
                    return
        time.sleep(0.02)


def picture(path: Path, *, side: int, seed: int) -> Path:
    random = np.random.default_rng(seed)
    tifffile.imwrite(path, random.integers(0, 65535, (side, side, 3), dtype=np.uint16), photometric="rgb")
    return path


@pytest.fixture
def box(tmp_path: Path) -> list[Path]:
    """Sixty files: good ones small and large, five of them twice, five that are no pictures."""
    files = [
        picture(tmp_path / f"scan {n:02}.tif", side=700 if n % 5 == 0 else 60, seed=n) for n in range(GOOD)
    ]
    files += [Path(shutil.copy(files[n], tmp_path / f"again {n:02}.tif")) for n in range(DOUBLED)]
    for n in range(BROKEN):
        broken = tmp_path / f"broken {n}.tif"
        broken.write_bytes(files[n].read_bytes()[: 40 + n])
        files.append(broken)
    return files


def test_a_box_of_sixty_arrives_through_a_cut_network_and_a_killed_server(
    page: Page, running: Running, token: str, box: list[Path]
) -> None:
    collection(running, "box")
    sign_in(page, "ada")
    page.goto("/upload/")
    page.get_by_label("Into the collection").select_option("box")
    page.get_by_label("A file that is here already").select_option("skip")
    page.get_by_label("How many the sheet says").fill("61")
    arrived = page.locator(".tray li:is(.catalogued, .ready)")
    settled = page.locator(".tray li:is(.catalogued, .ready, .refused)")
    page.locator("#files").set_input_files(box)
    expect(arrived.nth(4)).to_be_attached(timeout=60_000)
    page.context.set_offline(True)
    page.wait_for_timeout(2500)
    page.context.set_offline(False)
    expect(arrived.nth(14)).to_be_attached(timeout=60_000)
    kill_the_web(running)
    expect(settled).to_have_count(GOOD + DOUBLED + BROKEN, timeout=150_000)
    expect(page.locator(".tray li.refused")).to_have_count(BROKEN)
    expect(page.locator("[data-total]")).to_contain_text("61 expected, 55 arrived · 6 missing")
    sentence = page.locator(".tray li.refused .sentence").first
    expect(sentence).not_to_be_empty()

    found = asked(running, "/api/v1/versions/?collection=box&limit=200", token)["results"]
    expected = {hashlib.sha256(path.read_bytes()).hexdigest() for path in box[:GOOD]}
    assert sorted(version["sha256"] for version in found) == sorted(expected)

    page.reload()
    expect(page.locator(".tray li")).to_have_count(
        GOOD + DOUBLED + BROKEN, timeout=30_000
    )  # the tray comes back


def test_a_page_closed_half_way_goes_on_with_the_same_file(
    page: Page, running: Running, token: str, tmp_path: Path
) -> None:
    collection(running, "halfway")
    scan = picture(tmp_path / "large scan.tif", side=2600, seed=99)  # 40 MB: three parts
    sign_in(page, "ada")
    page.goto("/upload/")
    page.get_by_label("Into the collection").select_option("halfway")
    sent: list[int] = []

    def after_the_first_part(route: Any) -> None:
        if route.request.method == "PATCH" and sent:
            route.abort()
            return
        if route.request.method == "PATCH":
            sent.append(1)
        route.continue_()

    page.route("**/uploads/tus/**", after_the_first_part)
    page.locator("#files").set_input_files(scan)
    expect(page.locator(".tray li.failed")).to_be_visible(timeout=60_000)
    page.unroute("**/uploads/tus/**")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/upload/")
    row = page.locator(".tray li")
    expect(row).to_have_class("paused", timeout=20_000)
    expect(row).to_contain_text("it goes on where it stopped")
    assert float(row.locator("progress").get_attribute("value") or 0) >= 16 * 2**20
    page.get_by_label("Into the collection").select_option("halfway")
    page.locator("#files").set_input_files(scan)
    expect(page.locator(".tray li:is(.catalogued, .ready)")).to_have_count(1, timeout=60_000)
    expect(page.locator(".tray li")).to_have_count(1)
    found = asked(running, "/api/v1/versions/?collection=halfway", token)["results"]
    assert [one["sha256"] for one in found] == [hashlib.sha256(scan.read_bytes()).hexdigest()]


def test_what_is_here_already_is_shown_side_by_side_and_not_sent(
    page: Page, running: Running, token: str, tmp_path: Path
) -> None:
    collection(running, "twins")
    scan = picture(tmp_path / "twin.tif", side=80, seed=123)
    sign_in(page, "ada")
    page.goto("/upload/")
    page.get_by_label("Into the collection").select_option("twins")
    page.locator("#files").set_input_files(scan)
    expect(page.locator(".tray li.ready")).to_have_count(1, timeout=30_000)
    small = page.locator(".tray li.ready img.thumb")
    expect(small).to_have_attribute("alt", "twin")
    expect(small).to_have_attribute("loading", "lazy")
    expect(small).to_have_js_property("complete", True)
    assert small.evaluate("image => image.naturalWidth") > 0
    page.get_by_role("button", name="Begin a new box").click()
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.method) if "/tus/" in request.url else None)
    page.locator("#files").set_input_files(scan)
    row = page.locator(".tray li.ask")
    expect(row.locator(".faces figure")).to_have_count(2, timeout=30_000)
    row.get_by_role("button", name="Use the existing one").press("Enter")
    expect(page.locator(".tray li:is(.catalogued, .ready)")).to_have_count(1)
    assert asked_for == []
    assert len(asked(running, "/api/v1/versions/?collection=twins", token)["results"]) == 1


def test_tuspy_breaks_off_and_goes_on(running: Running, token: str, tmp_path: Path) -> None:
    collection(running, "tuspy")
    scan = picture(tmp_path / "by tuspy.tif", side=500, seed=7)
    there = tusclient.TusClient(
        f"{running.url}/api/v1/uploads/tus/", headers={"Authorization": f"Token {token}"}
    )
    digest = hashlib.sha256(scan.read_bytes()).hexdigest()
    said = {"filename": scan.name, "collection": "tuspy", "sha256": digest}
    first = there.uploader(str(scan), chunk_size=300_000, metadata=said, upload_checksum=True)
    first.upload_chunk()  # type: ignore[no-untyped-call]
    second = there.uploader(str(scan), chunk_size=300_000, url=first.url, upload_checksum=True)
    assert second.offset == 300_000
    second.upload()
    found = asked(running, "/api/v1/versions/?collection=tuspy", token)["results"]
    assert [one["sha256"] for one in found] == [digest]
    upload = asked(running, f"/api/v1/uploads/{re.findall(r'[0-9a-f-]{36}', str(first.url))[0]}/", token)
    assert (upload["state"], upload["versions"]) == ("catalogued", [found[0]["id"]])


def test_tus_js_client_breaks_off_and_goes_on(running: Running, token: str, tmp_path: Path) -> None:
    collection(running, "tusjs")
    scan = picture(tmp_path / "by tus-js-client.tif", side=500, seed=8)
    node = shutil.which("node") or str(Path(sys.prefix) / "bin" / "node")
    sent = subprocess.run(
        [node, "tests/e2e/tus_client.mjs", f"{running.url}/api/v1/uploads/tus/", token, str(scan), "tusjs"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    assert "WHOLE" in sent.stdout
    found = asked(running, "/api/v1/versions/?collection=tusjs", token)["results"]
    assert [one["sha256"] for one in found] == [hashlib.sha256(scan.read_bytes()).hexdigest()]


@pytest.mark.slow
def test_two_gigabytes_interrupted_by_sigkill_arrive_with_the_same_digest(
    running: Running, token: str, tmp_path: Path
) -> None:
    collection(running, "large")
    scan = tmp_path / "two gigabytes.tif"
    pixels = tifffile.memmap(
        scan, shape=(18_900, 18_900, 3), dtype=np.uint16, photometric="rgb", bigtiff=True
    )
    for row in range(0, 18_900, 100):
        pixels[row : row + 100] = factories.pixels(100, 18_900, bits=16, seed=row)
    pixels.flush()
    with scan.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    there = tusclient.TusClient(
        f"{running.url}/api/v1/uploads/tus/", headers={"Authorization": f"Token {token}"}
    )
    first = there.uploader(
        str(scan), chunk_size=2**30, metadata={"filename": scan.name, "collection": "large"}
    )
    killer = threading.Thread(
        target=kill_the_web_once_some_arrived, args=[running], kwargs={"of": 100 * 2**20}
    )
    killer.start()
    with pytest.raises(TusCommunicationError):
        first.upload()
    killer.join()
    until = time.monotonic() + 60
    while True:
        try:
            second = there.uploader(str(scan), chunk_size=64 * 2**20, url=first.url)
            break
        except (TusCommunicationError, OSError):
            assert time.monotonic() < until
            time.sleep(0.5)
    assert 0 < second.offset < scan.stat().st_size
    second.upload()
    found = asked(running, "/api/v1/versions/?collection=large", token)["results"]
    assert [one["sha256"] for one in found] == [digest]


def test_a_form_that_is_too_large_is_answered_before_it_is_sent(running: Running, token: str) -> None:
    host, port = "localhost", int(running.url.rpartition(":")[2])
    head = (
        f"POST /api/v1/uploads/ HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Token {token}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 4000000000000\r\n\r\n--x\r\n"
    )
    with socket.create_connection((host, port), timeout=20) as line:
        line.sendall(head.encode())
        answer = line.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 413"), answer
    assert "application/problem+json" in answer.lower()
