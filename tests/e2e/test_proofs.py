"""Choosing a recipe by what it makes of this very scan: proofs made by a worker, then an order."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Running
from tests.e2e.test_the_main_job import is_problem, sign_in

pytestmark = pytest.mark.timeout(300)


def test_odo_chooses_among_proofs_and_orders_one(page: Page, running: Running, tmp_path: Path) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if is_problem(said) else None)
    folder = tmp_path / "scans"
    folder.mkdir()
    write_scan(folder / "pale.tif")
    made = running.manage("ingest", str(folder), "--collection", "proofed")
    assert made.returncode == 0, made.stdout + made.stderr
    sign_in(page, "odo")
    source = page.request.get("/api/v1/versions/?collection=proofed&role=master").json()["results"][0]
    page.goto(f"/versions/{source['id']}/proofs/")
    cards = page.locator(".proof.ai")
    offered = cards.count()
    assert offered > 1
    expect(page.locator(".proof.ai .face img")).to_have_count(offered, timeout=120_000)
    for card in cards.all():
        expect(card.locator(".badge.ai")).to_contain_text("AI proof")
        assert (
            card.locator("img").evaluate("picture => picture.decode().then(() => picture.naturalWidth)")
            == 520
        )
    # A proof is no version: nothing was added to the scan.
    assert len(page.request.get("/api/v1/versions/?collection=proofed").json()["results"]) == 1
    page.reload()
    expect(page.locator(".proof.ai .face img")).to_have_count(offered)
    page.get_by_role("button", name=re.compile("^Order at full size ?: Restore$")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 1")).to_be_visible(timeout=120_000)
    assert problems == []


def write_scan(path: Path) -> None:
    """Waves with scratches, 520 × 400 px."""
    rows, columns = np.mgrid[0:400, 0:520]
    picture = 0.5 + 0.3 * np.sin(rows / 17) * np.cos(columns / 31)
    picture[:, 60:500:80] = 1
    tifffile.imwrite(path, (picture * 65535).astype(np.uint16), photometric="minisblack")
